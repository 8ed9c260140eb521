// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestMint guards that others accept what this package signs, and that no two tokens are the same.
func TestMint(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		algorithm string
		size      int
	}{{"RS256", 832}, {"ES256", 832 - 342 + 86}} {
		t.Run(tc.algorithm, func(t *testing.T) {
			m, err := NewMinter(tc.algorithm, now, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			const n = 500
			list, err := m.Mint(n)
			if err != nil {
				t.Fatal(err)
			}
			more, err := m.Mint(n)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, token := range append(list, more...) {
				if len(token.Raw) != tc.size {
					t.Fatalf("%d characters, want %d", len(token.Raw), tc.size)
				}
				seen[token.Raw] = true
				var claims jwt.MapClaims
				_, err := jwt.ParseWithClaims(token.Raw, &claims, func(*jwt.Token) (any, error) { return m.PublicKey(), nil },
					jwt.WithValidMethods([]string{tc.algorithm}), jwt.WithIssuer(Issuer), jwt.WithAudience(Audience), jwt.WithExpirationRequired(), jwt.WithStrictDecoding())
				if err != nil {
					t.Fatalf("%s: %v", token.Raw, err)
				}
				if claims["upn"] != token.User {
					t.Fatalf("upn %v, want %s", claims["upn"], token.User)
				}
			}
			if len(seen) != 2*n {
				t.Errorf("%d distinct tokens, want %d", len(seen), 2*n)
			}
		})
	}
	if _, err := NewMinter("HS256", now, time.Hour); err == nil {
		t.Error("HS256 was accepted")
	}
}

// TestPower checks the arithmetic at its edges against math/big.
func TestPower(t *testing.T) {
	k, err := newRSAKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.public.N.BitLen(); got != rsaBits {
		t.Fatalf("the modulus has %d bits", got)
	}
	one := big.NewInt(1)
	edges := []*big.Int{new(big.Int), one, big.NewInt(2), new(big.Int).Sub(k.public.N, one), new(big.Int).SetUint64(k.primes[3].p)}
	for _, want := range edges {
		var in [rsaBits / 8]byte
		want.FillBytes(in[:])
		out := k.power(&in)
		got := new(big.Int).SetBytes(out[:])
		if got.Exp(got, big.NewInt(rsaPublic), k.public.N).Cmp(want) != 0 {
			t.Errorf("power(%x) is not its root", want)
		}
	}
}

// BenchmarkVerify shows that the quick key costs a verifier what an ordinary one does.
func BenchmarkVerify(b *testing.B) {
	digest := sha256.Sum256([]byte("gatehouse"))
	ordinary, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		b.Fatal(err)
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, ordinary, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	quick, err := newRSAKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	for _, bc := range []struct {
		name      string
		key       *rsa.PublicKey
		signature []byte
	}{{"ordinary", &ordinary.PublicKey, signature}, {"quick", &quick.public, quick.signPKCS1v15(digest)}} {
		b.Run(bc.name, func(b *testing.B) {
			for b.Loop() {
				if err := rsa.VerifyPKCS1v15(bc.key, crypto.SHA256, digest[:], bc.signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMint(b *testing.B) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		b.Run(algorithm, func(b *testing.B) {
			m, err := NewMinter(algorithm, time.Now(), time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := m.mint(m.count.Add(1)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
