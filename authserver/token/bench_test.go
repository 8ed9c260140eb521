// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// benchToken is an RS256 token of 832 bytes, the size that DESIGN §8 measures with.
func benchToken(tb testing.TB) (raw string, key *jwk.Key, public *rsa.PublicKey) {
	tb.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	claims := `{"iss":"https://idp.acme.example","sub":"6f1e2c9a-1b7d-4a51-9a53-5b8ef0c0a111","aud":["https://api.example"],` +
		`"exp":4102444800,"iat":1700000000,"nbf":1700000000,"jti":"0b5f7f4e-8a5e-4e0f-8f44-0a2f3a1b2c3d",` +
		`"upn":"bob@acme.example","roles":["reader","writer"],"pad":"%s"}`
	head := `{"alg":"RS256","typ":"JWT","kid":"2026-01"}`
	for pad := 0; ; pad++ {
		raw = sign(tb, jwt.SigningMethodRS256, private, head, fmt.Sprintf(claims, strings.Repeat("x", pad)))
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

// BenchmarkRS256 puts the whole intake beside the bare RSA verification it cannot do
// without; the ratio is the figure to watch.
func BenchmarkRS256(b *testing.B) {
	raw, key, public := benchToken(b)
	set := jwk.NewSet(key)
	rules := &Rules{Algorithms: []string{"RS256"}, Types: []string{"", "jwt", "at+jwt"}, Leeway: 30 * time.Second}
	now := time.Unix(1_800_000_000, 0)
	dot := strings.LastIndexByte(raw, '.')
	sum := sha256.Sum256([]byte(raw[:dot]))
	sig, err := strictBase64.DecodeString(raw[dot+1:])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], sig); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("intake", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := intake(raw, rules, set, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(raw, rules); err != nil {
				b.Fatal(err)
			}
		}
	})
}
