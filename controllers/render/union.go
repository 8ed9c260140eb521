// SPDX-License-Identifier: Apache-2.0

package render

import (
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// union joins the key sources of one issuer. A key that is there twice is kept once. Keys that one token could fit both are
// kept and told: the server refuses such a token.
type union struct {
	policy   *policyPlan
	findings *findings
	keys     []*jwk.Key
	// taken finds a key by (kid, algorithm of the policy); first any key by the algorithm alone.
	taken map[[2]string]placed
	first map[string]placed
}

// placed is a key and the field that it came from.
type placed struct {
	key   *jwk.Key
	field string
}

// add takes a key. Overlaps inside one JWKS are told by its parser.
func (u *union) add(k *jwk.Key, field string, fromSet bool) {
	rival, overlaps := u.rival(k)
	if overlaps && rival.key.Equal(k) {
		return
	}
	if overlaps && !(fromSet && rival.field == field) {
		u.findings.warn(field, "a token may fit both the %s and the %s of %s, and is refused then: give each key a keyID of its own",
			describe(k), describe(rival.key), rival.field)
	}
	u.keys = append(u.keys, k)
	for _, a := range u.policy.algorithms {
		if k.Fits(a) != nil {
			continue
		}
		p := placed{k, field}
		if _, ok := u.taken[[2]string{k.ID(), a}]; !ok {
			u.taken[[2]string{k.ID(), a}] = p
		}
		if _, ok := u.first[a]; !ok {
			u.first[a] = p
		}
	}
}

// rival is an earlier key that a token for k could fit as well.
func (u *union) rival(k *jwk.Key) (placed, bool) {
	for _, a := range u.policy.algorithms {
		if k.Fits(a) != nil {
			continue
		}
		if p, ok := u.taken[[2]string{k.ID(), a}]; ok {
			return p, true
		}
		if p, ok := u.taken[[2]string{"", a}]; ok {
			return p, true
		}
		if p, ok := u.first[a]; ok && k.ID() == "" {
			return p, true
		}
	}
	return placed{}, false
}
