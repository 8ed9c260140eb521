// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

var now = time.Unix(1_800_000_000, 0)

func claims() Claims {
	return Claims{Issuer: "gatehouse", Subject: "gatehouse", Audience: "https://op.example", IssuedAt: now, Lifetime: time.Minute, ID: "one"}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func encodePEM(t testing.TB, kind string, der []byte) []byte {
	t.Helper()
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// TestSignedByEveryKindOfKey takes each assertion in with the strict intake of tokens, and reads each key again from its JWK.
func TestSignedByEveryKindOfKey(t *testing.T) {
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	ec := func(c elliptic.Curve) *ecdsa.PrivateKey {
		return must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(c, rand.Reader))
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	pkcs8 := func(key any) []byte {
		return encodePEM(t, "PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key)))
	}
	p256 := ec(elliptic.P256())
	for name, row := range map[string]struct {
		text      []byte
		algorithm string
		id        string
	}{
		"PKCS#8 RSA":  {pkcs8(rsaKey), "RS256", ""},
		"PKCS#1 RSA":  {encodePEM(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "RS256", ""},
		"SEC 1 P-256": {encodePEM(t, "EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(p256))), "ES256", ""},
		"SEC 1 with EC PARAMETERS": {append(encodePEM(t, "EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}),
			encodePEM(t, "EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(p256)))...), "ES256", ""},
		"PKCS#8 P-384": {pkcs8(ec(elliptic.P384())), "ES384", ""},
		"PKCS#8 P-521": {pkcs8(ec(elliptic.P521())), "ES512", ""},
		"Ed25519":      {pkcs8(ed), "EdDSA", ""},
		"JWK PS384":    {must[[]byte](t)((&jose.JSONWebKey{Key: rsaKey, KeyID: "k1", Algorithm: "PS384"}).MarshalJSON()), "PS384", "k1"},
		"JWK ES256":    {must[[]byte](t)((&jose.JSONWebKey{Key: p256, KeyID: "k2"}).MarshalJSON()), "ES256", "k2"},
		"JWK Ed25519":  {must[[]byte](t)((&jose.JSONWebKey{Key: ed}).MarshalJSON()), "EdDSA", ""},
	} {
		t.Run(name, func(t *testing.T) {
			first := must[*Key](t)(ParseKey(row.text))
			key := must[*Key](t)(ParseKey(must[[]byte](t)(first.JWK())))
			if key.Algorithm() != row.algorithm || key.ID() != first.ID() || key.ID() != row.id {
				t.Fatalf("algorithm %s, kid %q", key.Algorithm(), key.ID())
			}
			raw := must[string](t)(key.Sign(claims()))
			rules := &token.Rules{Algorithms: []string{row.algorithm}, Types: []string{"jwt"}}
			parsed := must[*token.Token](t)(token.Parse(raw, rules))
			if kid, has := parsed.KeyID(); kid != key.ID() || has != (key.ID() != "") {
				t.Errorf("kid %q, %v", kid, has)
			}
			if err := parsed.Verify(must[*jwk.Key](t)(jwk.New(key.Public()))); err != nil {
				t.Fatal(err)
			}
			must[*token.Claims](t)(parsed.Claims(rules, now))
		})
	}
}

// TestClaimsAreThoseOfRFC7523 compares all of them: aud is a string, nbf is not sent.
func TestClaimsAreThoseOfRFC7523(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	key := must[*Key](t)(newKey(ed, "", ""))
	raw := must[string](t)(key.Sign(claims()))
	payload := must[[]byte](t)(base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1]))
	var got map[string]any
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"iss": "gatehouse", "sub": "gatehouse", "aud": "https://op.example", "jti": "one",
		"iat": float64(now.Unix()), "exp": float64(now.Unix() + 60),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSignRefusesHalfAnAssertion(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	key := must[*Key](t)(newKey(ed, "", ""))
	for name, spoil := range map[string]func(*Claims){
		"iss": func(c *Claims) { c.Issuer = "" }, "sub": func(c *Claims) { c.Subject = "" }, "aud": func(c *Claims) { c.Audience = "" },
		"jti": func(c *Claims) { c.ID = "" }, "no lifetime": func(c *Claims) { c.Lifetime = 0 },
		"long lifetime": func(c *Claims) { c.Lifetime = MaxLifetime + time.Second },
	} {
		c := claims()
		spoil(&c)
		if signed, err := key.Sign(c); err == nil {
			t.Errorf("%s: signed %s", name, signed)
		}
	}
}

func TestIDsDiffer(t *testing.T) {
	a, b := must[string](t)(NewID(rand.Reader)), must[string](t)(NewID(rand.Reader))
	if a == b || len(a) != 22 {
		t.Errorf("%q, %q", a, b)
	}
	if _, err := NewID(strings.NewReader("short")); err == nil {
		t.Error("made of less than 128 bits")
	}
}

func TestParseKeyRefusesAndTellsNothing(t *testing.T) {
	weak := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	ec := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	jwkOf := func(key any, alg, use string) string {
		return string(must[[]byte](t)((&jose.JSONWebKey{Key: key, Algorithm: alg, Use: use}).MarshalJSON()))
	}
	whole := jwkOf(ec, "", "")
	private := string(encodePEM(t, "PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(ec))))
	for name, row := range map[string]struct{ text, want string }{
		"empty":           {"", "neither a JWK nor PEM"},
		"a word":          {"hunter2hunter2", "neither a JWK nor PEM"},
		"public JWK":      {jwkOf(ec.Public(), "", ""), "public key"},
		"public PEM":      {string(encodePEM(t, "PUBLIC KEY", must[[]byte](t)(x509.MarshalPKIXPublicKey(ec.Public())))), "no private key"},
		"two blocks":      {private + private, "after its first block"},
		"encrypted":       {string(encodePEM(t, "ENCRYPTED PRIVATE KEY", []byte("hunter2"))), "encrypted"},
		"garbage PEM":     {string(encodePEM(t, "PRIVATE KEY", []byte("hunter2"))), "does not hold a private key"},
		"1024 bits":       {string(encodePEM(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(weak))), "2048"},
		"misfitting alg":  {jwkOf(ec, "RS256", ""), "RS256 needs a key of type RSA"},
		"encryption key":  {jwkOf(ec, "", "enc"), "use is"},
		"symmetric":       {`{"kty":"oct","k":"aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMmh1bnRlcjI"}`, "kty is not supported"},
		"duplicate":       {strings.Replace(whole, "{", `{"kty":"EC",`, 1), "twice"},
		"d is no number":  {`{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"hunter2"}`, "valid private key"},
		"alg is a number": {strings.Replace(whole, "{", `{"alg":256,`, 1), "alg is not a string"},
		"too long":        {strings.Repeat(" ", maxKey+1), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKey([]byte(row.text))
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

func TestKeysShowNothing(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	key := must[*Key](t)(newKey(ed, "k1", ""))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("", "key", key)
	shown := fmt.Sprintf("%v %+v %#v %s", key, key, key, key) + log.String()
	secret := ed.Seed()
	for _, s := range []string{string(secret), fmt.Sprint(secret), fmt.Sprintf("%x", secret), base64.RawURLEncoding.EncodeToString(secret)} {
		if strings.Contains(shown, s) {
			t.Error("the key is shown")
		}
	}
	if !strings.Contains(shown, `EdDSA private key "k1"`) {
		t.Error(shown)
	}
	var _ crypto.PublicKey = key.Public()
}
