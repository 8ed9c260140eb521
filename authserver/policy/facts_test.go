// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// TestFacts guards what a request's headers and route must be before a token is looked at, and that all of them agree.
// Every request here carries a token that acme accepts.
func TestFacts(t *testing.T) {
	good := cast().acme.sign(t, nil, acmeClaims)
	other := cast().acme.sign(t, nil, acmeClaims.with(obj{"sub": "eve"}))
	globex := acmePolicy(t, func(p *config.Policy) { p.TenantID, p.Object = "globex", "TenantJWTPolicy/default/globex" })
	s := setOf(t, Outbound{}, acmePolicy(t, nil), globex)
	acme := []string{"acme"}
	tests := map[string]struct {
		facts  Facts
		reason token.Reason
	}{
		"x-jwt-token":                  {facts: Facts{Token: []string{good}, TenantID: acme}},
		"Bearer":                       {facts: Facts{Authorization: []string{"Bearer " + good}, TenantID: acme}},
		"bearer in any case":           {facts: Facts{Authorization: []string{"bEaReR  " + good}, TenantID: acme}},
		"both alike":                   {facts: Facts{Token: []string{good}, Authorization: []string{"Bearer " + good}, TenantID: acme}},
		"another scheme beside":        {facts: Facts{Token: []string{good}, Authorization: []string{"Basic eDp5"}, TenantID: acme}},
		"a scheme that begins alike":   {facts: Facts{Authorization: []string{"Bearerx " + good}, TenantID: acme}, reason: ReasonNoToken},
		"no token":                     {facts: Facts{TenantID: acme}, reason: ReasonNoToken},
		"two different":                {facts: Facts{Token: []string{good}, Authorization: []string{"Bearer " + other}, TenantID: acme}, reason: ReasonTokensDiffer},
		"one of them empty":            {facts: Facts{Token: []string{good}, Authorization: []string{"Bearer "}, TenantID: acme}, reason: ReasonTokensDiffer},
		"Bearer without a token":       {facts: Facts{Authorization: []string{"Bearer"}, TenantID: acme}, reason: ReasonEmptyHeader},
		"x-jwt-token twice":            {facts: Facts{Token: []string{good, good}, TenantID: acme}, reason: ReasonDuplicateHeader},
		"authorization twice":          {facts: Facts{Authorization: []string{"Bearer " + good, "Bearer " + good}, TenantID: acme}, reason: ReasonDuplicateHeader},
		"authorization twice, another": {facts: Facts{Token: []string{good}, Authorization: []string{"Basic eDp5", "Bearer " + other}, TenantID: acme}, reason: ReasonDuplicateHeader},
		"x-jwt-token empty":            {facts: Facts{Token: []string{""}, Authorization: []string{"Bearer " + good}, TenantID: acme}, reason: ReasonEmptyHeader},
		"x-jwt-tenant-id empty":        {facts: Facts{Token: []string{good}, TenantID: []string{""}, Route: "acme", ByRoute: true}, reason: ReasonEmptyHeader},
		"x-jwt-tenant-id twice":        {facts: Facts{Token: []string{good}, TenantID: []string{"acme", "acme"}}, reason: ReasonDuplicateHeader},
		"x-jwt-issuer empty":           {facts: Facts{Token: []string{good}, TenantID: acme, Issuer: []string{""}}, reason: ReasonEmptyHeader},
		"x-jwt-issuer twice":           {facts: Facts{Token: []string{good}, TenantID: acme, Issuer: []string{acmeIssuer, acmeIssuer}}, reason: ReasonDuplicateHeader},
		"x-jwt-client-id twice":        {facts: Facts{Token: []string{good}, TenantID: acme, ClientID: []string{"a", "a"}}, reason: ReasonDuplicateHeader},
		"x-jwt-nonce empty":            {facts: Facts{Token: []string{good}, TenantID: acme, Nonce: []string{""}}, reason: ReasonEmptyHeader},
		"the route":                    {facts: Facts{Token: []string{good}, Route: "acme", ByRoute: true}},
		"route and header":             {facts: Facts{Token: []string{good}, Route: "acme", ByRoute: true, TenantID: acme}},
		"the header names another":     {facts: Facts{Token: []string{good}, Route: "acme", ByRoute: true, TenantID: []string{"globex"}}, reason: ReasonTenantsDiffer},
		"a header that is no name":     {facts: Facts{Token: []string{good}, TenantID: []string{"acme/x"}}, reason: ReasonInvalidTenant},
		"a route that is no name":      {facts: Facts{Token: []string{good}, Route: "acme%2F", ByRoute: true}, reason: ReasonInvalidTenant},
		"an empty route":               {facts: Facts{Token: []string{good}, Route: "", ByRoute: true, TenantID: acme}, reason: ReasonInvalidTenant},
		"a tenant nobody has":          {facts: Facts{Token: []string{good}, TenantID: []string{"initech"}}, reason: ReasonUnknownTenant},
		"no tenant and no default":     {facts: Facts{Token: []string{good}}, reason: ReasonNoTenant},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { checkAsked(t, s, &test.facts, test.reason) })
	}
}

