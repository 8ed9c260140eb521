// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
)

// checkAssertion applies RFC 7523 §3 to an assertion that the policy accepts as a token, and finds what it is worth.
func (j *judgement) checkAssertion() error {
	c := j.claims
	if c.Issuer == "" {
		return refuse(ReasonIssuerMissing, "iss is required of an assertion")
	}
	if err := j.checkRecipient(); err != nil {
		return err
	}
	if err := j.checkLifetime(); err != nil {
		return err
	}
	switch {
	case c.Subject == "" || len(c.Subject) > maxClaim || strings.ContainsFunc(c.Subject, isControl):
		return refuse(ReasonSubject, "sub is required: 1 to 255 bytes without control characters")
	case c.ID == "" || len(c.ID) > maxClaim:
		return refuse(ReasonID, "jti is required: 1 to 255 bytes")
	}
	return j.findIssued()
}

// checkRecipient demands that the assertion is for this server alone: aud is one string, and no list, of its issuer or its token endpoint.
func (j *judgement) checkRecipient() error {
	value, _ := j.claims.Lookup("aud")
	aud, ok := value.Text()
	if !ok || !slices.Contains(j.set.recipients(), aud) {
		return refuse(ReasonRecipient, "aud is not one string that is this server's externalURL or its token endpoint")
	}
	return nil
}

// recipients are what aud of an assertion may be.
func (s *Set) recipients() []string {
	return []string{s.own.issuer, strings.TrimSuffix(s.own.issuer, "/") + PathToken}
}

// checkLifetime bounds how long the assertion lives from now on and, where it says when it was made, in all.
func (j *judgement) checkLifetime() error {
	c, most := j.claims, MaxLifetime+j.leeway
	if c.Expiry.After(j.now.Add(most)) {
		return refuse(ReasonLifetime, "exp is "+stamp(c.Expiry)+", more than "+MaxLifetime.String()+" ahead")
	}
	if _, has := c.Lookup("iat"); has && c.Expiry.Sub(c.IssuedAt) > most {
		return refuse(ReasonLifetime, "exp is "+stamp(c.Expiry)+", more than "+MaxLifetime.String()+" after iat "+stamp(c.IssuedAt))
	}
	return nil
}

// findIssued finds what the access token says.
func (j *judgement) findIssued() error {
	clientID, err := j.clientID()
	if err != nil {
		return err
	}
	scope, err := j.grantScope()
	if err != nil {
		return err
	}
	// What evaluating may cost is counted anew: the identity's mappings have spent of it what these will.
	person, ok := j.policy.claims.Person(claims.Of(j.claims))
	if !ok {
		return refuse(claims.ReasonUsername, "there is no username") // cannot happen: the identity has one
	}
	j.issued = &Issued{Subject: j.decision.Identity.User, Person: person, ClientID: clientID, Scope: scope, GrantedBy: j.policy.grantMark()}
	return nil
}

// clientID is who asks by the assertion, if that says so, and the request must not say otherwise. A parameter alone names nobody: no client is authenticated here.
func (j *judgement) clientID() (string, error) {
	asked := j.assertion.ClientID
	value, has := j.claims.Lookup("client_id")
	if !has {
		return "", nil
	}
	claimed, ok := value.Text()
	switch {
	case !ok || claimed == "" || len(claimed) > maxClaim || strings.ContainsFunc(claimed, notVisible):
		return "", refuse(ReasonClientID, "the claim client_id is not a client's ID (RFC 6749 appendix A.1)")
	case asked != "" && asked != claimed:
		return "", refuse(ReasonClientID, "the parameter client_id is not the assertion's claim of that name")
	}
	return claimed, nil
}

// grantScope is what is asked for, as far as the policy and, where it names scopes, the assertion allow it; where nothing is asked for, all of that
// (RFC 7521 §4.1).
func (j *judgement) grantScope() (string, error) {
	allowed := j.policy.exchange.scopes
	if value, has := j.claims.Lookup("scope"); has {
		text, isText := value.Text()
		claimed, ok := parseScope(text)
		if !isText || !ok {
			return "", refuse(ReasonScope, "the claim scope is no list of scopes with one space between them (RFC 8693 section 4.2)")
		}
		allowed = intersect(claimed, allowed)
	}
	asked, _ := parseScope(j.assertion.Scope)
	if len(asked) == 0 {
		return strings.Join(allowed, " "), nil
	}
	granted := intersect(asked, allowed)
	if len(granted) == 0 {
		return "", refuse(ReasonScopeNotGranted, "none of the scopes that are asked for is one of the policy's and, where it names some, of the assertion's")
	}
	return strings.Join(granted, " "), nil
}

// parseScope reads a list of scopes (RFC 6749 §3.3), each once; the empty text is the empty list.
func parseScope(text string) (list []string, ok bool) {
	if text == "" {
		return nil, true
	}
	for scope := range strings.SplitSeq(text, " ") {
		if scope == "" || strings.ContainsFunc(scope, notScope) {
			return nil, false
		}
		if !slices.Contains(list, scope) {
			list = append(list, scope)
		}
		if len(list) > maxScopes {
			return nil, false
		}
	}
	return list, true
}

// maxScopes bounds a list of scopes that somebody sends, in number.
const maxScopes = 128

// intersect keeps those of list that are in allowed.
func intersect(list, allowed []string) []string {
	kept := make([]string, 0, len(list))
	for _, s := range list {
		if slices.Contains(allowed, s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// notScope tells characters that no scope has: what is not %x21, %x23-5B or %x5D-7E.
func notScope(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }

// notVisible tells characters that no client_id has: what is not %x20-7E.
func notVisible(r rune) bool { return r < ' ' || r > '~' }

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
