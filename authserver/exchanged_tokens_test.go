// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// TestExchangedTokensAtVerify guards that an access token made so is worth what the tenant's own is, where own tokens are accepted, and nothing elsewhere.
func TestExchangedTokensAtVerify(t *testing.T) {
	list := exchangePolicies(t)
	for i := range list {
		if list[i].TenantID == "initech" {
			list[i].Claims.Email.Claims, list[i].Claims.Groups.Claims = []string{"email"}, []string{"roles"}
		}
		if list[i].TenantID == "hooli" { // a username of two claims, with slashes that are ours
			list[i].TokenExchange, list[i].Audiences = &config.TokenExchange{}, nil
			list[i].Claims.Username = config.Username{Source: config.Source{Joined: []string{"tid", "sub"}}}
		}
	}
	l := newLab(t, render(t, baseOf(nil), 2, list...))
	c := cast()
	verify := func(raw string, headers ...string) *http.Response {
		return l.send(t, "GET /verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+raw+"\r\n"+strings.Join(append(headers, ""), "\r\n")+"\r\n")
	}
	for _, tt := range []struct {
		signer         *party
		tenant, issuer string
		sub            string
		status         int
	}{
		{c.initech, "initech", "https://idp.initech.example", "dave", 200},
		{c.initech, "initech", "https://idp.initech.example", "acme/dave, zoë 50%", 200},
		{c.hooli, "hooli", "https://idp.hooli.example", "a/b", 200},
		{c.acme, "acme", "https://idp.acme.example", "bob", 401},
		{c.umbrella, "umbrella", "https://idp.umbrella.example", "bob", 401},
	} {
		t.Run(tt.tenant+" "+tt.sub, func(t *testing.T) {
			raw := assertionOf(t, tt.signer, tt.issuer, obj{"sub": tt.sub, "tid": "t/1", "jti": tt.sub})
			exchanged := accessToken(t, l.exchange(t, url.Values{"assertion": {raw}}))
			got := verify(exchanged)
			if got.StatusCode != tt.status {
				t.Fatalf("%d (%s), want %d", got.StatusCode, l.reason(t), tt.status)
			}
			if tt.status != http.StatusOK {
				if reason := l.reason(t); reason != string(policy.ReasonOwnNotAccepted) {
					t.Errorf("refused for %s", reason)
				}
				return
			}
			want := verify(raw, "X-Jwt-Tenant-Id: "+tt.tenant)
			if want.StatusCode != http.StatusOK {
				t.Fatalf("the tenant's own: %d (%s)", want.StatusCode, l.reason(t))
			}
			for _, name := range []string{headerUser, headerEmail, headerGroups, headerPreferredUsername, headerTenant} {
				if got.Header.Get(name) != want.Header.Get(name) || name == headerUser && got.Header.Get(name) == "" {
					t.Errorf("%s is %q, the tenant's own token gives %q", name, got.Header.Get(name), want.Header.Get(name))
				}
			}
			if sub := claimsOf(t, exchanged)["sub"]; sub != want.Header.Get(headerUser) {
				t.Errorf("sub is %v", sub)
			}
			if again := verify(exchanged, "X-Jwt-Tenant-Id: umbrella"); again.StatusCode != http.StatusUnauthorized {
				t.Errorf("as another tenant's: %d", again.StatusCode)
			}
		})
	}
}

// TestExchangedTokensEndWithThePolicy guards that no endpoint takes a token that was exchanged under a policy that is there no more, or is another's now.
func TestExchangedTokensEndWithThePolicy(t *testing.T) {
	e := tokenEndpoint(t)
	everybody := credentialOf("api", e.URL(), "true")
	with := func(object string) []config.Policy {
		list := exchangePolicies(t)
		at := slices.IndexFunc(list, func(p config.Policy) bool { return p.TenantID == "initech" })
		if object == "" {
			return slices.Delete(list, at, at+1)
		}
		list[at].Object = object
		return list
	}
	const there = "TenantJWTPolicy/initech/initech"
	l := newLab(t, renderWith(t, with(there), everybody))
	access := accessToken(t, l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().initech, "https://idp.initech.example", obj{"sub": "admin"})}}))
	for _, row := range []struct {
		name, object string
		status       int
	}{{"as it was", there, 200}, {"deleted", "", 401}, {"there again", there, 200}, {"another's", "TenantJWTPolicy/hooli/initech", 401}} {
		if err := l.Load(renderWith(t, with(row.object), everybody)); err != nil {
			t.Fatal(err)
		}
		for range 3 { // so that it is remembered where it passes
			for _, path := range []string{"/verify", "/verify/initech", "/credentials/api", pathUserInfo} {
				a := l.get(t, path, "Authorization: Bearer "+access)
				if a.status != row.status || a.status != http.StatusOK && a.header.Get(headerUser) != "" {
					t.Errorf("%s: %s answers %d (%s)", row.name, path, a.status, l.reason(t))
				}
			}
		}
	}
}

