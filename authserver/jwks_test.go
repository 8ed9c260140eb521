// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// keyServer publishes whatever it is told to.
type keyServer struct {
	*httptest.Server
	answer  atomic.Pointer[func(http.ResponseWriter)]
	fetches atomic.Int64
}

func newKeyServer(t *testing.T, start func(http.Handler) *httptest.Server) *keyServer {
	k := &keyServer{}
	k.Server = start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		k.fetches.Add(1)
		(*k.answer.Load())(w)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *keyServer) set(answer func(http.ResponseWriter)) { k.answer.Store(&answer) }

func (k *keyServer) publish(t *testing.T, parties ...*party) {
	t.Helper()
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	for _, p := range parties {
		set.Keys = append(set.Keys, p.jwk(t))
	}
	body, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	k.set(func(w http.ResponseWriter) { _, _ = w.Write(body) })
}

func (k *keyServer) fail() {
	k.set(func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) })
}

// remote is a policy whose issuer's keys are at a URL.
func remote(tenant, url, caBundle string, algorithms ...string) config.Policy {
	return policyOf(tenant, func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://idp.acme.example", JWKSURI: url}}
		p.Algorithms, p.CABundle = algorithms, caBundle
	})
}

// loopback lets the server fetch from this machine.
func loopback(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"} }

// upstream is a policy's condition at /configz.
func (l *lab) upstream(t *testing.T, tenant string) condition {
	t.Helper()
	return l.configz(t).Objects["TenantJWTPolicy/default/"+tenant][upstreamReady]
}

func TestKeysByURL(t *testing.T) {
	c := cast()
	good, other := c.acme.sign(t, nil, acmeClaims), c.acme.sign(t, obj{"kid": "unheard-of"}, acmeClaims)
	for _, test := range []struct {
		name   string
		start  func(http.Handler) *httptest.Server
		base   func(*config.Base)
		ca     func(*keyServer) string
		setUp  func(*testing.T, *keyServer)
		token  string
		status int
		reason string
		want   condition // Message: a part of it
	}{
		{name: "good", setUp: func(t *testing.T, k *keyServer) { k.publish(t, c.acme) }, status: 200, want: condition{Status: "True", Reason: "Ready"}},
		{name: "unknown kid after a good fetch", setUp: func(t *testing.T, k *keyServer) { k.publish(t, c.acme) }, token: other, status: 401, reason: "unknown_key",
			want: condition{Status: "True", Reason: "Ready"}},
		{name: "the server fails", setUp: func(_ *testing.T, k *keyServer) { k.fail() }, status: 503, reason: "keys_unavailable",
			want: condition{Status: "False", Reason: "BadStatus", Message: "status 500"}},
		{name: "the server is gone", setUp: func(t *testing.T, k *keyServer) { k.publish(t); k.Close() }, status: 503, reason: "keys_unavailable",
			want: condition{Status: "False", Reason: "Unreachable"}},
		{name: "no key set", setUp: func(_ *testing.T, k *keyServer) {
			k.set(func(w http.ResponseWriter) { _, _ = w.Write([]byte("<html>")) })
		}, status: 503, reason: "keys_unavailable", want: condition{Status: "False", Reason: "BadContent"}},
		{name: "a private address that nobody allowed", base: func(*config.Base) {}, setUp: func(t *testing.T, k *keyServer) { k.publish(t, c.acme) }, status: 503, reason: "keys_unavailable",
			want: condition{Status: "False", Reason: "AddressNotAllowed", Message: "add 127.0.0.1/32"}},
		{name: "a redirect to an address that nobody allowed", setUp: func(_ *testing.T, k *keyServer) {
			k.set(func(w http.ResponseWriter) {
				w.Header().Set("Location", "http://10.255.255.1/")
				w.WriteHeader(http.StatusFound)
			})
		}, status: 503, reason: "keys_unavailable", want: condition{Status: "False", Reason: "AddressNotAllowed", Message: "10.255.255.1/32"}},
		{name: "a secret in a public document", setUp: func(t *testing.T, k *keyServer) { k.publish(t, &party{"HS256", "k1", c.globex.private}) },
			token: (&party{"HS256", "k1", c.globex.private}).sign(t, nil, acmeClaims), status: 401, reason: "unknown_key", want: condition{Status: "False", Reason: "NoUsableKey"}},
		{name: "TLS, unknown authority", start: httptest.NewTLSServer, setUp: func(t *testing.T, k *keyServer) { k.publish(t, c.acme) }, status: 503, reason: "keys_unavailable",
			want: condition{Status: "False", Reason: "TLSFailed", Message: "caBundleRef"}},
		{name: "TLS, the policy's CA", start: httptest.NewTLSServer, ca: (*keyServer).authority, setUp: func(t *testing.T, k *keyServer) { k.publish(t, c.acme) }, status: 200,
			want: condition{Status: "True", Reason: "Ready"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			start, base, token, ca := httptest.NewServer, loopback, good, ""
			if test.start != nil {
				start = test.start
			}
			if test.base != nil {
				base = test.base
			}
			if test.token != "" {
				token = test.token
			}
			k := newKeyServer(t, start)
			if test.ca != nil {
				ca = test.ca(k)
			}
			test.setUp(t, k)
			l := newLab(t, render(t, baseOf(base), 1, remote("acme", k.URL, ca, "RS256", "HS256")))
			if got := l.upstream(t, "acme"); got.Status != "Unknown" || got.Reason != "NotYetFetched" || k.fetches.Load() != 0 {
				t.Errorf("before the first request: %+v, %d fetches", got, k.fetches.Load())
			}
			r := &row{status: test.status, reason: test.reason, headers: []string{x(token)}, user: "bob", preferred: "bob", tenant: "acme"}
			l.check(t, r)
			got := l.upstream(t, "acme")
			if got.Status != test.want.Status || got.Reason != test.want.Reason || !strings.Contains(got.Message, test.want.Message) || got.Since.IsZero() {
				t.Errorf("condition %+v, want %+v", got, test.want)
			}
		})
	}
}

// authority is the certificate of a TLS server as a CA bundle.
func (k *keyServer) authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate().Raw}))
}

