// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// told is what an answer of the auth server says of somebody.
func told(a *answer) map[string]string {
	got := map[string]string{}
	for _, name := range identityHeaders {
		if values := a.Header.Values(name); len(values) > 0 {
			got[name] = strings.Join(values, "|")
		}
	}
	return got
}

// complete adds the names that have no value: a gateway that copies them then overwrites what the client sent.
func complete(identity map[string]string) map[string]string {
	all := map[string]string{}
	for _, name := range identityHeaders {
		all[name] = identity[name]
	}
	return all
}

// asked is one request of a gateway that this suite does not run, and what must come of it.
type asked struct {
	name, head string
	status     int
	want       map[string]string
}

func check(t *testing.T, address, method string, a asked) {
	t.Helper()
	got := send(t, address, method, strings.ReplaceAll(a.head, "\n", "\r\n")+"\r\nHost: gatehouse\r\nConnection: close\r\n\r\n")
	if got.StatusCode != a.status {
		t.Errorf("%s: %d, want %d", a.name, got.StatusCode, a.status)
	}
	if diff := cmp.Diff(a.want, told(got)); diff != "" {
		t.Errorf("%s: told (-want +got):\n%s", a.name, diff)
	}
	switch a.status {
	case http.StatusUnauthorized:
		if got.Header.Get("Www-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", a.name)
		}
	case http.StatusServiceUnavailable:
		if got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", a.name)
		}
	}
}

// TestTraefik guards that requests as Traefik's forwardAuth sends them are answered: a GET without a body to a fixed address, the client's headers,
// and X-Forwarded-* that say what the client asked for.
func TestTraefik(t *testing.T) {
	l := newLab(t)
	good := l.acme.Sign(t, nil, acmeClaims)
	forwarded := func(method, uri string) string {
		return fmt.Sprintf("\nX-Forwarded-Method: %s\nX-Forwarded-Proto: https\nX-Forwarded-Host: app.example\nX-Forwarded-Uri: %s\nX-Forwarded-For: 192.0.2.7", method, uri)
	}
	for _, a := range []asked{
		{"a good token", "GET /verify/acme?login=redirect HTTP/1.1\nAuthorization: Bearer " + good + forwarded("GET", "/a?b=c"), 200, complete(bob)},
		{"a POST that was one", "GET /verify/acme?login=redirect HTTP/1.1\nContent-Type: text/plain\nAuthorization: Bearer " + good + forwarded("POST", "/"), 200, complete(bob)},
		{"identity headers of the client", "GET /verify/acme?login=redirect HTTP/1.1\nX-Auth-Request-Email: admin\nX-Globex-Region: eu\nX-Auth-Tenant: globex\nAuthorization: Bearer " + good + forwarded("GET", "/"), 200, complete(bob)},
		{"a path of another tenant", "GET /verify/acme?login=redirect HTTP/1.1\nAuthorization: Bearer " + good + forwarded("GET", "/verify/globex/../x"), 200, complete(bob)},
		{"no token", "GET /verify/acme?login=redirect HTTP/1.1" + forwarded("GET", "/"), 401, map[string]string{}},
		{"a tenant of the client", "GET /verify/acme?login=redirect HTTP/1.1\nX-Jwt-Tenant-Id: globex\nAuthorization: Bearer " + good + forwarded("GET", "/"), 401, map[string]string{}},
		{"a rule", "GET /verify/acme?login=redirect HTTP/1.1\nAuthorization: Bearer " + l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"plan": "expired"})) + forwarded("GET", "/"), 403, map[string]string{}},
		{"keys out of reach", "GET /verify/acme?login=redirect HTTP/1.1\nAuthorization: Bearer " + l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"iss": "https://away.acme.example"})) + forwarded("GET", "/"), 503, map[string]string{}},
	} {
		check(t, l.auth.address, http.MethodGet, a)
	}
}

