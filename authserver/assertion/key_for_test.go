// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	return string(encodePEM(t, "PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))))
}

func jwkText(t testing.TB, key jose.JSONWebKey) string {
	t.Helper()
	return string(must[[]byte](t)(key.MarshalJSON()))
}

// TestParseKeyForReads guards what signs with which algorithm, and under which kid.
func TestParseKeyForReads(t *testing.T) {
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	p384 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	text, binary := strings.Repeat("s", 32), append(bytes.Repeat([]byte{0xff, 0}, 16), '\n')
	for name, row := range map[string]struct {
		text, algorithm, keyID string
		id                     string
		secret                 string // of HS
	}{
		"PEM, PS512":                     {pkcs8(t, rsaKey), "PS512", "k", "k", ""},
		"PEM without a kid":              {pkcs8(t, rsaKey), "RS384", "", "", ""},
		"a JWK's kid":                    {jwkText(t, jose.JSONWebKey{Key: p384, KeyID: "a"}), "ES384", "", "a", ""},
		"another kid than the JWK's":     {jwkText(t, jose.JSONWebKey{Key: p384, KeyID: "a", Algorithm: "ES384"}), "ES384", "b", "b", ""},
		"text":                           {text, "HS256", "", "", text},
		"text and a line break":          {text + "\n", "HS256", "", "", text},
		"text and a line break of DOS":   {text + "\r\n", "HS256", "", "", text},
		"text and two line breaks":       {text + "\n\n", "HS256", "", "", text + "\n"},
		"text and a carriage return":     {text + "\r", "HS256", "", "", text + "\r"},
		"bytes that end in a line break": {string(binary), "HS256", "", "", string(binary)},
		"bytes that begin like a JWK":    {"{" + string(binary), "HS256", "", "", "{" + string(binary)},
		"oct JWK":                        {jwkText(t, jose.JSONWebKey{Key: []byte(text), KeyID: "o", Use: "sig"}), "HS256", "", "o", text},
		"oct JWK of 64 bytes, for HS512": {jwkText(t, jose.JSONWebKey{Key: []byte(text + text), Algorithm: "HS512"}) + "\n", "HS512", "x", "x", text + text},
		"a long secret":                  {strings.Repeat("s", 1024), "HS384", "", "", strings.Repeat("s", 1024)},
	} {
		t.Run(name, func(t *testing.T) {
			first := must[*Key](t)(ParseKeyFor([]byte(row.text), row.algorithm, row.keyID))
			again := must[*Key](t)(ParseKeyFor(must[[]byte](t)(first.JWK()), row.algorithm, first.ID()))
			for _, key := range []*Key{first, again} {
				if key.Algorithm() != row.algorithm || key.ID() != row.id {
					t.Errorf("algorithm %s, kid %q", key.Algorithm(), key.ID())
				}
				secret, is := key.material.([]byte)
				if is != (row.secret != "") || string(secret) != row.secret || is != (key.Public() == nil) {
					t.Errorf("the secret has %d bytes, want %d", len(secret), len(row.secret))
				}
			}
		})
	}
}

