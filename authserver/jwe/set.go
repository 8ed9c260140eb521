// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Set is an immutable list of keys.
type Set struct{ keys []*Key }

// NewSet makes a set; nil keys are left out.
func NewSet(keys ...*Key) *Set {
	return &Set{slices.DeleteFunc(slices.Clone(keys), func(k *Key) bool { return k == nil })}
}

// Len returns the number of keys; a nil set has none.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

// Select returns the one key for a token with this alg, enc and kid, by the rule of
// [jwk.Set.Select]: with a kid (hasKid) exactly one of the keys with that ID, or without any,
// must fit; without, the set must hold exactly one key. Several keys are never tried in turn.
//
// The error wraps [jwk.ErrUnknownKeyID], [jwk.ErrAmbiguousKey] or [jwk.ErrKeyMismatch].
func (s *Set) Select(alg, enc, kid string, hasKid bool) (*Key, error) {
	if !hasKid && s.Len() > 1 {
		return nil, fmt.Errorf("%w: it has no kid and there are %d keys", jwk.ErrAmbiguousKey, s.Len())
	}
	var found *Key
	var misfit error
	if s != nil {
		for _, k := range s.keys {
			if hasKid && k.id != "" && k.id != kid {
				continue
			}
			if err := k.Fits(alg, enc); err != nil {
				misfit = err
				continue
			}
			if found != nil {
				return nil, fmt.Errorf("%w: give each key a kid of its own", jwk.ErrAmbiguousKey)
			}
			found = k
		}
	}
	switch {
	case found != nil:
		return found, nil
	case misfit != nil:
		return nil, fmt.Errorf("%w: %w", jwk.ErrKeyMismatch, misfit)
	default:
		return nil, jwk.ErrUnknownKeyID
	}
}
