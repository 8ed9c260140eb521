// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"cmp"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// ErrNoKey says that the server has no signing key.
var ErrNoKey = errors.New("the server has no signing key")

// A Signer signs with the keys of one keys.json. It is immutable and safe for concurrent use.
type Signer struct {
	keys []signingKey // by activeFrom, then key ID
	jwks []byte
}

type signingKey struct {
	id, algorithm string
	activeFrom    time.Time
	method        jwt.SigningMethod
	private       crypto.Signer
	public        *jwk.Key
}

// NewSigner parses every key; the error names the first one that is unusable by its place, and holds nothing of it: it is
// told at /configz. No keys, or nil, make a Signer
// that publishes an empty key set and signs nothing.
func NewSigner(keys *config.Keys) (*Signer, error) {
	s := &Signer{}
	if keys == nil {
		keys = &config.Keys{}
	}
	for i := range keys.Keys {
		k := &keys.Keys[i]
		private, public, err := parse(k)
		if err != nil {
			return nil, fmt.Errorf("reading keys[%d]: %w", i, err)
		}
		alg, _ := jwk.Algorithm(k.Algorithm) // parse has looked it up
		s.keys = append(s.keys, signingKey{
			id: k.KeyID, algorithm: k.Algorithm, activeFrom: k.ActiveFrom, method: alg.Method, private: private, public: public,
		})
	}
	slices.SortFunc(s.keys, func(a, b signingKey) int {
		return cmp.Or(a.activeFrom.Compare(b.activeFrom), cmp.Compare(a.id, b.id))
	})
	var err error
	s.jwks, err = s.publish()
	return s, err
}

// publish encodes the JWKS: kid, use and alg are set on every key, private parts on none, oldest first.
func (s *Signer) publish() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range s.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: k.algorithm, Use: "sig"})
	}
	document, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encoding the key set: %w", err)
	}
	return document, nil
}

// JWKS returns the document for /.well-known/jwks.json. The caller must not change it.
func (s *Signer) JWKS() []byte { return s.jwks }

// Keys returns the public keys, oldest first: what verifies this server's own tokens.
func (s *Signer) Keys() []*jwk.Key {
	keys := make([]*jwk.Key, len(s.keys))
	for i := range s.keys {
		keys[i] = s.keys[i].public
	}
	return keys
}

// Algorithms returns the algorithms of all keys, sorted, each once.
func (s *Signer) Algorithms() []string {
	names := make([]string, len(s.keys))
	for i := range s.keys {
		names[i] = s.keys[i].algorithm
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// at returns the key that signs at now: the latest whose time has come. If none has, the first one signs: clocks
// disagree, and no older key is left.
func (s *Signer) at(now time.Time) (*signingKey, error) {
	if len(s.keys) == 0 {
		return nil, ErrNoKey
	}
	for i := len(s.keys) - 1; i > 0; i-- {
		if !s.keys[i].activeFrom.After(now) {
			return &s.keys[i], nil
		}
	}
	return &s.keys[0], nil
}