// TestParseKeyForRefuses guards that a key which cannot sign as the other side demands is told before the first request, without a byte of it.
func TestParseKeyForRefuses(t *testing.T) {
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	p256, p384 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	_, other, _ := ed25519.GenerateKey(rand.Reader)
	secret := "hunter2" + strings.Repeat("-", 25)
	half := *p256
	half.PublicKey = must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).PublicKey
	for name, row := range map[string]struct{ text, algorithm, want string }{
		"no algorithm":           {pkcs8(t, rsaKey), "", "algorithm is not supported"},
		"none":                   {secret, "none", "algorithm is not supported"},
		"RSA for ES256":          {pkcs8(t, rsaKey), "ES256", "ES256 needs a key of type EC, this one is RSA"},
		"EC for RS256":           {pkcs8(t, p256), "RS256", "RS256 needs a key of type RSA, this one is EC"},
		"P-384 for ES256":        {pkcs8(t, p384), "ES256", "ES256 needs curve P-256, this key is on P-384"},
		"Ed25519 for ES256":      {pkcs8(t, ed), "ES256", "ES256 needs a key of type EC"},
		"PEM for HS256":          {pkcs8(t, rsaKey), "HS256", "it holds PEM, and HS256 signs with a secret"},
		"public PEM for HS256":   {string(encodePEM(t, "PUBLIC KEY", must[[]byte](t)(x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)))), "HS256", "it holds PEM"},
		"secret for RS256":       {secret, "RS256", "neither a JWK nor PEM"},
		"private JWK for HS256":  {jwkText(t, jose.JSONWebKey{Key: p256}), "HS256", "kty is not supported here: use oct"},
		"oct JWK for RS256":      {jwkText(t, jose.JSONWebKey{Key: []byte(secret)}), "RS256", "kty is not supported here: use RSA, EC, OKP"},
		"JWK of another alg":     {jwkText(t, jose.JSONWebKey{Key: rsaKey, Algorithm: "RS256"}), "PS256", "the JWK's alg is not PS256"},
		"JWK for encryption":     {jwkText(t, jose.JSONWebKey{Key: []byte(secret), Use: "enc"}), "HS256", "use is"},
		"JWK that verifies":      {`{"kty":"oct","k":"aHVudGVyMi0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0","key_ops":["verify"]}`, "HS256", "key_ops"},
		"JWK without its secret": {`{"kty":"oct"}`, "HS256", "member k is missing"},
		"JWK with a bad secret":  {`{"kty":"oct","k":"hunter2 hunter2"}`, "HS256", "member k is not base64url"},
		"a broken JWK":           {`{"kty":"oct","k":"hunter2hunter2hunter2hunter2hunter2hunter2`, "HS256", "not valid JSON"},
		"a JWK Set":              {`{"keys":[{"kty":"oct","k":"hunter2"}]}`, "HS256", "leave only the one key"},
		"an empty secret":        {"", "HS256", "secret has 0 bytes"},
		"a short secret":         {secret[:31] + "\n", "HS256", "secret has 31 bytes"},
		"short for HS384":        {secret, "HS384", "HS384 needs a secret of at least 48 bytes, this one has 32"},
		"short for HS512":        {secret, "HS512", "HS512 needs a secret of at least 64 bytes, this one has 32"},
		"short in a JWK":         {jwkText(t, jose.JSONWebKey{Key: []byte("hunter2")}), "HS256", "secret has 7 bytes"},
		"a long secret":          {strings.Repeat("hunter2!", 129), "HS256", "secret has 1032 bytes"},
		"too long a text":        {strings.Repeat("hunter2!", maxKey), "HS256", "at most"},
		"too long a key":         {strings.Repeat("hunter2!", maxKey), "RS256", "at most"},
		"another public half":    {jwkText(t, jose.JSONWebKey{Key: &half}), "ES256", "not those of the private key"},
		"another half, Ed25519":  {jwkText(t, jose.JSONWebKey{Key: ed25519.PrivateKey(append(bytes.Clone(ed[:32]), other[32:]...))}), "EdDSA", "valid private key"},
		"another half, RSA":      {strings.Replace(jwkText(t, jose.JSONWebKey{Key: rsaKey}), `"d":"`, `"d":"AA`, 1), "RS256", "valid private key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeyFor([]byte(row.text), row.algorithm, "")
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
	if _, err := ParseKeyFor([]byte(secret), "HS256", strings.Repeat("k", 1025)); err == nil || !strings.Contains(err.Error(), "kid has") {
		t.Errorf("a long kid: %v", err)
	}
}

func TestSecretsShowNothing(t *testing.T) {
	key := must[*Key](t)(ParseKeyFor([]byte("hunter2"+strings.Repeat("-", 25)), "HS256", "k1"))
	if shown := fmt.Sprintf("%v %+v %#v %s", key, key, key, key); strings.Contains(shown, "hunter2") || !strings.Contains(shown, `HS256 private key "k1"`) {
		t.Error(shown)
	}
}

// FuzzParseKeyFor looks for texts that make it panic, tell the text, or make a key that cannot sign.
func FuzzParseKeyFor(f *testing.F) {
	rsaKey := must[*rsa.PrivateKey](f)(rsa.GenerateKey(rand.Reader, 2048))
	p256 := must[*ecdsa.PrivateKey](f)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for _, key := range []any{rsaKey, p256, ed} {
		f.Add([]byte(pkcs8(f, key)), "RS256")
		f.Add([]byte(jwkText(f, jose.JSONWebKey{Key: key})), "ES256")
	}
	f.Add([]byte(jwkText(f, jose.JSONWebKey{Key: []byte(strings.Repeat("s", 32))})), "HS256")
	f.Add([]byte(strings.Repeat("s", 48)+"\n"), "HS384")
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","d":"","x":""}`), "EdDSA")
	f.Fuzz(func(t *testing.T, text []byte, algorithm string) {
		key, err := ParseKeyFor(text, algorithm, "")
		if err != nil {
			if len(text) >= 32 && strings.Contains(err.Error(), string(text)) {
				t.Errorf("the error tells the key: %v", err)
			}
			return
		}
		again, err := ParseKeyFor(must[[]byte](t)(key.JWK()), algorithm, key.ID())
		if err != nil || again.Algorithm() != algorithm {
			t.Fatalf("its own JWK is refused: %v", err)
		}
		if _, err := again.sign("a.b"); err != nil {
			t.Errorf("the key cannot sign: %v", err)
		}
	})
}