// TestExchangedTokensLive guards how long an access token for an assertion lives: as long as others, and an hour at most.
func TestExchangedTokensLive(t *testing.T) {
	for lifetime, want := range map[time.Duration]time.Duration{time.Minute: time.Minute, time.Hour: time.Hour, 24 * time.Hour: time.Hour} {
		l := newLab(t, render(t, baseOf(func(b *config.Base) { b.Tokens.AccessTokenLifetime = config.Duration(lifetime) }), 1, exchangePolicies(t)...))
		w := l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}})
		c := claimsOf(t, accessToken(t, w))
		if c["exp"] != float64(now.Add(want).Unix()) || c["iat"] != float64(now.Unix()) || answer(t, w)["expires_in"] != want.Seconds() {
			t.Errorf("%v: exp %v, iat %v, %s", lifetime, c["exp"], c["iat"], w.Body)
		}
	}
}

// TestExchangedTokensOfUnknownGroups guards that the token says of groups that the assertion did not tell that there are some.
func TestExchangedTokensOfUnknownGroups(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	for id, row := range map[string]struct {
		groups any
		want   any
	}{"none": {nil, nil}, "some": {[]string{"dev"}, nil}, "an object": {obj{"dev": true}, true}, "a list with a number": {[]any{"dev", 7}, true}} {
		raw := assertionOf(t, cast().acme, "https://idp.acme.example", obj{"jti": id, "groups": row.groups, "roles": row.groups})
		c := claimsOf(t, accessToken(t, l.exchange(t, url.Values{"assertion": {raw}})))
		if _, told := c["groups"]; c["hasgroups"] != row.want || told != (id == "some") {
			t.Errorf("%s: %v", id, c)
		}
	}
}

// TestExchangedTokensElsewhere guards what the other endpoints make of a token that is no user's of the directory.
func TestExchangedTokensElsewhere(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	access := accessToken(t, l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}))
	got := l.send(t, "GET /userinfo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+access+"\r\n\r\n")
	var info map[string]any
	if err := json.NewDecoder(got.Body).Decode(&info); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"sub": "acme/bob", "preferred_username": "bob", "email": "bob@acme.example", "groups": []any{"dev", "ops"}, "organization": "acme"}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("/userinfo: %d (-want +got)\n%s", got.StatusCode, diff)
	}
	for name, form := range map[string]url.Values{
		"as a refresh token": {"grant_type": {grantRefreshToken}, "refresh_token": {access}},
		"as an assertion":    {"assertion": {access}},
	} {
		if w := l.exchange(t, form); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), codeInvalidGrant) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, pathRevoke, strings.NewReader(url.Values{"token": {access}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	l.publicHandler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("/oauth2/revoke: %d", w.Code)
	}
	if got := l.send(t, "GET /account HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+access+"\r\n\r\n"); got.StatusCode == http.StatusOK {
		t.Errorf("/account: %d", got.StatusCode)
	}
}