// TestNarrowing guards that each x-jwt-* header only narrows: it must agree with the token, and with the policy where that
// says something.
func TestNarrowing(t *testing.T) {
	const api = "https://api.example"
	open := setOf(t, Outbound{}, acmePolicy(t, nil))
	strict := setOf(t, Outbound{}, acmePolicy(t, func(p *config.Policy) {
		p.Audiences, p.RequiredNonce = []string{api, "https://spare.example"}, "n-1"
	}))
	two := acmeClaims.with(obj{"aud": []string{api, "https://other.example"}})
	tests := map[string]struct {
		set     *Set
		claims  obj
		headers []string
		reason  token.Reason
	}{
		"all agree":                             {strict, two, []string{"x-jwt-issuer: " + acmeIssuer, "x-jwt-client-id: " + api, "x-jwt-nonce: n-1"}, ""},
		"another issuer":                        {open, two, []string{"x-jwt-issuer: " + acmeIssuer + "/"}, ReasonNarrowIssuer},
		"client ID, nothing in the policy":      {open, two, []string{"x-jwt-client-id: https://other.example"}, ""},
		"client ID, not in aud":                 {open, two, []string{"x-jwt-client-id: https://x.example"}, ReasonNarrowClientID},
		"client ID, in aud and not the policy":  {strict, two, []string{"x-jwt-client-id: https://other.example"}, ReasonNarrowClientID},
		"client ID, in the policy and not aud":  {strict, two, []string{"x-jwt-client-id: https://spare.example"}, ReasonNarrowClientID},
		"client ID, no aud":                     {open, acmeClaims.with(obj{"aud": nil}), []string{"x-jwt-client-id: " + api}, ReasonNarrowClientID},
		"nonce, nothing in the policy":          {open, two, []string{"x-jwt-nonce: n-1"}, ""},
		"nonce, another":                        {open, two, []string{"x-jwt-nonce: n-2"}, ReasonNarrowNonce},
		"nonce, none in the token":              {open, acmeClaims.with(obj{"nonce": nil}), []string{"x-jwt-nonce: n-1"}, ReasonNarrowNonce},
		"nonce, not the policy's":               {strict, two, []string{"x-jwt-nonce: n-2"}, ReasonNarrowNonce},
		"the policy's nonce is asked before it": {strict, acmeClaims.with(obj{"nonce": "n-2"}), []string{"x-jwt-nonce: n-2"}, claims.ReasonNonce},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			checkAsked(t, test.set, factsOf(t, "acme", cast().acme.sign(t, nil, test.claims), test.headers...), test.reason)
		})
	}
}

// checkAsked demands 200 without a reason, else 401 and that reason.
func checkAsked(t *testing.T, s *Set, f *Facts, reason token.Reason) {
	t.Helper()
	want := http.StatusUnauthorized
	if reason == "" {
		want = http.StatusOK
	}
	if d := s.Decide(t.Context(), f, now); d.Status != want || d.Reason != reason {
		t.Errorf("%d %s %s, want %d %s", d.Status, d.Reason, d.Detail, want, reason)
	}
}
