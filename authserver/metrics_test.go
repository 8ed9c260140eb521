// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// samples are the values of a metric by their labels, as /metrics prints them, zeros left out.
func samples(t testing.TB, l *lab, name string) map[string]float64 {
	t.Helper()
	found := map[string]float64{}
	for line := range strings.Lines(httpGetOps(t, l, "/metrics")) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), name)
		if !ok || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		labels, text, _ := strings.Cut(rest, " ")
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if value != 0 {
			found[labels] = value
		}
	}
	return found
}

func (l *lab) ask(t testing.TB, target string, lines ...string) int {
	t.Helper()
	return l.send(t, "GET "+target+" HTTP/1.1\r\nHost: a\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n").StatusCode
}

// TestVerifyMetrics guards that decisions are counted by how they were asked for and how they ended, once each.
func TestVerifyMetrics(t *testing.T) {
	r := run(t, newLab(t, render(t, baseOf(nil), 1, mappedPolicies(t)...)))
	e := r.envoy(t)
	c := cast()
	good := x(c.acme.sign(t, nil, acmeClaims.with(obj{"tier": "1", "plan": "gold"})))
	for range 3 { // the last one is answered from what is remembered
		r.ask(t, "/verify/acme", good)
	}
	r.ask(t, "/verify/acme", x(c.acme.sign(t, nil, acmeClaims)))
	r.ask(t, "/verify/acme", x(c.mallory.sign(t, nil, acmeClaims)))
	r.ask(t, "/verify/nobody", good)
	r.ask(t, "/verify", "X: y")
	tenant := "acme"
	e.check(t, checkRequest(headersOf([]string{good}), &tenant, true))
	e.check(t, checkRequest(nil, nil, true))
	if diff := cmp.Diff(map[string]float64{
		`{algorithm="RS256",protocol="http",reason="",result="allowed"}`:              3,
		`{algorithm="RS256",protocol="http",reason="claim_rule",result="forbidden"}`:  1,
		`{algorithm="RS256",protocol="http",reason="bad_signature",result="refused"}`: 1,
		`{algorithm="",protocol="http",reason="unknown_tenant",result="refused"}`:     1,
		`{algorithm="",protocol="http",reason="no_token",result="refused"}`:           1,
		`{algorithm="RS256",protocol="grpc",reason="",result="allowed"}`:              1,
		`{algorithm="",protocol="grpc",reason="no_token",result="refused"}`:           1,
	}, samples(t, r.lab, "gatehouse_verify_total")); diff != "" {
		t.Errorf("gatehouse_verify_total (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{`{protocol="http"}`: 7, `{protocol="grpc"}`: 2}, samples(t, r.lab, "gatehouse_verify_duration_seconds_count")); diff != "" {
		t.Errorf("durations (-want +got):\n%s", diff)
	}
	if hits := samples(t, r.lab, "gatehouse_decision_cache_hits_total"); hits[""] < 1 {
		t.Errorf("hits of the decision cache: %v", hits)
	}
}

// TestTenantSeries guards that tenants have series of their own within the bound only, first come, first served; that one
// that goes makes room; and that what nobody configured never gets any.
func TestTenantSeries(t *testing.T) {
	tenants := func(names ...string) []config.Policy {
		var list []config.Policy
		for _, name := range names {
			list = append(list, policyOf(name, func(p *config.Policy) {
				p.Issuers = []config.Issuer{inline(t, "", cast().globex)}
				p.Algorithms, p.Claims.Username.Claims = []string{"HS256"}, []string{"upn"}
			}))
		}
		return list
	}
	bound := func(n int) func(*config.Base) {
		return func(b *config.Base) { b.Monitoring.TenantSeries = n }
	}
	l := newLab(t, render(t, baseOf(bound(2)), 1, tenants("a", "b", "c")...))
	good := x(cast().globex.sign(t, nil, globexClaims))
	want := map[string]float64{}
	check := func(step string) {
		t.Helper()
		if diff := cmp.Diff(want, samples(t, l, "gatehouse_tenant_verify_total")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	ask := func(tenant, series string) {
		t.Helper()
		l.ask(t, "/verify/"+tenant, good)
		l.ask(t, "/verify/"+tenant, x("a.b.c"))
		want[fmt.Sprintf(`{result="allowed",tenant=%q}`, series)]++
		want[fmt.Sprintf(`{result="refused",tenant=%q}`, series)]++
	}
	load := func(base func(*config.Base), names ...string) {
		t.Helper()
		if err := l.Load(render(t, baseOf(base), 1, tenants(names...)...)); err != nil {
			t.Fatal(err)
		}
	}
	gone := func(tenant string) {
		maps.DeleteFunc(want, func(labels string, _ float64) bool { return strings.Contains(labels, fmt.Sprintf("tenant=%q", tenant)) })
	}

	l.ask(t, "/verify/nobody", good)
	l.ask(t, "/verify/_other", good)
	l.ask(t, "/verify", "X: y")
	check("tenants of nobody")
	l.ask(t, "/verify", x(signOwn(t, nil, ownClaims))) // an organization without a policy
	want[`{result="allowed",tenant="_other"}`]++
	check("an organization without a policy")
	ask("c", "c")
	ask("a", "a")
	ask("b", "_other")
	ask("c", "c")
	check("the bound")
	load(bound(2), "a", "b")
	gone("c")
	check("a policy that went")
	ask("b", "b")
	check("its place")
	load(bound(2), "a", "b", "c")
	ask("c", "_other")
	ask("a", "a")
	check("it is back, and late")
	load(bound(1), "a", "b", "c")
	gone("b")
	ask("b", "_other")
	ask("a", "a")
	check("a lower bound")
	load(nil, "a", "b", "c")
	gone("a")
	ask("a", "_other")
	check("no series")
	load(bound(9), "a", "b", "c")
	ask("a", "a")
	ask("b", "b")
	check("a higher bound")
}

// TestKeySetMetrics guards that failing key sets show, whoever's they are, and that no URL does.
func TestKeySetMetrics(t *testing.T) {
	bad := startIssuer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	good := startIssuer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"keys":[%s]}`, cast().acme.jwk(t))
	})
	remote := func(tenant, url string) config.Policy {
		return policyOf(tenant, func(p *config.Policy) {
			p.Issuers = []config.Issuer{{Issuer: "https://idp.acme.example", JWKSURI: url}}
		})
	}
	l := newLab(t, render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"} }), 1, remote("good", good), remote("bad", bad), remote("idle", "https://idp.example/keys")))
	check := func(pending, ready, failing float64) {
		t.Helper()
		want := map[string]float64{`{state="pending"}`: pending, `{state="ready"}`: ready, `{state="failing"}`: failing}
		maps.DeleteFunc(want, func(_ string, n float64) bool { return n == 0 })
		if diff := cmp.Diff(want, samples(t, l, "gatehouse_jwks_sources")); diff != "" {
			t.Errorf("gatehouse_jwks_sources (-want +got):\n%s", diff)
		}
	}
	check(3, 0, 0)
	token := x(cast().acme.sign(t, nil, acmeClaims))
	if l.ask(t, "/verify/good", token) != 200 || l.ask(t, "/verify/bad", token) != 503 {
		t.Fatal("not decided as expected")
	}
	check(1, 1, 1)
	if keys := samples(t, l, "gatehouse_jwks_keys"); keys[""] != 1 {
		t.Errorf("gatehouse_jwks_keys %v", keys)
	}
	if age := samples(t, l, "gatehouse_jwks_age_seconds"); age[""] <= 0 || age[""] > 60 {
		t.Errorf("gatehouse_jwks_age_seconds %v", age)
	}
	if diff := cmp.Diff(map[string]float64{`{reason="Ready",result="good"}`: 1, `{reason="BadStatus",result="bad"}`: 1}, samples(t, l, "gatehouse_jwks_fetches_total")); diff != "" {
		t.Errorf("gatehouse_jwks_fetches_total (-want +got):\n%s", diff)
	}
	if text := httpGetOps(t, l, "/metrics"); strings.Contains(text, "127.0.0.1") || strings.Contains(text, "idp.example") {
		t.Error("a URL of a tenant is in the metrics")
	}
}
