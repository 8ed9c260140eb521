// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// labNow is the clock of all tables, far from every default.
var labNow = time.Unix(1_800_000_000, 0)

const (
	goodHeader  = `{"alg":"RS256","typ":"JWT","kid":"rsa"}`
	goodPayload = `{"iss":"https://idp.acme.example","sub":"bob","aud":"https://api.example","exp":1800000300,"iat":1799999990}`
)

// lab holds the issuer's keys, an attacker's, and the default policy.
type lab struct {
	rsa, attacker  *rsa.PrivateKey
	p256, p384     *ecdsa.PrivateKey
	ed             ed25519.PrivateKey
	secret         []byte
	rules          *Rules   // RS256 only
	every          *Rules   // all algorithms
	set            *jwk.Set // the RSA key alone, kid rsa
	rsaKey, ecKey  *jwk.Key
	ec384Key       *jwk.Key
	edKey, hmacKey *jwk.Key
}

// newLab makes the keys once; a policy's leeway is 30 s.
var newLab = sync.OnceValue(func() *lab {
	l := &lab{secret: []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")}
	l.rsa = must(rsa.GenerateKey(rand.Reader, 2048))
	l.attacker = must(rsa.GenerateKey(rand.Reader, 2048))
	l.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	l.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, l.ed, _ = ed25519.GenerateKey(rand.Reader)
	l.rsaKey = named(&l.rsa.PublicKey, "rsa")
	l.ecKey = named(&l.p256.PublicKey, "ec")
	l.ec384Key = named(&l.p384.PublicKey, "ec384")
	l.edKey = named(l.ed.Public(), "ed")
	l.hmacKey = named(l.secret, "hs")
	l.set = jwk.NewSet(l.rsaKey)
	l.rules = &Rules{Algorithms: []string{"RS256"}, Types: []string{"", "jwt", "at+jwt"}, Leeway: 30 * time.Second}
	l.every = &Rules{Algorithms: jwk.AlgorithmNames(), Types: l.rules.Types, Leeway: l.rules.Leeway}
	return l
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func named(material any, id string) *jwk.Key {
	return must(must(jwk.New(material)).With(id, ""))
}

// signing returns the private key for a header's algorithm.
func (l *lab) signing(method jwt.SigningMethod) any {
	switch name := method.Alg(); {
	case strings.HasPrefix(name, "HS"):
		return l.secret
	case name == "ES256":
		return l.p256
	case name == "ES384":
		return l.p384
	case name == "EdDSA":
		return l.ed
	default:
		return l.rsa
	}
}

// with signs with a method's own key of the lab.
func (l *lab) with(t testing.TB, method jwt.SigningMethod, head, payload string) string {
	return sign(t, method, l.signing(method), head, payload)
}

// head signs a header over the good payload with RS256.
func (l *lab) head(t testing.TB, head string) string {
	return l.with(t, jwt.SigningMethodRS256, head, goodPayload)
}

// claims signs a payload under the good header with RS256.
func (l *lab) claims(t testing.TB, payload string) string {
	return l.with(t, jwt.SigningMethodRS256, goodHeader, payload)
}

// extra is the good payload with more members.
func extra(members string) string { return strings.TrimSuffix(goodPayload, "}") + "," + members + "}" }

// hostile is a token that must be refused with exactly one reason; rules and set default to
// the lab's.
type hostile struct {
	name, raw string
	want      Reason
	rules     *Rules
	set       *jwk.Set
}
