// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/test/served"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// assertionSecret signs what the auth server sends the token endpoint.
const assertionSecret = "a-secret-that-signs-assertions-of-tests"

// newUpstreamLab is a lab whose one policy gives the application the token of a provider.
func newUpstreamLab(t *testing.T) (*lab, *tokenendpoint.Endpoint) {
	t.Helper()
	e := tokenendpoint.Start(t, tokenendpoint.Options{Algorithm: "HS256", Key: []byte(assertionSecret), Issuer: "gatehouse", Subject: "robot"})
	l := &lab{acme: served.NewSigner(t, "ES256", "k1"), app: newEcho(t)}
	l.auth = newTap(t, served.StartWarned(t, "127.0.0.1:0", fmt.Sprintf(`apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec:
  store: {type: None}
  outbound: {allowedCIDRs: [127.0.0.0/8]}
---
apiVersion: v1
kind: Secret
metadata: {name: api-key, namespace: default}
stringData: {key: %s}
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: api, namespace: default}
spec:
  type: JWTBearer
  jwtBearer:
    keySecretRef: {name: api-key, key: key}
    algorithm: HS256
    issuer: gatehouse
    subject: robot
    audience: %s
    tokenEndpoint: %[2]s
`, assertionSecret, e.URL())+policy("acme", l.acme.JWKS(t), `  claimMappings:
    username: {claim: sub}
  upstreamCredential: api
`), "spec.upstreamCredential: whoever reaches the auth server's /verify"))
	return l, e
}

// withAddition puts the lines of a page for policies with an upstreamCredential into its configuration: each behind a line that is there once.
func withAddition(t *testing.T, config string, lines, after []string) string {
	t.Helper()
	if len(lines) != len(after) {
		t.Fatalf("the page has %d lines to add, want %d", len(lines), len(after))
	}
	for i, line := range lines {
		config = place(t, config, map[string]string{after[i]: after[i] + "\n" + line})
	}
	return config
}

// TestUpstreamCredential guards that an application behind a real gateway, configured as the pages say, gets the provider's token as Authorization and the client's nowhere,
// and that nobody reaches it while there is no token.
func TestUpstreamCredential(t *testing.T) {
	for name, start := range map[string]func(*testing.T, *lab) string{
		"nginx": func(t *testing.T, l *lab) string {
			return startNginxWith(t, l, func(site string) string {
				const after = "        proxy_set_header X-Globex-Region $gatehouse_globex_region;"
				return withAddition(t, site, []string{strings.TrimSuffix(addition(t, "nginx.md", "nginx"), "\n")}, []string{after})
			})
		},
		"caddy": func(t *testing.T, l *lab) string {
			return startCaddyWith(t, l, func(site string) string {
				return withAddition(t, site, strings.Split(strings.TrimSuffix(addition(t, "caddy.md", "caddyfile"), "\n"), "\n"),
					[]string{"\t\t\theader_up -X-Original-URL", "X-Acme-Plan X-Globex-Region\n\t\t}"})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, e := newUpstreamLab(t)
			address := start(t, l)
			token := l.acme.Sign(t, nil, served.Claims{"iss": "https://idp.acme.example", "sub": "bob"})
			for _, header := range []string{"Authorization: Bearer " + token, "X-Jwt-Token: " + token, "X-Jwt-Token: " + token + "\r\nAuthorization: Basic YTpi"} {
				a := send(t, address, http.MethodGet, "GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n"+header+"\r\n\r\n")
				got := a.reached(t)
				if got == nil || a.StatusCode != http.StatusOK {
					t.Fatalf("%.13s: %d %s", header, a.StatusCode, a.body)
				}
				if values := got.Header["Authorization"]; len(values) != 1 || values[0] != "Bearer "+e.Tokens()[0] {
					t.Errorf("%.13s: the application got %d Authorization, or not the provider's token", header, len(values))
				}
				if strings.Contains(a.body, token) {
					t.Errorf("%.13s: the application got the client's token", header)
				}
				if a.Header.Get("Authorization") != "" {
					t.Errorf("%.13s: the client got the provider's token", header)
				}
			}
			if e.Requests() != 1 {
				t.Errorf("%d requests for one token", e.Requests())
			}

			away, f := newUpstreamLab(t)
			f.Misbehave(tokenendpoint.Answer(http.StatusServiceUnavailable, ""))
			token = away.acme.Sign(t, nil, served.Claims{"iss": "https://idp.acme.example", "sub": "bob"})
			a := send(t, start(t, away), http.MethodGet, "GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\n\r\n")
			if a.StatusCode != http.StatusServiceUnavailable || a.reached(t) != nil {
				t.Errorf("without a token: %d", a.StatusCode)
			}
		})
	}
}
