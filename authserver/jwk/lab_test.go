// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"sync"
	"testing"
)

// lab holds private keys, made once.
type lab struct {
	rsa              *rsa.PrivateKey
	p256, p384, p521 *ecdsa.PrivateKey
	ed               ed25519.PrivateKey
	secret           []byte // 64 bytes
}

var newLab = sync.OnceValue(func() *lab {
	l := &lab{secret: []byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")}
	l.rsa = must(rsa.GenerateKey(rand.Reader, 2048))
	l.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	l.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	l.p521 = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, l.ed, _ = ed25519.GenerateKey(rand.Reader)
	return l
})

// signer returns the private key for an algorithm of the table.
func (l *lab) signer(a Alg) any {
	switch {
	case a.Type == "oct":
		return l.secret
	case a.Curve == "P-256":
		return l.p256
	case a.Curve == "P-384":
		return l.p384
	case a.Curve == "P-521":
		return l.p521
	case a.Type == "OKP":
		return l.ed
	default:
		return l.rsa
	}
}

// public returns the verification key for an algorithm of the table.
func (l *lab) public(a Alg) *Key {
	switch private := l.signer(a).(type) {
	case *rsa.PrivateKey:
		return must(New(&private.PublicKey))
	case *ecdsa.PrivateKey:
		return must(New(&private.PublicKey))
	case ed25519.PrivateKey:
		return must(New(private.Public()))
	default:
		return must(New(private))
	}
}

func (l *lab) of(alg string) *Key {
	a, ok := Algorithm(alg)
	if !ok {
		panic(alg)
	}
	return l.public(a)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// members returns a key's JWK for a test to change.
func members(t testing.TB, k *Key) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(must(k.MarshalJSON()), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// changed returns a JWK with members added, or removed by nil.
func changed(t testing.TB, k *Key, change map[string]any) []byte {
	t.Helper()
	m := members(t, k)
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return must(json.Marshal(m))
}
