// SPDX-License-Identifier: Apache-2.0

package clientkey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/clientkey"
)

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// TestParse guards which keys are read, what they sign with, and that the JWK which is rendered of one is read back as the same.
func TestParse(t *testing.T) {
	rsaKey := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	ecKey := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec := block("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(ecKey)))
	jwkOf := func(key any, alg string) string {
		return string(must[[]byte](t)((&jose.JSONWebKey{Key: key, KeyID: "k1", Algorithm: alg}).MarshalJSON()))
	}
	for name, c := range map[string]struct {
		text, alg, id string
		key           crypto.Signer
	}{
		"RSA in PKCS#8":          {block("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(rsaKey))), "RS256", "", rsaKey},
		"RSA in PKCS#1":          {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "RS256", "", rsaKey},
		"EC in SEC 1":            {ec, "ES384", "", ecKey},
		"EC with its parameters": {block("EC PARAMETERS", []byte{6, 5, 43, 129, 4, 0, 34}) + ec + "\n", "ES384", "", ecKey},
		"Ed25519":                {block("PRIVATE KEY", must[[]byte](t)(x509.MarshalPKCS8PrivateKey(edKey))), "EdDSA", "", edKey},
		"JWK":                    {" " + jwkOf(ecKey, "") + "\n", "ES384", "k1", ecKey},
		"JWK with an algorithm":  {jwkOf(rsaKey, "PS512"), "PS512", "k1", rsaKey},
		"JWK of Ed25519":         {jwkOf(edKey, "EdDSA"), "EdDSA", "k1", edKey},
	} {
		k, err := clientkey.Parse([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again := must[*clientkey.Key](t)(clientkey.Parse(must[[]byte](t)(json.Marshal(k))))
		for _, k := range []*clientkey.Key{k, again} {
			same := k.Private().Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(c.key.Public())
			if k.Algorithm() != c.alg || k.ID() != c.id || !same {
				t.Errorf("%s: %s signs with %s, same key: %v", name, k, k.Algorithm(), same)
			}
		}
		if told := fmt.Sprintf("%v %+v %#v", k, k, k); strings.Count(told, "client key") != 3 || len(told) > 200 {
			t.Errorf("%s: it prints as %s", name, told)
		}
	}
}

// TestRefused guards that a wrong key is told from a right one before a login meets it, in words without bytes of it.
func TestRefused(t *testing.T) {
	ecKey := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ecText := block("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(ecKey)))
	weak := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	public := block("PUBLIC KEY", must[[]byte](t)(x509.MarshalPKIXPublicKey(ecKey.Public())))
	private := string(must[[]byte](t)((&jose.JSONWebKey{Key: ecKey}).MarshalJSON()))
	with := func(members string) string { return strings.Replace(private, "{", "{"+members+",", 1) }
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                {"", "there is no key"},
		"a password":             {"hunter2-hunter2", "there is no key"},
		"a public key":           {public, "the key is public"},
		"a public JWK":           {string(must[[]byte](t)((&jose.JSONWebKey{Key: ecKey.Public()}).MarshalJSON())), "the key is public"},
		"two keys":               {ecText + ecText, "more than one key"},
		"an encrypted key":       {block("ENCRYPTED PRIVATE KEY", []byte("hunter2")), "the key is encrypted"},
		"a cut key":              {ecText[:len(ecText)-30], "does not decode"},
		"a broken key":           {block("PRIVATE KEY", []byte("hunter2")), "is not a valid private key"},
		"a curve of 224 bits":    {block("EC PRIVATE KEY", must[[]byte](t)(x509.MarshalECPrivateKey(weak))), "P-256, P-384"},
		"a set":                  {`{"keys":[` + private + `]}`, "a set of keys"},
		"a secret as JWK":        {`{"kty":"oct","k":"aHVudGVyMg"}`, "a symmetric key (kty oct) is a client secret"},
		"a key for encryption":   {with(`"use":"enc"`), "this key must have"},
		"another algorithm":      {with(`"alg":"ES384"`), "ES384"},
		"an unknown algorithm":   {with(`"alg":"none"`), "does not verify signatures"},
		"a member twice":         {with(`"kid":"a","kid":"b"`), "reading the JWK"},
		"a value that is no JWK": {`{"kty":"EC","crv":"P-256","d":"hunter2"}`, "do not make a valid private key"},
		"much":                   {"{" + strings.Repeat(" ", 40<<10), "at most 32768"},
	} {
		_, err := clientkey.Parse([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
