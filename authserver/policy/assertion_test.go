// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// assertionClaims are those of an assertion that acme's exchanging policy accepts.
var assertionClaims = obj{"iss": acmeIssuer, "sub": "bob", "aud": ownIssuer, "jti": "a-1", "plan": "gold", "email": "bob@acme.example", "roles": []string{"dev", "ops"},
	"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix()}

// exchanging is a policy that takes assertions.
func exchanging(t testing.TB, tenant string, change func(*config.Policy)) config.Policy {
	t.Helper()
	return acmePolicy(t, func(p *config.Policy) {
		p.TenantID, p.Object = tenant, "TenantJWTPolicy/default/"+tenant
		p.Audiences = []string{"https://api.example"} // which no assertion is for
		p.TokenExchange = &config.TokenExchange{Scopes: []string{"read", "write", "admin"}}
		p.Claims.Email.Claims, p.Claims.Groups.Claims = []string{"email"}, []string{"roles"}
		if change != nil {
			change(p)
		}
	})
}

// assertion is one for acme, with changes of header and claims.
func assertion(t testing.TB, header, changes obj) string {
	t.Helper()
	return cast().acme.sign(t, header, assertionClaims.with(changes))
}

// exchange asks for a token, with further headers.
func exchangeFor(t testing.TB, s *Set, a Assertion, headers ...string) Exchange {
	t.Helper()
	f := factsOf(t, "", "", headers...)
	f.Token, f.TenantID = a.Facts.Token, a.Facts.TenantID
	a.Facts = *f
	return s.Exchange(t.Context(), &a, now)
}

// TestAnAssertionIsWorth guards what a good assertion gives, all of it.
func TestAnAssertionIsWorth(t *testing.T) {
	s := setOf(t, Outbound{}, exchanging(t, "acme", func(p *config.Policy) { p.Claims.Username.PrefixWithTenant = true }))
	x := exchangeFor(t, s, Assertion{Raw: assertion(t, nil, obj{"sub": "a/b"})})
	want := Exchange{
		Decision: Decision{Status: http.StatusOK, HasToken: true, Tenant: "acme", Policy: "TenantJWTPolicy/default/acme", Algorithm: "ES256",
			Identity: Identity{User: "acme/a%2Fb", PreferredUsername: "a/b", Email: "bob@acme.example", Groups: "dev,ops", Tenant: "acme", Headers: []claims.Header{{Name: "X-Acme-Plan", Value: "gold"}}}},
		Issued: Issued{Subject: "acme/a%2Fb", Person: claims.Person{Username: "a/b", Email: "bob@acme.example", Groups: []string{"dev", "ops"}}, Scope: "read write admin",
			GrantedBy: s.Policy("acme").grantMark()},
		ID:    sha256.Sum256([]byte("a-1")),
		Until: now.Add(5*time.Minute + 30*time.Second + rememberID),
	}
	if diff := cmp.Diff(want, x); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRulesOfAssertions guards every rule of RFC 7523 §3, of DESIGN §4 and of the policy, by an assertion that differs from a good one in one thing.
func TestRulesOfAssertions(t *testing.T) {
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	long := strings.Repeat("x", 256)
	type row struct {
		header, claims obj
		reason         token.Reason // "" for accepted
	}
	rows := map[string]row{
		"good":                         {},
		"for the token endpoint":       {claims: obj{"aud": ownIssuer + "/oauth2/token"}},
		"for another":                  {claims: obj{"aud": "https://other.example"}, reason: ReasonRecipient},
		"for the policy's audience":    {claims: obj{"aud": "https://api.example"}, reason: ReasonRecipient},
		"for us with a slash":          {claims: obj{"aud": ownIssuer + "/"}, reason: ReasonRecipient},
		"for another endpoint of ours": {claims: obj{"aud": ownIssuer + "/oauth2/revoke"}, reason: ReasonRecipient},
		"for us in another case":       {claims: obj{"aud": "https://AUTH.example"}, reason: ReasonRecipient},
		"for us alone, as a list":      {claims: obj{"aud": []string{ownIssuer}}, reason: ReasonRecipient},
		"for us and another":           {claims: obj{"aud": []string{ownIssuer, "https://other.example"}}, reason: ReasonRecipient},
		"for nobody":                   {claims: obj{"aud": nil}, reason: ReasonRecipient},
		"for an empty string":          {claims: obj{"aud": ""}, reason: ReasonRecipient},
		"aud is a number":              {claims: obj{"aud": 7}, reason: token.ReasonClaimType},
		"no exp":                       {claims: obj{"exp": nil}, reason: token.ReasonExpMissing},
		"exp is a string":              {claims: obj{"exp": "1"}, reason: token.ReasonClaimType},
		"expired":                      {claims: obj{"exp": at(-30 * time.Second)}, reason: token.ReasonExpired},
		"expired within the leeway":    {claims: obj{"exp": at(-29 * time.Second)}},
		"lives an hour":                {claims: obj{"exp": at(time.Hour), "iat": at(0)}},
		"lives an hour and the leeway": {claims: obj{"exp": at(time.Hour + 30*time.Second), "iat": at(0)}},
		"lives longer":                 {claims: obj{"exp": at(time.Hour + 31*time.Second), "iat": nil}, reason: ReasonLifetime},
		"lived longer":                 {claims: obj{"exp": at(time.Minute), "iat": at(-time.Hour)}, reason: ReasonLifetime},
		"iat long ago":                 {claims: obj{"iat": at(-24 * time.Hour)}, reason: ReasonLifetime},
		"iat zero":                     {claims: obj{"iat": 0}, reason: ReasonLifetime},
		"iat in the future":            {claims: obj{"iat": at(31 * time.Second)}, reason: token.ReasonIssuedInFuture},
		"no iat":                       {claims: obj{"iat": nil}},
		"not yet valid":                {claims: obj{"nbf": at(31 * time.Second)}, reason: token.ReasonNotYetValid},
		"valid since a moment":         {claims: obj{"nbf": at(0)}},
		"no sub":                       {claims: obj{"sub": nil, "upn": "bob"}, reason: ReasonSubject},
		"empty sub":                    {claims: obj{"sub": "", "upn": "bob"}, reason: ReasonSubject},
		"sub is a number":              {claims: obj{"sub": 7, "upn": "bob"}, reason: token.ReasonClaimType},
		"sub of 255 bytes":             {claims: obj{"sub": long[1:]}},
		"sub of 256 bytes":             {claims: obj{"sub": long}, reason: ReasonSubject},
		"sub with a line break":        {claims: obj{"sub": "bob\n"}, reason: ReasonSubject},
		"no jti":                       {claims: obj{"jti": nil}, reason: ReasonID},
		"empty jti":                    {claims: obj{"jti": ""}, reason: ReasonID},
		"jti is a number":              {claims: obj{"jti": 7}, reason: token.ReasonClaimType},
		"jti of 256 bytes":             {claims: obj{"jti": long}, reason: ReasonID},
		"no iss":                       {claims: obj{"iss": nil}, reason: claims.ReasonIssuer},
		"another iss":                  {claims: obj{"iss": "https://other.example"}, reason: claims.ReasonIssuer},
		"our own iss":                  {claims: obj{"iss": ownIssuer}, reason: ReasonOwnAssertion},
		"a rule":                       {claims: obj{"plan": "tin"}, reason: claims.ReasonClaimRule},
		"no username":                  {claims: obj{"upn": "", "sub": "bob"}, reason: claims.ReasonUsername},
		"an ID token's typ":            {header: obj{"typ": "JWT"}},
		"no typ":                       {header: obj{"typ": nil}},
		"typ of a grant":               {header: obj{"typ": "authorization-grant+jwt"}},
		"typ of a grant, in full":      {header: obj{"typ": "application/Authorization-Grant+JWT"}},
		"typ of client authentication": {header: obj{"typ": "client-authentication+jwt"}, reason: token.ReasonType},
		"typ of a logout token":        {header: obj{"typ": "logout+jwt"}, reason: token.ReasonType},
		"another alg":                  {header: obj{"alg": "ES384"}, reason: token.ReasonAlgorithm},
		"none":                         {header: obj{"alg": "none"}, reason: token.ReasonAlgorithm},
		"crit":                         {header: obj{"crit": []string{"exp"}}, reason: token.ReasonCritical},
		"another kid":                  {header: obj{"kid": "k2"}, reason: token.ReasonUnknownKey},
		"a client":                     {claims: obj{"client_id": "portal"}},
		"client_id is a number":        {claims: obj{"client_id": 7}, reason: ReasonClientID},
		"client_id is empty":           {claims: obj{"client_id": ""}, reason: ReasonClientID},
		"client_id with a line break":  {claims: obj{"client_id": "a\n"}, reason: ReasonClientID},
		"client_id too long":           {claims: obj{"client_id": long}, reason: ReasonClientID},
		"scope is a list":              {claims: obj{"scope": []string{"read"}}, reason: ReasonScope},
		"scope has two spaces":         {claims: obj{"scope": "read  write"}, reason: ReasonScope},
		"scope has a quote":            {claims: obj{"scope": `"`}, reason: ReasonScope},
	}
	s := setOf(t, Outbound{}, exchanging(t, "acme", func(p *config.Policy) {
		p.Claims.Username.Claims = []string{"upn", "sub"}
		p.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "gold", Message: "of the author"}}
		p.TokenTypes = append(p.TokenTypes, "client-authentication+jwt")
	}))
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			a := Assertion{Raw: assertion(t, r.header, r.claims), Facts: Facts{TenantID: []string{"acme"}}}
			x := exchangeFor(t, s, a)
			checkExchange(t, s, &a, &x, r.reason)
		})
	}
	t.Run("signed by somebody else", func(t *testing.T) {
		a := Assertion{Raw: cast().mallory.sign(t, nil, assertionClaims), Facts: Facts{TenantID: []string{"acme"}}}
		x := exchangeFor(t, s, a)
		checkExchange(t, s, &a, &x, token.ReasonSignature)
		if x.Description != toldNothing {
			t.Errorf("told %q", x.Description)
		}
	})
}

