// SPDX-License-Identifier: Apache-2.0

package render

import (
	"encoding/json"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// use is what a token can ask of a key: a signature's algorithm, or a key management algorithm with a content algorithm.
type use struct{ algorithm, content string }

// anyKey is a key that verifies or one that decrypts.
type anyKey[K any] interface {
	ID() string
	Equal(K) bool
	MarshalJSON() ([]byte, error)
}

// union joins key sources from which one set is made. A key that is there twice is kept once. Keys that one token could fit both are
// kept and told: the server refuses such a token.
type union[K anyKey[K]] struct {
	findings *findings
	// uses are what tokens of the policy may ask; fits and describe know the kind of key.
	uses     []use
	fits     func(K, use) bool
	describe func(K) string

	keys []K
	// taken finds a key by its ID and a use; first any key by the use alone.
	taken map[identified]placed[K]
	first map[use]placed[K]
}

// identified is a key ID and a use of the key.
type identified struct {
	id string
	use
}

// placed is a key and the field that it came from.
type placed[K any] struct {
	key   K
	field string
}

// add takes a key. Overlaps inside one JWKS are told by its parser.
func (u *union[K]) add(k K, field string, fromSet bool) {
	rival, overlaps := u.rival(k)
	if overlaps && rival.key.Equal(k) {
		return
	}
	if overlaps && !(fromSet && rival.field == field) {
		u.findings.warn(field, "a token may fit both the %s and the %s of %s, and is refused then: give each key a keyID of its own",
			u.describe(k), u.describe(rival.key), rival.field)
	}
	if u.taken == nil {
		u.taken, u.first = map[identified]placed[K]{}, map[use]placed[K]{}
	}
	u.keys = append(u.keys, k)
	for _, a := range u.uses {
		if !u.fits(k, a) {
			continue
		}
		p := placed[K]{k, field}
		if _, ok := u.taken[identified{k.ID(), a}]; !ok {
			u.taken[identified{k.ID(), a}] = p
		}
		if _, ok := u.first[a]; !ok {
			u.first[a] = p
		}
	}
}

// rival is an earlier key that a token for k could fit as well.
func (u *union[K]) rival(k K) (placed[K], bool) {
	for _, a := range u.uses {
		if !u.fits(k, a) {
			continue
		}
		if p, ok := u.taken[identified{k.ID(), a}]; ok {
			return p, true
		}
		if p, ok := u.taken[identified{"", a}]; ok {
			return p, true
		}
		if p, ok := u.first[a]; ok && k.ID() == "" {
			return p, true
		}
	}
	return placed[K]{}, false
}

// jwks returns one JWK for each key. field is where the keys came from.
func (u *union[K]) jwks(field string) []json.RawMessage {
	var out []json.RawMessage
	for _, k := range u.keys {
		text, err := k.MarshalJSON()
		if err != nil { // cannot happen for a key that was accepted
			u.findings.refuseRef(v1alpha1.ReasonRefInvalid, field, "a %s cannot be written as a JWK", u.describe(k))
			continue
		}
		out = append(out, text)
	}
	return out
}
