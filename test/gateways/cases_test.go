// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// exchange is one request through a gateway and what must come of it.
type exchange struct {
	name string
	// The request: GET / HTTP/1.1 unless it says otherwise. Headers are lines; Host and, unless noToken, acme's good token are added.
	method, target, proto string
	headers               []string
	token                 string
	noToken               bool
	body                  string

	status   int // default 200
	identity map[string]string
	// challenge is WWW-Authenticate, with 401.
	challenge string
	// mayRefuse tells that a gateway may answer 400 without asking: there it reads the request more strictly.
	mayRefuse bool
	// appStatus is the application's own status; default 200.
	appStatus int
}

func (x *exchange) raw(t *testing.T, l *lab) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\nHost: app.example\r\n", x.method, x.target, x.proto)
	if !x.noToken {
		raw := x.token
		if raw == "" {
			raw = l.acme.Sign(t, nil, acmeClaims)
		}
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", raw)
	}
	for _, h := range x.headers {
		b.WriteString(h + "\r\n")
	}
	if x.body != "" && !strings.Contains(b.String(), "Transfer-Encoding") {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(x.body))
	}
	if x.proto == "HTTP/1.1" {
		b.WriteString("Connection: close\r\n")
	}
	b.WriteString("\r\n" + x.body)
	return b.String()
}

const (
	bare    = `Bearer realm="gatehouse"`
	invalid = `Bearer realm="gatehouse", error="invalid_token"`
)

