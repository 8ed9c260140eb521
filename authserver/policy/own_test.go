// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestOrganization guards that the organization of an own token is a name that a tenant could have: it becomes the
// tenant, and part of headers.
func TestOrganization(t *testing.T) {
	s := setOf(t, Outbound{})
	sign := func(organization any) string {
		return cast().own.sign(t, ownHeader, ownClaims.with(obj{"organization": organization}))
	}
	if d := ask(t, s, "", sign("engineering")); d.Status != http.StatusOK || d.Identity.Tenant != "engineering" {
		t.Errorf("a name: %d %s", d.Status, d.Reason)
	}
	for _, organization := range []any{nil, "", "a/b", "../acme", "acme%2f", "-", "acme ", "\u0430cme", 5, true, []string{"acme"}} {
		if d := ask(t, s, "", sign(organization)); d.Status != http.StatusUnauthorized || d.Reason != ReasonOrganization {
			t.Errorf("%#v: %d %s", organization, d.Status, d.Reason)
		}
	}
}

// TestExchangedTokensNeedTheirPolicy guards that a token that was given for an assertion is worth nothing without the policy that took that: nobody of the
// directory stands behind it, and a tenant's name may be another's by now. What was remembered of it ends as well.
func TestExchangedTokensNeedTheirPolicy(t *testing.T) {
	taker := acmePolicy(t, func(p *config.Policy) { p.AcceptIssuedTokens = true })
	deaf := acmePolicy(t, nil)
	others := acmePolicy(t, func(p *config.Policy) {
		p.AcceptIssuedTokens, p.Object = true, "TenantJWTPolicy/other/acme"
	})
	mark := setOf(t, Outbound{}, taker).Policy("acme").grantMark()
	sign := func(changes obj) string {
		return cast().own.sign(t, ownHeader, ownClaims.with(obj{"organization": "acme"}).with(changes))
	}
	const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	exchanged := sign(obj{claims.ClaimGrantType: grant, claims.ClaimGrantedBy: mark})
	loggedIn := sign(nil)
	everybody := callersOf(t, "true")
	decisions := newDecisions()
	for _, row := range []struct {
		name     string
		policies []config.Policy
		raw      string
		reason   token.Reason
	}{
		{"its policy", []config.Policy{taker}, exchanged, ""},
		{"no policy", nil, exchanged, ReasonGrantGone},
		{"no policy, and a login", nil, loggedIn, ""},
		{"a policy that takes none", []config.Policy{deaf}, exchanged, ReasonOwnNotAccepted},
		{"another's policy", []config.Policy{others}, exchanged, ReasonGrantGone},
		{"another's policy, and a login", []config.Policy{others}, loggedIn, ""},
		{"its policy again", []config.Policy{taker}, exchanged, ""},
		{"of no known policy", []config.Policy{taker}, sign(obj{claims.ClaimGrantType: grant}), ReasonGrantGone},
		{"of a policy that is no text", []config.Policy{taker}, sign(obj{claims.ClaimGrantType: grant, claims.ClaimGrantedBy: []string{mark}}), ReasonGrantGone},
		{"a grant that is no text", nil, sign(obj{claims.ClaimGrantType: false}), ReasonGrantGone},
	} {
		s := setOf(t, Outbound{Decisions: decisions}, row.policies...)
		for _, named := range []string{"", "acme"} {
			f := factsOf(t, named, row.raw)
			d, admitted := admit(t, s, everybody, f)
			if d.Reason != row.reason || admitted != (row.reason == "") || row.reason != "" && d.Status != http.StatusUnauthorized {
				t.Errorf("%s, tenant %q: %d %s, admitted %v", row.name, named, d.Status, d.Reason, admitted)
			}
			if d = s.Decide(t.Context(), f, now); d.Reason != row.reason {
				t.Errorf("%s, tenant %q: decided %d %s", row.name, named, d.Status, d.Reason)
			}
			if r := s.Explain(t.Context(), f, now); r.Reason != row.reason {
				t.Errorf("%s, tenant %q: explained as %s", row.name, named, r.Reason)
			}
		}
		if got, want := s.Granted("acme", mark), row.policies != nil && row.policies[0].Object == taker.Object; got != want {
			t.Errorf("%s: granted %v", row.name, got)
		}
	}
}
