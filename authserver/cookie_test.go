// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// TestSessionAtVerify guards which of several credentials decides, and that a session is subject to every rule that tokens are.
func TestSessionAtVerify(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	v.logIn("sso", "")
	value := v.session()
	program := w.visitor(t)
	cookie := "Cookie: gatehouse-session=" + value
	w.log.take()
	for _, tt := range []struct {
		name, path string
		headers    []string
		status     int
		reason     string
		noToken    bool
	}{
		{name: "cookie", path: "/verify", headers: []string{cookie}, status: 200},
		{name: "among others", path: "/verify", headers: []string{"Cookie: a=b; gatehouse-session=" + value + "; c=d"}, status: 200},
		{name: "its tenant's route", path: "/verify/staff", headers: []string{cookie}, status: 200},
		{name: "envoy", path: "/envoy/staff/some/path?a=b", headers: []string{cookie}, status: 200},
		{name: "envoy, not by route", path: "/envoy/-/some/path", headers: []string{cookie}, status: 200},
		{name: "another scheme's credentials", path: "/verify", headers: []string{cookie, "Authorization: Basic eDp5"}, status: 200},
		{name: "another tenant's route", path: "/verify/acme", headers: []string{cookie}, status: 401, reason: "organization_differs"},
		{name: "another tenant's name", path: "/verify", headers: []string{cookie, "X-Jwt-Tenant-Id: acme"}, status: 401, reason: "organization_differs"},
		{name: "narrowed", path: "/verify", headers: []string{cookie, "X-Jwt-Client-Id: other"}, status: 401, reason: "client_id_narrowed"},
		{name: "a bad Bearer token", path: "/verify", headers: []string{cookie, "Authorization: Bearer a.b.c"}, status: 401, reason: "no_tenant"},
		{name: "a bad x-jwt-token", path: "/verify", headers: []string{cookie, "X-Jwt-Token: a.b.c"}, status: 401, reason: "no_tenant"},
		{name: "an empty Bearer token", path: "/verify", headers: []string{cookie, "Authorization: Bearer "}, status: 401, reason: "empty_header"},
		{name: "twice", path: "/verify", headers: []string{cookie + "; gatehouse-session=" + value}, status: 401, reason: "session_twice"},
		{name: "twice, one empty", path: "/verify", headers: []string{cookie + "; gatehouse-session="}, status: 401, reason: "session_twice"},
		{name: "unknown", path: "/verify", headers: []string{"Cookie: gatehouse-session=" + strings.Repeat("A", 43)}, status: 401, reason: "no_session"},
		{name: "malformed", path: "/verify", headers: []string{"Cookie: gatehouse-session=x"}, status: 401, reason: "no_session"},
		{name: "as a Bearer token", path: "/verify", headers: []string{"Authorization: Bearer " + value}, status: 401, reason: "no_tenant"},
		{name: "of another server's name", path: "/verify", headers: []string{"Cookie: __Host-gatehouse-session=" + value}, status: 401, reason: "no_token", noToken: true},
	} {
		got := program.get(tt.path, tt.headers...)
		reason := w.reason(t)
		if got.StatusCode != tt.status || (tt.status != 200 && tt.reason != reason) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.StatusCode, reason, tt.status, tt.reason)
		}
		if invalid := strings.Contains(got.Header.Get("WWW-Authenticate"), "invalid_token"); tt.status == 401 && invalid == tt.noToken {
			t.Errorf("%s: %s", tt.name, got.Header.Get("WWW-Authenticate"))
		}
		if user := got.Header.Get("X-Auth-Request-User"); (user == "jane") != (tt.status == 200) {
			t.Errorf("%s: user %q", tt.name, user)
		}
	}
	// The same over Envoy's gRPC.
	for _, tt := range []struct {
		request extauthz.Request
		in      bool
	}{
		{extauthz.Request{Cookies: []string{"gatehouse-session=" + value}}, true},
		{extauthz.Request{Cookies: []string{"gatehouse-session=" + strings.Repeat("A", 43)}}, false},
		{extauthz.Request{Cookies: []string{"gatehouse-session=" + value}, Facts: policy.Facts{Authorization: []string{"Bearer x"}}}, false},
	} {
		if got := (gate{w.overGRPC}).Decide(t.Context(), &tt.request); (got.Refusal == nil) != tt.in {
			t.Errorf("over gRPC: %+v", got)
		}
	}
	// A policy of the organization's name decides, like for tokens.
	denied := policyOf("staff", func(p *config.Policy) {
		p.Issuers = []config.Issuer{inline(t, "https://idp.staff.example", cast().acme)}
	})
	if err := w.Load(render(t, w.base, 1, denied)); err != nil {
		t.Fatal(err)
	}
	if got := v.get("/verify"); got.StatusCode != http.StatusUnauthorized || w.reason(t) != "own_tokens_not_accepted" {
		t.Errorf("with a policy that takes no own tokens: %d", got.StatusCode)
	}
	// The provider goes, and with it its sessions.
	w.base.Providers = nil
	w.serve(t)
	if got := v.get("/verify"); got.StatusCode != http.StatusUnauthorized || w.reason(t) != "no_session" {
		t.Errorf("without the provider: %d", got.StatusCode)
	}
}

