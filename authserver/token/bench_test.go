// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// benchToken is an RS256 token of 832 bytes, the size that DESIGN §8 measures with.
func benchToken(tb testing.TB) (raw string, key *jwk.Key, public *rsa.PublicKey) {
	tb.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	head := `{"alg":"RS256","typ":"JWT","kid":"2026-01"}`
	for pad := 0; ; pad++ {
		raw = sign(tb, jwt.SigningMethodRS256, private, head, benchPayload(strings.Repeat("x", pad)))
		if len(raw) >= 832 {
			break
		}
	}
	if key, err = jwk.New(&private.PublicKey); err != nil {
		tb.Fatal(err)
	}
	if key, err = key.With("2026-01", "RS256"); err != nil {
		tb.Fatal(err)
	}
	return raw, key, &private.PublicKey
}

// benchPayload is a claim set as identity providers send it.
func benchPayload(pad string) string {
	return fmt.Sprintf(`{"iss":"https://idp.acme.example","sub":"6f1e2c9a-1b7d-4a51-9a53-5b8ef0c0a111","aud":["https://api.example"],`+
		`"exp":4102444800,"iat":1700000000,"nbf":1700000000,"jti":"0b5f7f4e-8a5e-4e0f-8f44-0a2f3a1b2c3d",`+
		`"upn":"bob@acme.example","roles":["reader","writer"],"pad":%q}`, pad)
}

// benchRules are a policy's for the benchmarks; benchNow is within the token's life.
var (
	benchRules = &Rules{Algorithms: []string{"RS256", "ES256"}, Types: []string{"", "jwt", "at+jwt"}, Leeway: 30 * time.Second}
	benchNow   = time.Unix(1_800_000_000, 0)
)

// benchIntake measures the whole intake, and the part of it before the signature.
func benchIntake(b *testing.B, raw string, key *jwk.Key) {
	b.Helper()
	set := jwk.NewSet(key)
	b.Run("intake", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := intake(raw, benchRules, set, benchNow); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(raw, benchRules); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// signature returns the digest of a token's signing input and its signature.
func signature(b *testing.B, raw string) (digest [32]byte, sig []byte) {
	b.Helper()
	dot := strings.LastIndexByte(raw, '.')
	sig, err := strictBase64.DecodeString(raw[dot+1:])
	if err != nil {
		b.Fatal(err)
	}
	return sha256.Sum256([]byte(raw[:dot])), sig
}

// BenchmarkRS256 puts the whole intake beside the bare RSA verification of crypto/rsa; the
// ratio is the figure to watch.
func BenchmarkRS256(b *testing.B) {
	raw, key, public := benchToken(b)
	sum, sig := signature(b, raw)
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig); err != nil {
				b.Fatal(err)
			}
		}
	})
	benchIntake(b, raw, key)
}

// BenchmarkES256 does the same for ES256 and crypto/ecdsa.
func BenchmarkES256(b *testing.B) {
	private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	key := named(&private.PublicKey, "2026-01")
	raw := sign(b, jwt.SigningMethodES256, private, `{"alg":"ES256","typ":"JWT","kid":"2026-01"}`, benchPayload(strings.Repeat("x", 240)))
	sum, sig := signature(b, raw)
	der := must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])}))
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !ecdsa.VerifyASN1(&private.PublicKey, sum[:], der) {
				b.Fatal("does not verify")
			}
		}
	})
	benchIntake(b, raw, key)
}

// BenchmarkJWE shows what each key management algorithm costs, nested signature included.
func BenchmarkJWE(b *testing.B) {
	l := newLab()
	s := newSealing(l)
	inside := l.claims(b, goodPayload)
	for _, in := range []jwetest.Input{
		{Key: &l.rsa.PublicKey, Alg: "RSA-OAEP-256", Header: `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc"}`},
		{Key: &l.p256.PublicKey, Alg: "ECDH-ES", Header: `{"alg":"ECDH-ES","enc":"A256GCM","kid":"ec","epk":` + jwetest.EPK + `}`},
		{Key: s.kek, Alg: "A128KW", Header: goodWrapped},
		{Key: s.dek, Alg: "dir", Header: goodDirect},
	} {
		in.Enc, in.Plaintext = "A256GCM", inside
		raw := jwetest.Seal(b, in).String()
		b.Run(in.Alg, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := intake(raw, s.every, l.set, labNow); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
