// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

func callersOf(t testing.TB, expression string, of ...string) *Callers {
	t.Helper()
	c, err := NewCallers(expression, of...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// admit asks until it is told from memory, or three times.
func admit(t testing.TB, s *Set, c *Callers, f *Facts) (d Decision, admitted bool) {
	t.Helper()
	for range 3 {
		if d, admitted = s.Admit(t.Context(), f, now, c); d.Cached {
			break
		}
	}
	return d, admitted
}

// TestAdmit guards who is admitted: only whom the policy lets in, and of those only whom the expression holds for.
func TestAdmit(t *testing.T) {
	grouped := acmePolicy(t, func(p *config.Policy) {
		p.Claims.Groups = config.Source{Claims: []string{"groups"}}
		p.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "gold"}}
		p.AcceptIssuedTokens = true
	})
	s := setOf(t, Outbound{Decisions: newDecisions()}, grouped)
	acme, own := cast().acme, cast().own
	ci := acme.sign(t, nil, acmeClaims.with(obj{"groups": []string{"ci"}}))
	const expression = "tenant == 'acme' && 'ci' in groups && username != 'root' && claims.plan == 'gold'"
	for _, row := range []struct {
		name, expression, tenant, raw string
		status                        int
		admitted                      bool
	}{
		{"admitted", expression, "acme", ci, 200, true},
		{"not in the group", expression, "acme", acme.sign(t, nil, acmeClaims), 200, false},
		{"another name", expression, "acme", acme.sign(t, nil, acmeClaims.with(obj{"groups": []string{"ci"}, "sub": "root"})), 200, false},
		{"an own token, by its own names", "username == 'eve' && 'admins' in groups && tenant == 'acme'", "", own.sign(t, ownHeader, ownClaims.with(obj{"plan": "gold"})), 200, true},
		{"nobody", "", "acme", ci, 200, false},
		{"an expression that fails", "claims.absent == 'x'", "acme", ci, 200, false},
		{"a claim rule that fails", "true", "acme", acme.sign(t, nil, acmeClaims.with(obj{"plan": "tin"})), 403, false},
		{"another's signature", "true", "acme", cast().mallory.sign(t, nil, acmeClaims), 401, false},
		{"no tenant", "true", "", ci, 401, false},
	} {
		d, admitted := admit(t, s, callersOf(t, row.expression, row.name), factsOf(t, row.tenant, row.raw))
		if d.Status != row.status || admitted != row.admitted || d.Cached != row.admitted {
			t.Errorf("%s: %d %s, admitted %v, from memory %v", row.name, d.Status, d.Reason, admitted, d.Cached)
		}
		if got := s.Decide(t.Context(), factsOf(t, row.tenant, row.raw), now); got.Status != row.status {
			t.Errorf("%s: Decide says %d", row.name, got.Status)
		}
	}
	if _, err := NewCallers("secret ==", "x"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if _, admitted := s.Admit(t.Context(), factsOf(t, "acme", ci), now, nil); admitted {
		t.Error("admitted without anything to be admitted to")
	}
}

// TestAdmissionsAreKeptApart guards that neither a plain decision nor an admission to something else, or by another expression, ever admits.
func TestAdmissionsAreKeptApart(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	f := factsOf(t, "acme", cast().acme.sign(t, nil, acmeClaims))
	warm(t, s, f, now)
	if d, admitted := s.Admit(t.Context(), f, now, callersOf(t, "", "api")); admitted || d.Cached {
		t.Error("a decision admits")
	}
	yes := callersOf(t, "username == 'bob'", "api", "content 1")
	if d, admitted := admit(t, s, yes, f); !admitted || !d.Cached {
		t.Fatal("not admitted, or not remembered")
	}
	for name, other := range map[string]*Callers{
		"another credential": callersOf(t, "username == 'bob'", "other", "content 1"),
		"another content":    callersOf(t, "username == 'bob'", "api", "content 2"),
		"another expression": callersOf(t, "username != 'eve'", "api", "content 1"),
		"shifted":            callersOf(t, "username == 'bob'", "apicontent 1", ""),
	} {
		if d, _ := s.Admit(t.Context(), f, now, other); d.Cached {
			t.Errorf("%s was told from memory of the first", name)
		}
	}
	if a, b, none := (&judgement{callers: yes}), (&judgement{callers: callersOf(t, "", "api")}), new(judgement); s.keyOf(a) == s.keyOf(b) || s.keyOf(a) == s.keyOf(none) {
		t.Error("what is remembered is told apart by its mark alone")
	}
	if d, admitted := s.Admit(t.Context(), f, now, callersOf(t, "username == 'eve'", "api", "content 1")); admitted || d.Cached {
		t.Error("who was admitted before is admitted still")
	}
	if d, admitted := s.Admit(t.Context(), f, now, callersOf(t, "username == 'bob'", "api", "content 1")); !admitted || !d.Cached {
		t.Error("the same made anew is not the same")
	}
	if d, admitted := s.Admit(t.Context(), f, now.Add(2*time.Hour), yes); d.Status != 401 || admitted {
		t.Errorf("an expired token: %d, %v", d.Status, admitted)
	}
}

// TestNotAdmittedIsNotRemembered guards that neither memory nor its use tells what there is to ask for: whoever is not admitted is judged anew each time.
func TestNotAdmittedIsNotRemembered(t *testing.T) {
	s := setOf(t, Outbound{Decisions: newDecisions()}, acmePolicy(t, nil))
	f := factsOf(t, "acme", cast().acme.sign(t, nil, acmeClaims))
	for i := range 200 {
		for range 3 {
			if d, admitted := s.Admit(t.Context(), f, now, callersOf(t, "username == 'eve'", fmt.Sprint(i%100))); admitted || d.Cached {
				t.Fatal("admitted, or told from memory")
			}
		}
	}
	if st := s.decisions.Stats(); st.Entries != 0 {
		t.Errorf("%+v", st)
	}
}

// TestUpstreamOfADecision guards that the credential is the deciding policy's, whether a decision is made or remembered.
func TestUpstreamOfADecision(t *testing.T) {
	acme := acmePolicy(t, func(p *config.Policy) { p.UpstreamCredential, p.AcceptIssuedTokens, p.Default = "api", true, true })
	globex := symmetric(t, "globex", secret, "")
	globex.UpstreamCredential, globex.AcceptIssuedTokens = "other", true
	plain := symmetric(t, "plain", secret, "")
	plain.AcceptIssuedTokens = true
	s := setOf(t, Outbound{Decisions: newDecisions()}, acme, globex, plain)
	foreign := cast().acme.sign(t, nil, acmeClaims)
	own := func(organization string) string {
		return cast().own.sign(t, ownHeader, ownClaims.with(obj{"organization": organization}))
	}
	for _, row := range []struct{ tenant, raw, want string }{
		{"acme", foreign, "api"}, {"", foreign, "api"}, {"", own("acme"), "api"}, {"", own("globex"), "other"}, {"plain", own("plain"), ""}, {"", own("nowhere"), ""},
	} {
		f := factsOf(t, row.tenant, row.raw)
		if d := s.Decide(t.Context(), f, now); d.Status != 200 || d.Upstream != row.want {
			t.Errorf("%q: %d %s, upstream %q, want %q", row.tenant, d.Status, d.Reason, d.Upstream, row.want)
		}
		if d := warm(t, s, f, now); d.Upstream != row.want {
			t.Errorf("%q from memory: upstream %q, want %q", row.tenant, d.Upstream, row.want)
		}
	}
	d := s.Decide(t.Context(), factsOf(t, "acme", foreign), now)
	refused := d.WithoutCredential("why", 7*time.Second)
	if diff := cmp.Diff(Identity{}, refused.Identity); refused.Status != http.StatusServiceUnavailable || refused.Reason != ReasonNoCredential || refused.RetryAfter != 7*time.Second || refused.Tenant != "acme" || diff != "" {
		t.Errorf("%+v", refused)
	}
	if again := d.WithoutCredential("why", 0); again.RetryAfter != time.Second {
		t.Errorf("try again after %v", again.RetryAfter)
	}
}

// TestReportOfUpstream guards the line of the report, of a credential with and without a token.
func TestReportOfUpstream(t *testing.T) {
	s := setOf(t, Outbound{}, acmePolicy(t, func(p *config.Policy) { p.UpstreamCredential = "api" }))
	f := factsOf(t, "acme", cast().acme.sign(t, nil, acmeClaims))
	r := s.Explain(t.Context(), f, now)
	last := r.Checks[len(r.Checks)-1]
	if want := (Check{checkCredential, OutcomePassed, `the application gets the token of "api" as Authorization`}); last != want || r.Upstream != "api" || r.Status != 200 {
		t.Errorf("%+v of %+v", last, r)
	}
	r.WithoutCredential("Unreachable")
	last = r.Checks[len(r.Checks)-1]
	if last.Outcome != OutcomeFailed || !strings.HasPrefix(last.Detail, "Unreachable; ") || r.Status != 503 || r.Reason != ReasonNoCredential || r.Fix == "" || r.Headers != nil || r.Upstream != "" {
		t.Errorf("%+v", r)
	}
	if r := s.Explain(t.Context(), factsOf(t, "acme", "x"), now); r.Upstream != "" {
		t.Error("a refused request has a credential")
	}
}

// TestCredentialsOfAShard guards that a shard hands on its file's credentials with their bundles, unread ones included.
func TestCredentialsOfAShard(t *testing.T) {
	const pem = "-----BEGIN CERTIFICATE-----"
	credential := config.Credential{
		Object: "IdentityProvider/default/api", Name: "api", Key: json.RawMessage(`{"kty":"oct"}`), Algorithm: "HS256", Issuer: "i", Subject: "s", Audience: "a",
		Lifetime: config.Duration(time.Hour), TokenEndpoint: "https://idp.example/token", GrantType: "g", CABundle: config.Hash([]byte(pem)),
	}
	bare := credential
	bare.Object, bare.Name, bare.CABundle = "IdentityProvider/default/bare", "bare", ""
	file := &config.Tenants{Bundles: map[string]string{credential.CABundle: pem}, Credentials: []config.Credential{credential, bare}}
	first := shardOf(t, nil, Outbound{}, file)
	got := first.Credentials()
	if len(got) != 2 || got[0].CABundle.PEM() != pem || got[1].CABundle != (outbound.Bundle{}) {
		t.Fatalf("%+v", got)
	}
	if diff := cmp.Diff(&bare, got[1].Credential); diff != "" {
		t.Error(diff)
	}
	moved := first.For(Outbound{AllowedCIDRs: "10.0.0.0/8"})
	if again := moved.Credentials(); len(again) != 2 || again[0].Credential != got[0].Credential {
		t.Error("another way of reaching URLs lost the credentials, or copied them")
	}
}
