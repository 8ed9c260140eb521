// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

const credentialSecret = "a-secret-that-signs-assertions-of-tests"

// tokenEndpoint starts a token endpoint that takes the assertions of [credentialOf].
func tokenEndpoint(t testing.TB) *tokenendpoint.Endpoint {
	t.Helper()
	return tokenendpoint.Start(t, tokenendpoint.Options{Algorithm: "HS256", Key: []byte(credentialSecret), Issuer: "gatehouse", Subject: "robot", Now: func() time.Time { return now }})
}

// credentialOf is a provider that asks the endpoint; callers is its allowedCallers.
func credentialOf(name, endpoint, callers string) config.Credential {
	return config.Credential{
		Object: "IdentityProvider/default/" + name, Name: name, Algorithm: "HS256",
		Key:    json.RawMessage(`{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString([]byte(credentialSecret)) + `"}`),
		Issuer: "gatehouse", Subject: "robot", Audience: endpoint, Lifetime: config.Duration(time.Hour),
		TokenEndpoint: endpoint, GrantType: tokenendpoint.Grant, AllowedCallers: callers,
	}
}

// plainCredential is a provider whose JWT itself is the token.
func plainCredential(name, callers string) config.Credential {
	c := credentialOf(name, "", callers)
	c.GrantType, c.Audience = "", "https://api.example"
	return c
}

// renderWith makes the files of a configuration with credentials, in one shard, for a server that may ask loopback addresses.
func renderWith(t testing.TB, policies []config.Policy, credentials ...config.Credential) map[string][]byte {
	t.Helper()
	files := render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"} }), 0)
	files[config.TenantsFile(1, 0)] = encoded(t, &config.Tenants{Version: config.Version, Count: 1, Policies: policies, Credentials: credentials})
	return files
}

// asked is an answer of the public listener.
type asked struct {
	status int
	header http.Header
	body   string
}

// get sends a GET with header lines.
func (l *lab) get(t testing.TB, target string, headers ...string) asked {
	t.Helper()
	return l.request(t.Context(), t, http.MethodGet, target, headers...)
}

func (l *lab) request(ctx context.Context, t testing.TB, method, target string, headers ...string) asked {
	t.Helper()
	raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: auth.example\r\n", method, target)
	for _, h := range headers {
		raw += h + "\r\n"
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.7:4711"
	w := httptest.NewRecorder()
	l.publicHandler.ServeHTTP(w, r.WithContext(ctx))
	resp := w.Result()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return asked{resp.StatusCode, resp.Header, string(body)}
}

// given is the token that an answer of 200 holds.
func (a asked) given(t testing.TB) string {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	value, _ := body["access_token"].(string)
	return value
}

// ofCredential is the condition of a provider at /configz.
func (l *lab) ofCredential(t testing.TB, name string) condition {
	t.Helper()
	var z configz
	if err := json.Unmarshal([]byte(httpGetOps(t, l, "/configz")), &z); err != nil {
		t.Fatal(err)
	}
	return z.Objects["IdentityProvider/default/"+name][upstreamReady]
}

// silent fails if a text holds a token, an assertion or a key.
func silent(t testing.TB, where, text string, secrets ...string) {
	t.Helper()
	for _, s := range append(secrets, credentialSecret, base64.RawURLEncoding.EncodeToString([]byte(credentialSecret)), "eyJ") {
		if s != "" && strings.Contains(text, s) {
			t.Errorf("%s holds a secret: %.20s…", where, s)
		}
	}
}

// logWith is the log up to a text that comes to be in it.
func (l *lab) logWith(t *testing.T, text string) (log string) {
	t.Helper()
	eventually(t, "the log to hold "+text, func() bool {
		log += l.log.take()
		return strings.Contains(log, text)
	})
	return log
}
