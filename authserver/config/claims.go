// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
)

// ClaimRules are what a policy makes of the claims of a token that is otherwise in order.
type ClaimRules struct {
	Username Username `json:"username"`
	Email    Source   `json:"email,omitzero"`
	// EmailVerified is the claim that must be true for Email to count; empty asks for none.
	EmailVerified string          `json:"emailVerified,omitempty"`
	Groups        Source          `json:"groups,omitzero"`
	Headers       []HeaderMapping `json:"headers,omitempty"`
	Rules         []ClaimRule     `json:"rules,omitempty"`
}

// Source is where a value comes from; the zero value gives none. At most one of its fields is set.
type Source struct {
	// Claims are top-level member names; the first that is present counts.
	Claims []string `json:"claims,omitempty"`
	// Joined are top-level member names whose strings are joined with slashes that Gatehouse adds; all are required.
	Joined []string `json:"joined,omitempty"`
	// Expression is CEL over claims.
	Expression string `json:"expression,omitempty"`
}

// Username is where the user's name comes from.
type Username struct {
	Source
	PrefixWithTenant bool `json:"prefixWithTenant,omitempty"`
}

// HeaderMapping is a further header of the answer.
type HeaderMapping struct {
	// Name is in canonical form (net/http.CanonicalHeaderKey).
	Name string `json:"name"`
	Source
}

// ClaimRule must hold. Either Claim or Expression is set.
type ClaimRule struct {
	Claim         string `json:"claim,omitempty"`
	RequiredValue string `json:"requiredValue,omitempty"`
	Expression    string `json:"expression,omitempty"`
	Message       string `json:"message,omitempty"`
}

// Zero tells whether the source gives no value.
func (s *Source) Zero() bool { return len(s.Claims) == 0 && len(s.Joined) == 0 && s.Expression == "" }

func (s *Source) validate() error {
	given := 0
	for _, is := range []bool{len(s.Claims) > 0, len(s.Joined) > 0, s.Expression != ""} {
		if is {
			given++
		}
	}
	if given > 1 {
		return errors.New("more than one of claims, joined and expression")
	}
	return nil
}

func (c *ClaimRules) validate() error {
	if c.Username.Zero() {
		return errors.New("claims.username is required")
	}
	for _, row := range []struct {
		name   string
		source *Source
	}{{"username", &c.Username.Source}, {"email", &c.Email}, {"groups", &c.Groups}} {
		if err := row.source.validate(); err != nil {
			return fmt.Errorf("claims.%s: %w", row.name, err)
		}
	}
	for i := range c.Headers {
		h := &c.Headers[i]
		if h.Name == "" || h.Zero() {
			return fmt.Errorf("claims.headers[%d]: name and a source are required", i)
		}
		if err := h.validate(); err != nil {
			return fmt.Errorf("claims.headers[%d]: %w", i, err)
		}
	}
	for i := range c.Rules {
		if r := &c.Rules[i]; (r.Claim == "") == (r.Expression == "") {
			return fmt.Errorf("claims.rules[%d]: want either claim or expression", i)
		}
	}
	return nil
}