// exchanges are the cases; each holds behind every gateway that asks /verify/acme.
func exchanges(t *testing.T, l *lab) []exchange {
	t.Helper()
	poor := served.Claims{"iss": "https://idp.acme.example", "sub": "eve", "plan": "none"}
	eve := map[string]string{"X-Auth-Request-User": "acme/eve", "X-Auth-Request-Preferred-Username": "eve", "X-Auth-Tenant": "acme", "X-Acme-Plan": "none"}
	var groups []string
	for n := range 900 {
		groups = append(groups, fmt.Sprintf("group-%03d", n))
	}
	cases := []exchange{
		{name: "a good token", identity: bob},
		{name: "a good token in x-jwt-token", noToken: true, headers: []string{"X-JWT-Token: " + l.acme.Sign(t, nil, acmeClaims)}, identity: bob},
		{name: "narrowed by headers", headers: []string{"x-jwt-issuer: https://idp.acme.example", "x-jwt-tenant-id: acme"}, identity: bob},
		{name: "no token", noToken: true, status: 401, challenge: bare},
		{name: "a token that is none", token: "abc", status: 401, challenge: invalid},
		{name: "an expired token", token: l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"exp": 1})), status: 401, challenge: invalid},
		{name: "another tenant's token", token: l.globex.Sign(t, nil, served.Claims{"iss": "https://idp.globex.example", "sub": "bob"}), status: 401, challenge: invalid},
		{name: "acme's issuer by another tenant's key", token: l.globex.Sign(t, nil, acmeClaims), status: 401, challenge: invalid},
		{name: "a claim rule that does not hold", token: l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"plan": "expired"})), status: 403},
		{name: "keys out of reach", token: l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"iss": "https://away.acme.example"})), status: 503},

		{name: "another tenant named by the client", headers: []string{"x-jwt-tenant-id: globex"}, status: 401, challenge: invalid},
		{name: "another tenant and its token", token: l.globex.Sign(t, nil, served.Claims{"iss": "https://idp.globex.example", "sub": "bob"}),
			headers: []string{"X-Jwt-Tenant-Id: globex"}, status: 401, challenge: invalid},
		{name: "another issuer named by the client", headers: []string{"x-jwt-issuer: https://away.acme.example"}, status: 401, challenge: invalid},
		{name: "an empty nonce", headers: []string{"x-jwt-nonce:"}, status: 401, challenge: invalid},
		{name: "two tokens", headers: []string{"Authorization: Bearer abc"}, status: 401, challenge: invalid, mayRefuse: true},
		{name: "two tokens that differ", headers: []string{"X-Jwt-Token: abc"}, status: 401, challenge: invalid},

		{name: "a 16 KiB header line more", headers: []string{"X-Large: " + strings.Repeat("x", 16<<10)}, identity: bob},
		{name: "many groups", token: l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"groups": groups})), identity: maps.Collect(func(yield func(string, string) bool) {
			for k, v := range bob {
				if k == "X-Auth-Request-Groups" {
					v = strings.Join(groups, ",")
				}
				if !yield(k, v) {
					return
				}
			}
		})},
		{name: "HTTP/1.0", proto: "HTTP/1.0", identity: bob},
		{name: "HTTP/1.0 without a token", proto: "HTTP/1.0", noToken: true, status: 401, challenge: bare},
		{name: "HEAD", method: http.MethodHead, identity: bob},
		{name: "HEAD without a token", method: http.MethodHead, noToken: true, status: 401, challenge: bare},
		{name: "POST with a body", method: http.MethodPost, body: "a=1&b=2", identity: bob},
		{name: "POST with chunks", method: http.MethodPost, headers: []string{"Transfer-Encoding: chunked"}, body: "3\r\na=1\r\n0\r\n\r\n", identity: bob},
		{name: "POST refused", method: http.MethodPost, body: "a=1&b=2", noToken: true, status: 401, challenge: bare},
		{name: "DELETE", method: http.MethodDelete, identity: bob},
		{name: "the application's own 500", target: "/fails", identity: bob, appStatus: 500},
		{name: "a login's parameter", target: "/?login=redirect", noToken: true, status: 401, challenge: bare},
	}
	for _, target := range []string{"/a//b", "/a/../b", "/a/%2e%2e/b", "/verify/globex", "/../verify/globex", "/%2e%2e/verify/globex", "/a%2fb", "/..%2fverify%2fglobex", "/envoy/globex/x", "/?tenant=globex&x-jwt-tenant-id=globex", "/a?b=//..%2f"} {
		cases = append(cases,
			exchange{name: "path " + target, target: target, identity: bob, mayRefuse: true},
			exchange{name: "path " + target + " without a token", target: target, noToken: true, status: 401, challenge: bare, mayRefuse: true})
	}
	// What the auth server must not be told by the client, or must not care about.
	for _, h := range []string{"X-Original-URL: https://evil.example/", "X-Forwarded-Uri: /evil", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: gopher", "X-Forwarded-Method: EVIL",
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Prefix: /evil", "Forwarded: host=evil.example", "X-Rewrite-URL: /evil"} {
		cases = append(cases, exchange{name: "client's " + h, headers: []string{h}, identity: bob}, exchange{name: "client's " + h + " without a token", headers: []string{h}, noToken: true, status: 401, challenge: bare})
	}
	// Identity headers of the client's own: never those, whether the policy has a value (bob) or none (eve), and alone they let nobody in.
	for _, name := range identityHeaders {
		spellings := [][]string{
			{name + ": admin"}, {strings.ToLower(name) + ": admin"}, {strings.ToUpper(name) + ": admin"}, {name + ":"}, {name + ": admin", name + ": root"},
			{strings.ReplaceAll(name, "-", "_") + ": admin"}, {strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + ": admin"},
			{strings.Replace(name, "-", "_", 1) + ": admin"}, {name[:strings.LastIndex(name, "-")] + "_" + name[strings.LastIndex(name, "-")+1:] + ": admin"},
			{strings.ReplaceAll(name, "-", ".") + ": admin"}, {strings.Replace(name, "-", ".", 1) + ": admin"},
			{name + ": admin", strings.ReplaceAll(name, "-", "_") + ": root"}, {"Connection: " + name, name + ": admin"},
		}
		for _, h := range spellings {
			about := strings.Join(h, " | ")
			cases = append(cases,
				exchange{name: "spoofed " + about, headers: h, identity: bob},
				exchange{name: "spoofed where there is no value " + about, token: l.acme.Sign(t, nil, poor), headers: h, identity: eve},
				exchange{name: "spoofed without a token " + about, headers: h, noToken: true, status: 401, challenge: bare})
		}
	}
	return cases
}

