// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// Status is how a credential is doing: the condition UpstreamReady.
type Status struct {
	Fetched bool // somebody has asked for its token
	Ready   bool // and the last attempt to get one went well
	Serving bool // there is a token, of whichever attempt

	Reason  string    // one of package assertion's, Ready or NotYetFetched
	Message string    // for a person: the cause and the fix, "" when all is well
	Since   time.Time // since when Reason holds; zero before the first attempt

	// ValidUntil is when the token at hand expires; zero without one.
	ValidUntil time.Time
}

// Status tells how the credential is doing at the time now.
func (c *Credential) Status(now time.Time) Status {
	if c.source == nil {
		return Status{Fetched: true, Reason: c.fault.Reason, Message: c.fault.Message, Since: c.since}
	}
	of := c.source.Status()
	s := Status{Fetched: of.Fetched, Serving: of.Ready(now), Reason: of.Reason(), Since: of.Since}
	if s.Serving {
		s.ValidUntil = of.ValidUntil
	}
	switch {
	case of.Failure != nil:
		s.Message = of.Failure.Message
		if s.Serving {
			s.Message += "; the token at hand serves until " + s.ValidUntil.UTC().Format(time.RFC3339)
		}
	case of.Fetched:
		s.Ready, s.Reason = true, string(keys.ReasonReady)
	}
	return s
}
