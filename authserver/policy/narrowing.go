// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// narrowing are the x-jwt-* headers with which a caller demands more than the policy does. They never replace what the
// policy demands. No field is empty when it is sent.
type narrowing struct {
	issuer, clientID, nonce          string
	hasIssuer, hasClientID, hasNonce bool
}

// narrowing reads them. The headers have been checked.
func (f *Facts) narrowing() (n narrowing) {
	n.issuer, n.hasIssuer = only(f.Issuer)
	n.clientID, n.hasClientID = only(f.ClientID)
	n.nonce, n.hasNonce = only(f.Nonce)
	return n
}

// any tells whether one of them was sent.
func (n *narrowing) any() bool { return n.hasIssuer || n.hasClientID || n.hasNonce }

// check compares what was sent with a verified token. p is the policy that applies, nil for none: if it has audiences, the
// client ID must be one of them too, and if it has a requiredNonce, the nonce must be it.
func (n *narrowing) check(c *token.Claims, p *Policy) error {
	if n.hasIssuer && n.issuer != c.Issuer {
		return refuse(ReasonNarrowIssuer, "iss is not the value of x-jwt-issuer")
	}
	if n.hasClientID {
		if p != nil && len(p.audiences) > 0 && !slices.Contains(p.audiences, n.clientID) {
			return refuse(ReasonNarrowClientID, "x-jwt-client-id is not one of the policy's audiences")
		}
		if !slices.Contains(c.Audience, n.clientID) {
			return refuse(ReasonNarrowClientID, "aud does not hold the value of x-jwt-client-id")
		}
	}
	if n.hasNonce {
		if p != nil && p.nonce != "" && n.nonce != p.nonce {
			return refuse(ReasonNarrowNonce, "x-jwt-nonce is not the policy's requiredNonce")
		}
		if n.nonce != c.Nonce {
			return refuse(ReasonNarrowNonce, "nonce is not the value of x-jwt-nonce")
		}
	}
	return nil
}