// checkExchange checks what holds of every exchange: what a refusal tells and leaves out, and that its report fits.
func checkExchange(t *testing.T, s *Set, a *Assertion, x *Exchange, reason token.Reason) {
	t.Helper()
	if x.Reason != reason {
		t.Fatalf("%d %s (%s), want %q", x.Status, x.Reason, x.Detail, reason)
	}
	r := s.ExplainAssertion(t.Context(), a, now, nil)
	if r.Status != x.Status || r.Reason != x.Reason || r.Tenant != x.Tenant || r.Policy != x.Policy || r.Headers != nil {
		t.Errorf("explained as %d %s for %s by %s", r.Status, r.Reason, r.Tenant, r.Policy)
	}
	if reason == "" {
		if x.Status != http.StatusOK || x.Issued.Subject == "" || x.Error != "" || x.ID == ([32]byte{}) || r.AccessToken["sub"] != x.Issued.Subject {
			t.Errorf("%+v, explained with %v", x, r.AccessToken)
		}
		checkSilence(t, r, a.Raw)
		return
	}
	checkReport(t, r, a.Raw)
	if x.Status != http.StatusBadRequest || x.Error == "" || x.Description == "" || x.Issued.Subject != "" || x.ID != ([32]byte{}) || x.Identity.User != "" || r.AccessToken != nil {
		t.Errorf("%+v, explained with %v", x, r.AccessToken)
	}
	if strings.ContainsAny(x.Description, "\"\\\n") || strings.Contains(x.Description, "of the author") {
		t.Errorf("the description has what RFC 6749 §5.2 forbids, or the policy's own words: %s", x.Description)
	}
}

