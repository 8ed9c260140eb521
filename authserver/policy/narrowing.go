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

// check compares what was sent with a verified token. audiences are the policy's: if it has any, the client ID must be
// one of them too.
func (n *narrowing) check(c *token.Claims, audiences []string) error {
	if n.hasIssuer && n.issuer != c.Issuer {
		return refuse(ReasonNarrowIssuer, "iss is not the value of x-jwt-issuer")
	}
	if n.hasClientID {
		if len(audiences) > 0 && !slices.Contains(audiences, n.clientID) {
			return refuse(ReasonNarrowClientID, "x-jwt-client-id is not one of the policy's audiences")
		}
		if !slices.Contains(c.Audience, n.clientID) {
			return refuse(ReasonNarrowClientID, "aud does not hold the value of x-jwt-client-id")
		}
	}
	if n.hasNonce && n.nonce != c.Nonce {
		return refuse(ReasonNarrowNonce, "nonce is not the value of x-jwt-nonce")
	}
	return nil
}

// checkAudience demands that aud holds at least one of the audiences (MatchAny).
func checkAudience(c *token.Claims, audiences []string) error {
	for _, have := range c.Audience {
		if slices.Contains(audiences, have) {
			return nil
		}
	}
	return refuse(ReasonAudience, "aud holds none of the audiences that are asked for")
}