// TestEnvoyHTTP guards that requests as Envoy's ext_authz sends them over HTTP are answered for the tenant of path_prefix, whatever follows it: the
// client's method and its path as it stands, Content-Length 0 and no body.
func TestEnvoyHTTP(t *testing.T) {
	l := newLab(t)
	good := l.acme.Sign(t, nil, acmeClaims)
	carol := l.globex.Sign(t, nil, served.Claims{"iss": "https://idp.globex.example", "sub": "carol", "region": "eu"})
	toldCarol := complete(map[string]string{"X-Auth-Request-User": "carol", "X-Auth-Request-Preferred-Username": "carol", "X-Auth-Tenant": "globex", "X-Globex-Region": "eu"})
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodDelete, http.MethodOptions, "PURGE"} {
		for _, path := range []string{"", "/", "/a", "//a", "/a//b", "/../globex/x", "/a/../../globex/x", "/%2e%2e/globex/x", "/..%2fglobex", "/%2f..%2fglobex", "/a;b", "/?tenant=globex", "/a?x=/envoy/globex/", "/.", "/globex", "/%00", "/%ff"} {
			head := method + " /envoy/acme" + path + " HTTP/1.1\nContent-Length: 0\nX-Forwarded-Proto: https\nX-Request-Id: 1"
			check(t, l.auth.address, method, asked{method + " " + path, head + "\nAuthorization: Bearer " + good, 200, complete(bob)})
			check(t, l.auth.address, method, asked{method + " " + path + " without a token", head, 401, map[string]string{}})
			check(t, l.auth.address, method, asked{method + " " + path + " with globex's token", head + "\nAuthorization: Bearer " + carol, 401, map[string]string{}})
		}
	}
	for _, a := range []asked{
		{"globex", "GET /envoy/globex/a HTTP/1.1\nAuthorization: Bearer " + carol, 200, toldCarol},
		{"not by route, by header", "GET /envoy/-/a HTTP/1.1\nX-Jwt-Tenant-Id: acme\nAuthorization: Bearer " + good, 200, complete(bob)},
		{"not by route, the default", "GET /envoy/-/a HTTP/1.1\nAuthorization: Bearer " + carol, 200, toldCarol},
		{"a prefix that lacks its slash, and a path that goes on with the name", "GET /envoy/acmeglobex HTTP/1.1\nAuthorization: Bearer " + good, 401, map[string]string{}},
		{"an escaped tenant", "GET /envoy/%61cme/a HTTP/1.1\nAuthorization: Bearer " + good, 401, map[string]string{}},
		{"headers joined by commas", "GET /envoy/acme/a HTTP/1.1\nX-Jwt-Token: " + good + "," + good, 401, map[string]string{}},
		{"a path that is no URI", "GET /envoy/acme/%zz HTTP/1.1\nAuthorization: Bearer " + good, 400, map[string]string{}},
		{"a rule", "GET /envoy/acme/a HTTP/1.1\nAuthorization: Bearer " + l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"plan": "expired"})), 403, map[string]string{}},
		{"keys out of reach", "GET /envoy/acme/a HTTP/1.1\nAuthorization: Bearer " + l.acme.Sign(t, nil, acmeClaims.With(served.Claims{"iss": "https://away.acme.example"})), 503, map[string]string{}},
	} {
		check(t, l.auth.address, http.MethodGet, a)
	}
}

// TestForwardedLogins guards where Traefik and Envoy are told that a browser logs in: with the way back where the gateway tells what was asked for.
func TestForwardedLogins(t *testing.T) {
	l, _ := newLoginLab(t)
	traefik := func(method, accept, host string) string {
		return fmt.Sprintf("GET /verify/acme?login=redirect HTTP/1.1\r\nAccept: %s\r\nX-Forwarded-Method: %s\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: %s\r\nX-Forwarded-Uri: /a?b=c\r\nX-Forwarded-For: 192.0.2.7", accept, method, host)
	}
	back := loginPage + "?return_to=https%3A%2F%2F" + appHost + "%2Fa%3Fb%3Dc"
	for _, c := range []struct {
		name, head       string
		status           int
		location, header string
	}{
		{"Traefik, a page", traefik("GET", "text/html", appHost), 302, back, ""},
		{"Traefik, a page of a host where no login leads", traefik("GET", "text/html", "evil.example"), 302, loginPage, ""},
		{"Traefik, a form", traefik("POST", "text/html", appHost), 401, "", ""},
		{"Traefik, a program", traefik("GET", "*/*", appHost), 401, "", ""},
		{"Envoy, a page", "GET /envoy/acme/a?b=c HTTP/1.1\r\nAccept: text/html\r\nX-Forwarded-Proto: https", 401, "", loginPage},
		{"Envoy, a page whose query is the client's", "GET /envoy/acme/a?login=redirect HTTP/1.1\r\nAccept: text/html", 401, "", loginPage},
		{"Envoy, a form", "POST /envoy/acme/a HTTP/1.1\r\nAccept: text/html\r\nContent-Length: 0", 401, "", ""},
	} {
		a := send(t, l.auth.address, http.MethodGet, c.head+"\r\nHost: gatehouse\r\nConnection: close\r\n\r\n")
		if got := a.Header.Get("X-Auth-Login-Location"); a.StatusCode != c.status || a.Header.Get("Location") != c.location || got != c.header {
			t.Errorf("%s: %d to %q with X-Auth-Login-Location %q, want %d to %q with %q", c.name, a.StatusCode, a.Header.Get("Location"), got, c.status, c.location, c.header)
		}
	}
}
