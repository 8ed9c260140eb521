// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Errors of [Set.Select]; compare with errors.Is.
var (
	// ErrUnknownKeyID means that no key has the token's kid.
	ErrUnknownKeyID = errors.New("no key has the token's kid")
	// ErrAmbiguousKey means that more than one key could have signed the token.
	ErrAmbiguousKey = errors.New("more than one key fits the token")
	// ErrKeyMismatch means that the key with the token's kid is not for its algorithm.
	ErrKeyMismatch = errors.New("the key does not fit the token's algorithm")
)

// Set is an immutable list of keys.
type Set struct{ keys []*Key }

// NewSet makes a set; nil keys are left out.
func NewSet(keys ...*Key) *Set {
	kept := make([]*Key, 0, len(keys))
	for _, k := range keys {
		if k != nil {
			kept = append(kept, k)
		}
	}
	return &Set{kept}
}

// Keys returns the keys in their order; the slice is the caller's.
func (s *Set) Keys() []*Key {
	if s == nil {
		return nil
	}
	return slices.Clone(s.keys)
}

// Len returns the number of keys; a nil set has none.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// Select returns the one key for a token with this alg and kid. With a kid (hasKid),
// the keys with that ID and those without any are asked, and exactly one must fit alg.
// Without, the set must hold exactly one key. Several keys are never tried in turn.
//
// The error wraps [ErrUnknownKeyID], [ErrAmbiguousKey] or [ErrKeyMismatch].
func (s *Set) Select(alg, kid string, hasKid bool) (*Key, error) {
	if !hasKid && s.Len() > 1 {
		return nil, fmt.Errorf("%w: it has no kid and there are %d keys", ErrAmbiguousKey, s.Len())
	}
	var found *Key
	var misfit error
	if s != nil {
		for _, k := range s.keys {
			if hasKid && k.id != "" && k.id != kid {
				continue
			}
			if err := k.Fits(alg); err != nil {
				misfit = err
				continue
			}
			if found != nil {
				return nil, fmt.Errorf("%w: give each key a kid of its own", ErrAmbiguousKey)
			}
			found = k
		}
	}
	switch {
	case found != nil:
		return found, nil
	case misfit != nil:
		return nil, fmt.Errorf("%w: %w", ErrKeyMismatch, misfit)
	default:
		return nil, ErrUnknownKeyID
	}
}

// MarshalJSON writes the set as a JWKS document (RFC 7517 §5). If it holds symmetric
// keys, the document is secret.
func (s *Set) MarshalJSON() ([]byte, error) {
	keys := s.Keys()
	if keys == nil {
		keys = []*Key{}
	}
	return json.Marshal(struct {
		Keys []*Key `json:"keys"`
	}{keys})
}