// TestLoginLocation guards who is told where to log in, and that the way back is a place where a login may lead.
func TestLoginLocation(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	login := w.origin + "/login"
	to := func(back string) string { return login + "?return_to=" + url.QueryEscape(back) }
	const app = "https://app.example/x?y=z"
	forwarded := []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: app.example", "X-Forwarded-Uri: /x?y=z"}
	for _, tt := range []struct {
		name, path string
		headers    []string
		want       string
	}{
		{"nginx", "/verify", []string{"X-Original-Url: " + app}, to(app)},
		{"traefik", "/verify/staff", append(forwarded, "X-Forwarded-Method: GET"), to(app)},
		{"envoy", "/envoy/staff/a", forwarded, to(app)},
		{"own origin", "/verify", []string{"X-Original-Url: " + w.origin + "/x"}, to(w.origin + "/x")},
		{"no URL", "/verify", nil, login},
		{"half a URL", "/verify", forwarded[1:], login},
		{"another host", "/verify", []string{"X-Original-Url: https://evil.example/"}, login},
		{"another host, forwarded", "/verify", []string{forwarded[0], "X-Forwarded-Host: evil.example", forwarded[2]}, login},
		{"user info", "/verify", []string{forwarded[0], "X-Forwarded-Host: app.example@evil.example", forwarded[2]}, login},
		{"http", "/verify", []string{"X-Forwarded-Proto: http", forwarded[1], forwarded[2]}, login},
		{"script", "/verify", []string{"X-Original-Url: javascript:alert(1)"}, login},
		{"a form", "/verify", append(forwarded, "X-Forwarded-Method: POST"), ""},
		{"nginx, a form", "/verify", []string{"X-Original-Method: POST"}, ""},
		{"a program", "/verify", append(forwarded, "Accept: application/json"), ""},
		{"a bad token", "/verify", append(forwarded, "Authorization: Bearer x"), to(app)},
	} {
		got := v.get(tt.path, tt.headers...)
		if got.StatusCode != http.StatusUnauthorized || got.Header.Get("X-Auth-Login-Location") != tt.want || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %q, want %q", tt.name, got.StatusCode, got.Header.Get("X-Auth-Login-Location"), tt.want)
		}
		path, status := tt.path+"?login=redirect", http.StatusFound
		if tt.want == "" || strings.HasPrefix(tt.path, "/envoy") {
			status = http.StatusUnauthorized
		}
		got = v.get(path, tt.headers...)
		location, hint := got.Header.Get("Location"), got.Header.Get("X-Auth-Login-Location")
		if got.StatusCode != status || (status == http.StatusFound) != (location == tt.want && location != "" && hint == "") {
			t.Errorf("%s, redirected: %d %q, hint %q", tt.name, got.StatusCode, location, hint)
		}
	}
	if got := v.do(must(http.NewRequestWithContext(t.Context(), http.MethodPost, w.origin+"/verify", nil))); got.Header.Get("X-Auth-Login-Location") != "" {
		t.Error("POST is told where to log in")
	}
	v.logIn("sso", "")
	if got := v.get("/verify?login=redirect", forwarded...); got.StatusCode != http.StatusOK || got.Header.Get("X-Auth-Login-Location") != "" {
		t.Errorf("who is logged in: %d %v", got.StatusCode, got.Header)
	}
	if err := w.store.attempt().store.Close(); err != nil { // the store is away
		t.Fatal(err)
	}
	other := w.visitor(t)
	got := other.get("/verify?login=redirect", append(forwarded, "Cookie: gatehouse-session="+strings.Repeat("A", 43))...)
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || got.Header.Get("X-Auth-Login-Location") != "" || got.Header.Get("Location") != "" {
		t.Errorf("the store is away: %d %v", got.StatusCode, got.Header)
	}
	if got := v.verify(); got != http.StatusOK {
		t.Errorf("the store is away, and a session that was looked at is answered %d", got)
	}
	for _, path := range []string{"/account", "/auth/sso/login/callback/?state=x"} {
		if got := v.get(path); got.StatusCode/100 == 2 {
			t.Errorf("%s without a store: %d", path, got.StatusCode)
		}
	}
	if got := v.get("/account"); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
		t.Errorf("/account without a store: %d", got.StatusCode)
	}
}
