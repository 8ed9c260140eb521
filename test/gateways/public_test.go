// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/test/served"
)

// hidden are ways to ask for what only gateways may ask, and to have the host that everybody reaches pass it on: the auth server compares paths as they are sent, and a host
// compares what it makes of them.
var hidden = []string{
	"/verify/acme", "/verify", "/verify/", "/verify?x", "/verify/acme?x=/login", "//verify/acme", "/%76erify/acme", "/./verify/acme", "/x/../verify/acme", "/login/../verify/acme",
	"/%2e/verify/acme", "/x/%2e%2e/verify/acme", "/verify%2facme", "/verify%3fx", "/verify/./acme", "/verify//acme", "/verify/acme/", "/verify/acme/../../login", "/verify/x/../acme",
	"/envoy/acme", "/envoy/acme/", "/envoy/acme/app", "/envoy/-/app", "//envoy/acme/app", "/%65nvoy/acme/app", "/./envoy/acme/app", "/envoy/acme?x", "/envoy/acme//../../login",
	"/envoy/acme/../../login", "/envoy/acme/../../../login", "/envoy/acme/%2e%2e/%2e%2e/login", "/envoy/acme/..%2f..%2flogin", "/envoy/acme/..;/..;/login", "/envoy/acme/%5c..%5c../login",
	"/envoy/acme/../../.well-known/openid-configuration", "/verify/../envoy/acme/x",
	"http://auth.example.com/verify/acme", "http://auth.example.com//verify/acme", "http://auth.example.com/envoy/acme/../../login", "http://evil.example/verify/acme",
}

// shown are targets that everybody may ask for.
var shown = []string{"/login", "/login?return_to=https%3A%2F%2Fapp.example.com%2Fverify%2F", "/.well-known/openid-configuration", "/oauth2/token", "/auth/callback/default/sso?code=a%2Fb", "/assets/gatehouse/x.css"}

// TestPublicHost guards the tokens of providers: the host where people log in, set up as the pages say, passes on no spelling of what gateways ask, whoever asks and how, and
// everything else as it was sent. A spelling that is /login when it is cleaned may become that.
func TestPublicHost(t *testing.T) {
	for name, start := range map[string]func(*testing.T, *lab) string{"nginx": startPublicNginx, "caddy": startPublicCaddy} {
		t.Run(name, func(t *testing.T) {
			l, e := newUpstreamLab(t)
			address := start(t, l)
			token := l.acme.Sign(t, nil, served.Claims{"iss": "https://idp.acme.example", "sub": "bob"})
			ask := func(method, target, version string) *answer {
				return send(t, address, method, method+" "+target+" "+version+"\r\nHost: auth.example.com\r\nConnection: close\r\nContent-Length: 0\r\nX-Jwt-Tenant-Id: acme\r\nAuthorization: Bearer "+token+"\r\n\r\n")
			}
			if a := send(t, l.auth.address, http.MethodGet, "GET /envoy/acme/../../login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\n\r\n"); a.Header.Get("Authorization") != "Bearer "+e.Tokens()[0] {
				t.Fatal("who reaches the auth server itself reads no token: this test proves nothing")
			}
			l.auth.take(t)
			for _, target := range hidden {
				for _, how := range [][2]string{{http.MethodGet, "HTTP/1.1"}, {http.MethodPost, "HTTP/1.1"}, {http.MethodHead, "HTTP/1.1"}, {http.MethodOptions, "HTTP/1.1"}, {http.MethodGet, "HTTP/1.0"}} {
					a := ask(how[0], target, how[1])
					if a.Header.Get("Authorization") != "" || a.Header.Get("X-Auth-Request-User") != "" {
						t.Errorf("%s %s: %d %v", how[0], target, a.StatusCode, a.Header)
					}
					for _, r := range l.auth.take(t) {
						if strings.HasPrefix(r.Target, "/verify") || strings.HasPrefix(r.Target, "/envoy") {
							t.Errorf("%s %s is passed on as %s", how[0], target, r.Target)
						}
					}
				}
			}
			for _, target := range []string{"/verify/acme", "/verify", "//verify/acme", "/%76erify/acme", "/verify/acme?x", "/./verify/acme", "/x/../verify/acme", "/envoy/acme/app", "/%65nvoy/acme/app"} {
				if a := ask(http.MethodGet, target, "HTTP/1.1"); a.StatusCode != http.StatusNotFound {
					t.Errorf("%s: %d, want 404", target, a.StatusCode)
				}
			}
			l.auth.take(t)
			for _, target := range shown {
				ask(http.MethodGet, target, "HTTP/1.1")
				if got := l.auth.take(t); len(got) != 1 || got[0].Target != target {
					t.Errorf("%s: the auth server was sent %v", target, got)
				}
			}
		})
	}
}
