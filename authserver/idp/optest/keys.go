// SPDX-License-Identifier: Apache-2.0

package optest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// signingKey is one private key of the provider.
type signingKey struct {
	id, algorithm string
	private       crypto.Signer
}

// spare RSA keys are made once for all providers of a test binary: each takes a while.
var spare struct {
	sync.Mutex
	made []*rsa.PrivateKey
}

func rsaKey(n int) *rsa.PrivateKey {
	spare.Lock()
	defer spare.Unlock()
	for len(spare.made) <= n {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		spare.made = append(spare.made, key)
	}
	return spare.made[n]
}

var rotations struct {
	sync.Mutex
	n int
}

// Rotate replaces all keys by new ones with new key IDs: one for RS256. The old ones are published no more.
func (op *OP) Rotate() {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.keys = []*signingKey{newRSA()}
}

func newRSA() *signingKey {
	rotations.Lock()
	rotations.n++
	n := rotations.n
	rotations.Unlock()
	return &signingKey{id: "rsa-" + random(), algorithm: "RS256", private: rsaKey(n % 3)}
}

// AddKey publishes one more key, for ES256, EdDSA or RS256. ID tokens are signed with the first that fits the algorithm.
func (op *OP) AddKey(algorithm string) {
	key := &signingKey{id: algorithm + "-" + random(), algorithm: algorithm}
	switch algorithm {
	case "ES256":
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		key.private = private
	case "EdDSA":
		_, private, _ := ed25519.GenerateKey(rand.Reader) // it never fails
		key.private = private
	default:
		key = newRSA()
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	op.keys = append(op.keys, key)
}

// published returns the JWKS.
func (op *OP) published() []byte {
	op.mu.Lock()
	defer op.mu.Unlock()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range op.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: k.algorithm, Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	return text
}

// Sign makes a JWT of the provider, with the algorithm and key of its behaviour. header may be nil, or change the header.
func (op *OP) Sign(claims map[string]any, header func(map[string]any)) string {
	op.mu.Lock()
	b := op.behaviour
	algorithm := b.Algorithm
	if algorithm == "" {
		algorithm = "RS256"
	}
	var key *signingKey
	for _, k := range op.keys {
		if k.algorithm == algorithm {
			key = k
			break
		}
	}
	op.mu.Unlock()

	h := map[string]any{"alg": algorithm, "typ": "JWT"}
	var secret any = []byte(op.options.Client.Secret)
	if key != nil {
		h["kid"], secret = key.id, key.private
	}
	if header != nil {
		header(h)
	}
	input := encode(h) + "." + encode(claims)
	method := jwt.GetSigningMethod(algorithm)
	signature, err := method.Sign(input, secret)
	if err != nil {
		panic(err)
	}
	if b.Signature != nil {
		signature = b.Signature(input, signature)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Decode returns the claims of a JWT that the provider made.
func Decode(jwt string) map[string]any {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal(text, &claims) != nil {
		return nil
	}
	return claims
}
