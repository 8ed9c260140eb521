// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// CheckAudience demands that aud holds at least one of the audiences (MatchAny, RFC 7519 §4.1.3), compared exactly. It
// refuses every token if there are none: a caller for whom none means "not checked" does not call it.
func CheckAudience(c *token.Claims, audiences []string) error {
	for _, have := range c.Audience {
		if slices.Contains(audiences, have) {
			return nil
		}
	}
	return refuse(ReasonAudience, "aud holds none of the audiences that are asked for")
}

// CheckAge demands an iat (RFC 7519 §4.1.6) that is at most maxAge + leeway ago. That it does not lie in the future is
// package token's check.
func CheckAge(c *token.Claims, maxAge, leeway time.Duration, now time.Time) error {
	if _, ok := c.Lookup("iat"); !ok {
		return refuse(ReasonTooOld, "iat is absent, and maxTokenAge asks for it")
	}
	if age := now.Sub(c.IssuedAt); age-leeway > maxAge {
		return refuse(ReasonTooOld, "iat is "+c.IssuedAt.UTC().Format(time.RFC3339)+", longer ago than maxTokenAge "+maxAge.String())
	}
	return nil
}

// CheckNonce demands that nonce is the given one, the policy's requiredNonce.
func CheckNonce(c *token.Claims, nonce string) error {
	if _, ok := c.Lookup("nonce"); !ok || c.Nonce != nonce {
		return refuse(ReasonNonce, "nonce is not the policy's requiredNonce")
	}
	return nil
}

// CheckDirectory demands that tid, a GUID that Entra ID writes in lower case, is exactly the given directory.
func CheckDirectory(c *token.Claims, directory string) error {
	value, _ := c.Lookup("tid")
	if tid, ok := value.Text(); !ok || tid != directory {
		return refuse(ReasonDirectory, "tid is not the Entra ID directory of the token's issuer")
	}
	return nil
}