// TestUsedIsExplained guards that a report looks whether an assertion was used, and for which tenant, and uses nothing up.
func TestUsedIsExplained(t *testing.T) {
	s := setOf(t, Outbound{}, exchanging(t, "acme", nil))
	a := &Assertion{Raw: assertion(t, nil, nil)}
	for name, c := range map[string]struct {
		was    bool
		err    error
		status int
		reason token.Reason
	}{
		"unused":     {status: 200},
		"used":       {was: true, status: 400, reason: ReasonReplayed},
		"store away": {err: errors.New("hush"), status: 503, reason: ReasonUsesUnavailable},
	} {
		r := s.ExplainAssertion(t.Context(), a, now, func(_ context.Context, tenant string, id [sha256.Size]byte) (bool, error) {
			if tenant != "acme" || id != sha256.Sum256([]byte("a-1")) {
				t.Errorf("asked for %s", tenant)
			}
			return c.was, c.err
		})
		last := r.Checks[len(r.Checks)-1]
		if r.Status != c.status || r.Reason != c.reason || last.Name != "unused" || (last.Outcome == OutcomePassed) != (c.status == 200) || (r.AccessToken != nil) != (c.status == 200) {
			t.Errorf("%s: %s", name, marshal(t, r))
		}
		checkSilence(t, r, a.Raw)
	}
	r := s.ExplainAssertion(t.Context(), a, now, nil)
	if last := r.Checks[len(r.Checks)-1]; r.Status != 200 || last.Outcome != OutcomeSkipped {
		t.Errorf("without a store: %s", marshal(t, r))
	}
}

// TestExampleOfRFC7523 guards the claims of RFC 7523 §4, to which this server adds that jti is required.
func TestExampleOfRFC7523(t *testing.T) {
	policy := exchanging(t, "acme", func(p *config.Policy) { p.Issuers[0].Issuer = "https://jwt-idp.example.com" })
	own := ownOf(t)
	own.Issuer = "https://jwt-rp.example.net"
	s, err := NewSet(own, shard(t, nil, Outbound{}, policy))
	if err != nil {
		t.Fatal(err)
	}
	example := obj{"iss": "https://jwt-idp.example.com", "sub": "mailto:mike@example.com", "aud": "https://jwt-rp.example.net", "nbf": 1300815780, "exp": 1300819380,
		"http://claims.example.com/member": true}
	at := time.Unix(1300815800, 0)
	for name, c := range map[string]struct {
		claims obj
		at     time.Time
		reason token.Reason
	}{
		"as it stands": {example, at, ReasonID},
		"with jti":     {example.with(obj{"jti": "1"}), at, ""},
		"before nbf":   {example.with(obj{"jti": "1"}), at.Add(-time.Minute), token.ReasonNotYetValid},
		"after exp":    {example.with(obj{"jti": "1"}), at.Add(2 * time.Hour), token.ReasonExpired},
	} {
		x := s.Exchange(t.Context(), &Assertion{Raw: cast().acme.sign(t, obj{"typ": nil}, c.claims)}, c.at)
		if x.Reason != c.reason || c.reason == "" && x.Issued.Subject != "mailto:mike@example.com" {
			t.Errorf("%s: %d %s, %s", name, x.Status, x.Reason, x.Issued.Subject)
		}
	}
}
