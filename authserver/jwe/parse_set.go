// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// ParseSet reads a JWKS document (RFC 7517 §5) of private or symmetric keys, within the bounds
// of [jwk.ParseSet].
//
// A key that cannot decrypt is passed over and told as a Problem, in the order of the
// document; so is a pair of keys that one token could fit both, which is kept. A document
// that is malformed as a whole is an error.
func ParseSet(jwks []byte) ([]*Key, []jwk.Problem, error) {
	texts, err := jwk.SplitSet(jwks)
	if err != nil {
		return nil, nil, fmt.Errorf("reading JWKS: %w", err)
	}
	var keys []*Key
	var problems []jwk.Problem
	places := make([]int, 0, len(texts)) // of keys in the document
	for i, text := range texts {
		key, id, err := parseKey(text)
		if err == nil {
			var repeats bool
			if repeats, err = overlap(key, keys, places); !repeats {
				keys, places = append(keys, key), append(places, i)
			}
		}
		if err != nil {
			problems = append(problems, jwk.Problem{Index: i, KeyID: id, Reason: err.Error()})
		}
	}
	slices.SortStableFunc(problems, func(a, b jwk.Problem) int { return cmp.Compare(a.Index, b.Index) })
	return keys, problems, nil
}

// overlap tells of the first key of others that a token for key could also mean, and whether
// it is the same key.
func overlap(key *Key, others []*Key, places []int) (repeats bool, err error) {
	for i, other := range others {
		switch {
		case key.fits&other.fits == 0 || (key.id != other.id && key.id != "" && other.id != ""):
		case key.Equal(other):
			return true, fmt.Errorf("repeats keys[%d]", places[i])
		default:
			return false, fmt.Errorf("a token that names it also fits keys[%d] and is refused: give each key a kid of its own", places[i])
		}
	}
	return false, nil
}
