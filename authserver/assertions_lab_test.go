// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// assertionClaims are those of an assertion that acme's policy accepts.
var assertionClaims = obj{"iss": "https://idp.acme.example", "sub": "bob", "aud": ownIssuer, "jti": "a-1", "email": "bob@acme.example", "roles": []string{"dev", "ops"},
	"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix()}

// exchangePolicies are those of all tests, and acme, initech and umbrella take assertions: initech takes own tokens too.
func exchangePolicies(t testing.TB) []config.Policy {
	t.Helper()
	list := policies(t)
	for i := range list {
		switch list[i].TenantID {
		case "acme", "initech", "umbrella":
			list[i].TokenExchange = &config.TokenExchange{Scopes: []string{"read", "write"}}
		}
	}
	return list
}

// assertionOf signs an assertion for a party's tenant.
func assertionOf(t testing.TB, p *party, issuer string, changes obj) string {
	t.Helper()
	return p.sign(t, nil, assertionClaims.with(obj{"iss": issuer}).with(changes))
}

// exchange sends a form to the token endpoint; headers are "Name: value".
func (l *lab) exchange(t testing.TB, form url.Values, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	if !form.Has("grant_type") {
		form = maps.Clone(form)
		form.Set("grant_type", grantJWTBearer)
	}
	return l.postToken(t, form.Encode(), headers...)
}

func (l *lab) postToken(t testing.TB, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, pathToken, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	l.publicHandler.ServeHTTP(w, r)
	return w
}

// claimsOf are the claims of a token, whose signature nobody looks at.
func claimsOf(t testing.TB, raw string) map[string]any {
	t.Helper()
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", raw)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// accessToken is the one of an answer of 200.
func accessToken(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK || body.AccessToken == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return body.AccessToken
}
