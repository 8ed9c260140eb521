// SPDX-License-Identifier: Apache-2.0

package served

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
	"maps"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Claims are the members of a JSON object; a nil value leaves a member out.
type Claims map[string]any

// With returns a copy with changes.
func (c Claims) With(changes Claims) Claims {
	next := maps.Clone(c)
	if next == nil {
		next = Claims{}
	}
	maps.Copy(next, changes)
	maps.DeleteFunc(next, func(_ string, v any) bool { return v == nil })
	return next
}

// Signer makes tokens with one key and algorithm.
type Signer struct {
	Algorithm, KeyID string
	private          any // crypto.Signer, or []byte for HMAC
}

// NewSigner makes a key for the algorithm.
func NewSigner(t testing.TB, algorithm, keyID string) *Signer {
	t.Helper()
	s := &Signer{Algorithm: algorithm, KeyID: keyID}
	var err error
	switch algorithm {
	case "HS256", "HS384", "HS512":
		secret := make([]byte, 64)
		_, err = rand.Read(secret)
		s.private = secret
	case "ES256":
		s.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, s.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		s.private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// HMAC is a signer with a shared secret.
func HMAC(algorithm string, secret []byte) *Signer {
	return &Signer{Algorithm: algorithm, private: secret}
}

// As returns a signer that has the same key but says otherwise.
func (s *Signer) As(algorithm, keyID string) *Signer {
	return &Signer{Algorithm: algorithm, KeyID: keyID, private: s.private}
}

// JWKS is the key set that the signer publishes: one public key.
func (s *Signer) JWKS(t testing.TB) string {
	t.Helper()
	signer, ok := s.private.(crypto.Signer)
	if !ok {
		t.Fatal("a shared secret is not published")
	}
	key, err := jwk.New(signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	if key, err = key.With(s.KeyID, s.Algorithm); err != nil {
		t.Fatal(err)
	}
	text, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return `{"keys": [` + string(text) + `]}`
}

// PEM is the signer's public key (SPKI).
func (s *Signer) PEM(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.private.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Sign makes a token that expires in an hour, unless the claims say otherwise; header overrides alg, typ and kid.
func (s *Signer) Sign(t testing.TB, header, claims Claims) string {
	t.Helper()
	head := Claims{"alg": s.Algorithm, "typ": "JWT"}
	if s.KeyID != "" {
		head["kid"] = s.KeyID
	}
	input := encode(t, head.With(header)) + "." + encode(t, Claims{"exp": time.Now().Add(time.Hour).Unix()}.With(claims))
	algorithm, ok := jwk.Algorithm(s.Algorithm)
	if !ok {
		t.Fatalf("there is no algorithm %s", s.Algorithm)
	}
	signature, err := algorithm.Method.Sign(input, s.private)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