// TestKeysStayWithTheirPolicy lets two tenants name one URL and two tenants share one kid.
func TestKeysStayWithTheirPolicy(t *testing.T) {
	c := cast()
	one, two := newKeyServer(t, httptest.NewServer), newKeyServer(t, httptest.NewServer)
	one.publish(t, c.acme)
	two.publish(t, c.old)
	l := newLab(t, render(t, baseOf(loopback), 1, remote("a", one.URL, "", "RS256"), remote("b", two.URL, "", "RS256"), remote("c", one.URL, "", "PS256")))
	first, second := c.acme.sign(t, nil, acmeClaims), c.old.sign(t, nil, acmeClaims)
	for range 2 { // cold and warm
		for _, w := range []struct {
			tenant, token string
			status        int
		}{{"a", first, 200}, {"a", second, 401}, {"b", first, 401}, {"b", second, 200}, {"c", first, 401}, {"c", second, 401}} {
			if got := l.status(t, w.tenant, w.token); got != w.status {
				t.Errorf("tenant %s: %d, want %d", w.tenant, got, w.status)
			}
		}
	}
	if one.fetches.Load() != 1 || two.fetches.Load() != 1 {
		t.Errorf("%d and %d fetches, want one each", one.fetches.Load(), two.fetches.Load())
	}
}

// TestFetchedKeysOutliveAReload guards that a policy's change does not send the server to the provider again, and that
// a dead key server of one tenant stops neither reload nor the other tenants.
func TestFetchedKeysOutliveAReload(t *testing.T) {
	c := cast()
	k := newKeyServer(t, httptest.NewServer)
	k.publish(t, c.acme)
	p := remote("a", k.URL, "", "RS256")
	l := newLab(t, render(t, baseOf(loopback), 1, p))
	token := c.acme.sign(t, nil, acmeClaims)
	if got := l.status(t, "a", token); got != 200 {
		t.Fatal(got)
	}
	k.fail()
	p.Audiences = []string{"https://api.example"}
	if err := l.Load(render(t, baseOf(loopback), 1, p, remote("dead", "http://127.0.0.1:1/", "", "RS256"))); err != nil {
		t.Fatal(err)
	}
	if a, dead := l.status(t, "a", token), l.status(t, "dead", token); a != 200 || dead != 503 {
		t.Errorf("a %d, dead %d", a, dead)
	}
	if k.fetches.Load() != 1 {
		t.Errorf("%d fetches", k.fetches.Load())
	}
	// Another CA bundle or other networks are other rules: what was fetched under the old ones does not count.
	if err := l.Load(render(t, baseOf(nil), 1, p)); err != nil {
		t.Fatal(err)
	}
	if got := l.status(t, "a", token); got != 503 {
		t.Errorf("keys fetched while the network was allowed still serve: %d", got)
	}
}