// TestGateways guards that an application behind a gateway that is set up as its page says is asked for nobody who is refused, and told nothing
// about who somebody is but what Gatehouse says.
func TestGateways(t *testing.T) {
	for name, start := range map[string]func(*testing.T, *lab) string{"nginx": startNginx, "caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			address := start(t, l)
			for _, x := range exchanges(t, l) {
				t.Run(x.name, func(t *testing.T) { x.run(t, l, address) })
			}
			t.Run("nobody answers", func(t *testing.T) {
				l.auth.close()
				a := send(t, address, http.MethodGet, "GET / HTTP/1.0\r\nHost: app.example\r\nAuthorization: Bearer "+l.acme.Sign(t, nil, acmeClaims)+"\r\n\r\n")
				if a.reached(t) != nil || a.StatusCode < 500 {
					t.Errorf("let in, or no error of the server's: %d", a.StatusCode)
				}
			})
		})
	}
}

func (x exchange) run(t *testing.T, l *lab, address string) {
	for field, value := range map[*string]string{&x.method: "GET", &x.target: "/", &x.proto: "HTTP/1.1"} {
		if *field == "" {
			*field = value
		}
	}
	l.auth.take(t)
	a := send(t, address, x.method, x.raw(t, l))
	asked, got := l.auth.take(t), a.reached(t)
	if x.mayRefuse && a.StatusCode == http.StatusBadRequest && len(asked) == 0 && got == nil {
		return
	}
	x.checkAsked(t, asked)
	if x.status != 0 {
		x.checkRefused(t, a, got)
		return
	}
	want := http.StatusOK
	if x.appStatus != 0 {
		want = x.appStatus
	}
	if got == nil || a.StatusCode != want {
		t.Fatalf("not let in: %d %.300s", a.StatusCode, a.body)
	}
	identity, err := got.identity()
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(x.identity, identity); diff != "" {
		t.Errorf("the application is told (-want +got):\n%s", diff)
	}
	body := x.body
	if strings.HasPrefix(body, "3\r\n") {
		body = "a=1"
	}
	if got.Method != x.method || got.Target != x.target || got.Body != body {
		t.Errorf("the application was sent %s %s %q", got.Method, got.Target, got.Body)
	}
	for name := range a.Header {
		if strings.HasPrefix(name, "X-Auth") {
			t.Errorf("the client is told %s", name)
		}
	}
}

// checkAsked guards that the auth server was asked once about acme, by nothing of the client's that could pass for the gateway's word.
func (x *exchange) checkAsked(t *testing.T, asked []*received) {
	t.Helper()
	if len(asked) != 1 {
		t.Fatalf("the auth server was asked %d times", len(asked))
	}
	r := asked[0]
	if path, query, _ := strings.Cut(r.Target, "?"); path != "/verify/acme" || query != "" && query != "login=redirect" || r.Method != http.MethodGet || r.Body != "" {
		t.Errorf("the auth server was asked %s %s %q", r.Method, r.Target, r.Body)
	}
	if r.Header.Get("Content-Length") != "" && r.Header.Get("Content-Length") != "0" || r.Header.Get("Transfer-Encoding") != "" {
		t.Errorf("the auth server was promised a body: %v", r.Header)
	}
	for name, want := range map[string]string{"X-Forwarded-Method": x.method, "X-Forwarded-Uri": x.target, "X-Forwarded-Host": "app.example", "X-Forwarded-Proto": "http", "X-Original-Url": ""} {
		if got := strings.Join(r.Header.Values(name), "|"); got != want {
			t.Errorf("the auth server was told %s: %q, want %q", name, got, want)
		}
	}
}

func (x *exchange) checkRefused(t *testing.T, a *answer, got *received) {
	t.Helper()
	if got != nil {
		t.Fatalf("the application was reached, as %v", got.Header)
	}
	if a.StatusCode != x.status || a.Header.Get("Www-Authenticate") != x.challenge {
		t.Errorf("%d with WWW-Authenticate %q, want %d with %q", a.StatusCode, a.Header.Get("Www-Authenticate"), x.status, x.challenge)
	}
	if (a.Header.Get("Retry-After") != "") != (x.status == http.StatusServiceUnavailable) {
		t.Errorf("%d with Retry-After %q", a.StatusCode, a.Header.Get("Retry-After"))
	}
	for name := range a.Header {
		if strings.HasPrefix(name, "X-Auth-") || strings.HasPrefix(name, "X-Acme") {
			t.Errorf("the client is told %s", name)
		}
	}
}
