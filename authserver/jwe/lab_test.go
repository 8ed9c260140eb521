// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
)

// lab holds private keys, made once.
type lab struct {
	rsa              *rsa.PrivateKey
	p256, p384, p521 *ecdsa.PrivateKey
	secrets          map[int][]byte // by length in bytes
}

var newLab = sync.OnceValue(func() *lab {
	l := &lab{secrets: map[int][]byte{}}
	l.rsa = must(rsa.GenerateKey(rand.Reader, 2048))
	l.p256 = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	l.p384 = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	l.p521 = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	for _, size := range []int{16, 24, 32, 64} {
		l.secrets[size] = bytes.Repeat([]byte{byte(size)}, size)
	}
	return l
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pair is a key, and what one encrypts to it with.
type pair struct {
	key *Key
	to  any
}

// pairs returns a key of each kind that fits.
func (l *lab) pairs(alg *keyAlgorithm, enc *contentAlgorithm) []pair {
	switch {
	case alg.kty == "RSA":
		return []pair{{must(New(l.rsa)), &l.rsa.PublicKey}}
	case alg.kty == "EC":
		return []pair{{must(New(l.p256)), &l.p256.PublicKey}, {must(New(l.p384)), &l.p384.PublicKey}, {must(New(l.p521)), &l.p521.PublicKey}}
	case alg.kek > 0:
		return []pair{{must(New(l.secrets[alg.kek])), l.secrets[alg.kek]}}
	default:
		return []pair{{must(New(l.secrets[enc.key])), l.secrets[enc.key]}}
	}
}

// message takes a compact serialization apart as package token does.
func message(tb testing.TB, raw string) *Message {
	tb.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 5 {
		tb.Fatalf("%d segments", len(parts))
	}
	var out [5][]byte
	for i, p := range parts {
		out[i] = must(base64.RawURLEncoding.DecodeString(p))
	}
	var h struct {
		Alg, Enc, Apu, Apv string
		Epk                json.RawMessage
	}
	if err := json.Unmarshal(out[0], &h); err != nil {
		tb.Fatal(err)
	}
	return &Message{
		Algorithm: h.Alg, ContentAlgorithm: h.Enc, EphemeralKey: h.Epk,
		PartyU: must(base64.RawURLEncoding.DecodeString(h.Apu)), PartyV: must(base64.RawURLEncoding.DecodeString(h.Apv)),
		EncryptedKey: out[1], IV: out[2], Ciphertext: out[3], Tag: out[4], AAD: []byte(parts[0]),
	}
}

// sealed encrypts with an algorithm pair to the first key that fits it.
func (l *lab) sealed(tb testing.TB, alg, enc, plaintext string) (*Key, *Message) {
	tb.Helper()
	p := l.pairs(&keyAlgorithms[keyAlgorithmIndex(alg)], &contentAlgorithms[contentAlgorithmIndex(enc)])[0]
	return p.key, message(tb, jwetest.Seal(tb, jwetest.Input{Key: p.to, Alg: alg, Enc: enc, Plaintext: plaintext}).String())
}

// changed returns a key's JWK with members added, or removed by nil.
func changed(t testing.TB, k *Key, change map[string]any) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(must(k.MarshalJSON()), &m); err != nil {
		t.Fatal(err)
	}
	maps.Copy(m, change)
	maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
	return must(json.Marshal(m))
}

// flip changes one bit.
func flip(b []byte, i int) []byte {
	c := slices.Clone(b)
	c[i] ^= 1
	return c
}
