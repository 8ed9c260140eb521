// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
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

// TestAssertionsBecomeAccessTokens guards the whole of an answer, and of what the token in it says.
func TestAssertionsBecomeAccessTokens(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 2, exchangePolicies(t)...))
	raw := assertionOf(t, cast().acme, "https://idp.acme.example", obj{"client_id": "portal"})
	w := l.exchange(t, url.Values{"assertion": {raw}, "scope": {"write unknown"}, "client_id": {"portal"}, "resource": {"https://ignored.example"}})
	body := answer(t, w)
	access, _ := body["access_token"].(string)
	delete(body, "access_token")
	if diff := cmp.Diff(map[string]any{"token_type": "Bearer", "expires_in": 900.0, "scope": "write"}, body); diff != "" || w.Code != http.StatusOK || w.Header().Get("Pragma") != "no-cache" {
		t.Fatalf("%d, Pragma %q (-want +got)\n%s", w.Code, w.Header().Get("Pragma"), diff)
	}
	c := claimsOf(t, access)
	id, _ := c["jti"].(string)
	by, _ := c["granted_by"].(string)
	delete(c, "jti")
	delete(c, "granted_by")
	want := map[string]any{"grant_type": grantJWTBearer, "iss": ownIssuer, "sub": "acme/bob", "aud": []any{ownIssuer, "https://shared.example"}, "client_id": "portal", "organization": "acme", "preferred_username": "bob",
		"email": "bob@acme.example", "groups": []any{"dev", "ops"}, "scope": "write", "iat": float64(now.Unix()), "exp": float64(now.Add(15 * time.Minute).Unix())}
	if diff := cmp.Diff(want, c); diff != "" || len(id) != 22 || len(by) != 22 || !l.granted("acme", by) {
		t.Errorf("jti %q (-want +got)\n%s", id, diff)
	}
	log := l.log.take()
	for _, text := range []string{`"event":"token.exchanged"`, `"tenant":"acme"`, `"jti":"` + id + `"`, `"user":"` + markOf("acme/bob") + `"`, `"algorithm":"RS256"`} {
		if !strings.Contains(log, text) {
			t.Errorf("the log lacks %s: %s", text, log)
		}
	}
	for _, secret := range []string{raw, access, "bob", "a-1"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s: %s", secret, log)
		}
	}
	if got := httpGetOps(t, l, "/metrics"); !strings.Contains(got, `gatehouse_token_exchanges_total{reason="",result="allowed"} 1`) {
		t.Error("it is not counted")
	}
}

// TestNothingNarrowsNothing guards the answer to a request that says no more than it must, and that whom it names as its client is in no token: nobody vouches for that.
func TestNothingNarrowsNothing(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	w := l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}, "client_id": {"somebody-else"}})
	if c := claimsOf(t, accessToken(t, w)); c["client_id"] != "gatehouse" || c["scope"] != "read write" || !strings.Contains(w.Body.String(), `"scope":"read write"`) || strings.Contains(w.Body.String(), "refresh") {
		t.Errorf("%v in %s", c, w.Body)
	}
}

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

// TestRequestsForAssertions guards the form of a request and its answer (RFC 6749 §5.2, RFC 7523 §3.1).
func TestRequestsForAssertions(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	raw := assertionOf(t, cast().acme, "https://idp.acme.example", nil)
	grant := "grant_type=" + url.QueryEscape(grantJWTBearer)
	good := grant + "&assertion=" + raw
	for name, c := range map[string]struct {
		body      string
		headers   []string
		status    int
		code      string
		challenge string
	}{
		"nothing":                {body: grant, status: 400, code: codeInvalidRequest},
		"an empty assertion":     {body: grant + "&assertion=", status: 400, code: codeInvalidRequest},
		"assertion twice":        {body: good + "&assertion=" + raw, status: 400, code: codeInvalidRequest},
		"grant_type twice":       {body: good + "&" + grant, status: 400, code: codeInvalidRequest},
		"scope twice":            {body: good + "&scope=read&scope=write", status: 400, code: codeInvalidRequest},
		"scope malformed":        {body: good + "&scope=a%20%20b", status: 400, code: "invalid_scope"},
		"scope of nobody":        {body: good + "&scope=x", status: 400, code: "invalid_scope"},
		"client_id malformed":    {body: good + "&client_id=a%0Ab", status: 400, code: codeInvalidRequest},
		"Basic":                  {body: good, headers: []string{"Authorization: Basic YTpi"}, status: 401, code: codeInvalidClient, challenge: `Basic realm="gatehouse"`},
		"Bearer":                 {body: good, headers: []string{"Authorization: bearer " + raw}, status: 401, code: codeInvalidClient, challenge: challenge},
		"an empty Authorization": {body: good, headers: []string{"Authorization: "}, status: 401, code: codeInvalidClient, challenge: `Basic realm="gatehouse"`},
		"client_secret":          {body: good + "&client_id=a&client_secret=b", status: 400, code: codeInvalidClient},
		"client_assertion":       {body: good + "&client_assertion=" + raw, status: 400, code: codeInvalidClient},
		"client_assertion_type":  {body: good + "&client_assertion_type=x", status: 400, code: codeInvalidClient},
		"the tenant twice":       {body: good, headers: []string{"x-jwt-tenant-id: acme", "x-jwt-tenant-id: acme"}, status: 400, code: codeInvalidRequest},
		"an empty tenant":        {body: good, headers: []string{"x-jwt-tenant-id: "}, status: 400, code: codeInvalidRequest},
		"a token beside":         {body: good, headers: []string{"x-jwt-token: " + raw}, status: 400, code: codeInvalidRequest},
		"another nonce":          {body: good, headers: []string{"x-jwt-nonce: n"}, status: 400, code: codeInvalidGrant},
		"JSON":                   {body: `{"grant_type":"` + grantJWTBearer + `"}`, headers: []string{"Content-Type: application/json"}, status: 415, code: codeInvalidRequest},
		"the SAML grant":         {body: "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Asaml2-bearer&assertion=" + raw, status: 400, code: codeUnsupportedGrant},
	} {
		t.Run(name, func(t *testing.T) {
			w := l.postToken(t, c.body, c.headers...)
			wantRefusal(t, w, c.status, c.code)
			if got := w.Header().Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if strings.Contains(w.Body.String(), raw) || strings.Contains(l.log.take(), raw) {
				t.Error("the assertion is told")
			}
		})
	}
	if w := l.postToken(t, good); w.Code != http.StatusOK {
		t.Errorf("after all of these it is used up: %d %s", w.Code, w.Body)
	}
	if got := l.send(t, "GET "+pathToken+"?"+good+" HTTP/1.1\r\nHost: x\r\n\r\n"); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.StatusCode)
	}
	if got := l.send(t, fmt.Sprintf("POST %s?assertion=%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", pathToken, raw, len(grant), grant)); got.StatusCode != http.StatusBadRequest {
		t.Errorf("in the query: %d", got.StatusCode)
	}
}

// TestStrangersCannotTell guards that who shows no good signature gets one answer, byte for byte, whatever is the matter.
func TestStrangersCannotTell(t *testing.T) {
	list := append(exchangePolicies(t), policyOf("acme-too", func(p *config.Policy) { // of the same old issuer
		p.Issuers, p.TokenExchange = []config.Issuer{inline(t, "https://old.acme.example", cast().old)}, &config.TokenExchange{}
	}))
	l := newLab(t, render(t, baseOf(nil), 2, list...))
	forged := func(issuer string) url.Values {
		return url.Values{"assertion": {assertionOf(t, cast().mallory, issuer, nil)}}
	}
	reasons := map[string]bool{}
	var first *httptest.ResponseRecorder
	for _, c := range []struct{ issuer, tenant, reason string }{
		{"https://idp.acme.example", "", "bad_signature"},
		{"https://idp.acme.example", "acme", "bad_signature"},
		{"https://idp.acme.example", "umbrella", "issuer_not_allowed"},
		{"https://nobody.example", "", "issuer_of_nobody"},
		{"https://old.acme.example", "", "issuer_of_several"},
		{"https://idp.hooli.example", "", "issuer_of_nobody"},
		{"https://idp.hooli.example", "hooli", "exchange_off"},
		{"https://idp.hooli.example", "nobody", "unknown_tenant"},
		{ownIssuer, "", "own_token_as_assertion"},
	} {
		var headers []string
		if c.tenant != "" {
			headers = []string{"x-jwt-tenant-id: " + c.tenant}
		}
		w := l.exchange(t, forged(c.issuer), headers...)
		wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant)
		if first == nil {
			first = w
		}
		if w.Body.String() != first.Body.String() || !maps.EqualFunc(w.Header(), first.Header(), slices.Equal) {
			t.Errorf("%s at %q: %s", c.issuer, c.tenant, w.Body)
		}
		log := l.log.take()
		if !strings.Contains(log, `"event":"token.refused"`) || !strings.Contains(log, `"reason":"`+c.reason+`"`) {
			t.Errorf("%s at %q, want %s: %s", c.issuer, c.tenant, c.reason, log)
		}
		reasons[c.reason] = true
		if !strings.Contains(httpGetOps(t, l, "/metrics"), `gatehouse_token_exchanges_total{reason="`+c.reason+`",result="refused"}`) {
			t.Errorf("%s is not counted", c.reason)
		}
	}
	w := l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().old, "https://old.acme.example", nil)}})
	if wantRefusal(t, w, http.StatusBadRequest, codeInvalidRequest); !strings.Contains(w.Body.String(), "x-jwt-tenant-id") {
		t.Errorf("who has a good one of several is told %s", w.Body)
	}
}

// TestEachAssertionOnce guards that an assertion is good for one token, its jti for one of the tenant and no other's, and that refusals use up nothing.
func TestEachAssertionOnce(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	c := cast()
	of := func(p *party, issuer string, changes obj) url.Values {
		return url.Values{"assertion": {assertionOf(t, p, issuer, changes)}}
	}
	const acme, old = "https://idp.acme.example", "https://old.acme.example"
	for i, step := range []struct {
		form   url.Values
		status int
	}{
		{of(c.mallory, acme, nil), 400},                                        // somebody without a key
		{of(c.acme, acme, obj{"aud": "https://x.example"}), 400},               // for somebody else
		{of(c.acme, acme, obj{"exp": now.Add(2 * time.Hour).Unix()}), 400},     // which lives too long
		{of(c.acme, acme, nil), 200},                                           //
		{of(c.acme, acme, nil), 400},                                           // again
		{of(c.acme, acme, obj{"sub": "alice"}), 400},                           // another, of the same jti
		{of(c.old, old, nil), 400},                                             // of another issuer of the tenant
		{of(c.umbrella, "https://idp.umbrella.example", nil), 200},             // of another tenant
		{of(c.acme, acme, obj{"jti": "a-2"}), 200},                             //
		{of(c.acme, acme, obj{"jti": "A-2"}), 200},                             // which is another one
		{of(c.acme, acme, obj{"jti": "a-2", "exp": now.Unix() + 3000}), 400},   //
		{of(c.acme, acme, obj{"jti": "a-1", "exp": now.Unix() - 29}), 400},     //
		{of(c.initech, "https://idp.initech.example", obj{"jti": "a-2"}), 200}, //
	} {
		w := l.exchange(t, step.form)
		if w.Code != step.status {
			t.Errorf("step %d: %d %s", i, w.Code, w.Body)
		}
	}
	w := l.exchange(t, of(c.acme, acme, nil))
	if wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant); !strings.Contains(w.Body.String(), "used before") || !strings.Contains(l.log.take(), `"reason":"replayed"`) {
		t.Errorf("a replay is told as %s", w.Body)
	}
}

// TestAssertionsAreKeptAsLongAsTheyAreGood guards that an assertion is remembered until no replica and no larger leeway would let it pass again.
func TestAssertionsAreKeptAsLongAsTheyAreGood(t *testing.T) {
	at := now
	l := newLabWith(t, render(t, baseOf(nil), 1, exchangePolicies(t)...), func(o *Options) { o.Now = func() time.Time { return at } })
	form := url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}
	accessToken(t, l.exchange(t, form))
	list := exchangePolicies(t)
	list[0].Leeway = config.Duration(10 * time.Minute) // the largest
	if err := l.Load(render(t, baseOf(nil), 1, list...)); err != nil {
		t.Fatal(err)
	}
	last := now.Add(5*time.Minute + 10*time.Minute - time.Second) // at which it would pass
	for _, at = range []time.Time{now.Add(5*time.Minute + 31*time.Second), last} {
		w := l.exchange(t, form)
		if wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant); !strings.Contains(l.log.take(), `"reason":"replayed"`) {
			t.Errorf("%s after it was made: %s", at.Sub(now), w.Body)
		}
	}
	at = last.Add(time.Second)
	if w := l.exchange(t, form); w.Code != http.StatusBadRequest || !strings.Contains(l.log.take(), `"reason":"expired"`) {
		t.Errorf("afterwards: %s", w.Body)
	}
}

// race sends one assertion many times at once, in turn to the labs, and returns the statuses by number.
func race(t *testing.T, form url.Values, labs ...*lab) map[int]int {
	t.Helper()
	const each = 12
	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses := map[int]int{}
	start := make(chan struct{})
	for i := range each * len(labs) {
		wg.Go(func() {
			<-start
			w := labs[i%len(labs)].exchange(t, form)
			mu.Lock()
			defer mu.Unlock()
			statuses[w.Code]++
		})
	}
	close(start)
	wg.Wait()
	return statuses
}

// TestParallelReplays guards that of many requests with one assertion at once exactly one gets a token.
func TestParallelReplays(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	got := race(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}, l)
	if diff := cmp.Diff(map[int]int{200: 1, 400: 11}, got); diff != "" {
		t.Error(diff)
	}
}

// TestReplicasShareAssertions guards that an assertion that one replica took is known to the other, also where both get it at once.
func TestReplicasShareAssertions(t *testing.T) {
	base := baseOf(func(b *config.Base) { b.Store = config.Store{Type: config.StorePostgreSQL, DSN: postgres.Start(t)} })
	files := render(t, base, 1, exchangePolicies(t)...)
	here, there := newLab(t, files), newLab(t, files)
	of := func(id string) url.Values {
		return url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", obj{"jti": id})}}
	}
	accessToken(t, here.exchange(t, of("one")))
	wantRefusal(t, there.exchange(t, of("one")), http.StatusBadRequest, codeInvalidGrant)
	for _, id := range []string{"two", "three", "four"} {
		if diff := cmp.Diff(map[int]int{200: 1, 400: 23}, race(t, of(id), here, there)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

// faultyUses is a store of uses that does as it is told.
type faultyUses struct {
	store.Uses
	use func() error
}

func (f faultyUses) Use(context.Context, string, store.Hash, time.Time, time.Time) error {
	return f.use()
}

// TestUsesThatCannotBeNoted guards that no token is given for an assertion that may be used again, and that the client may try again.
func TestUsesThatCannotBeNoted(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	a := l.newAssertions(l.browsers.service)
	for name, c := range map[string]struct {
		err    error
		reason string
		wait   string
	}{
		"the store is away": {store.ErrUnavailable, "uses_unavailable", "5"},
		"any fault":         {fmt.Errorf("host=db.example user=x: %w", context.DeadlineExceeded), "uses_unavailable", "5"},
		"full":              {store.ErrFull, "too_many_uses", "60"},
	} {
		t.Run(name, func(t *testing.T) {
			a.uses = faultyUses{use: func() error { return c.err }}
			h := newTokenHandler(l.browsers.service, l.logins, l.Server.log)
			h.grants[grantJWTBearer] = a.grant
			form := url.Values{"grant_type": {grantJWTBearer}, "assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, pathToken, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			wantRefusal(t, w, http.StatusServiceUnavailable, codeUnavailable)
			log := l.log.take()
			if w.Header().Get("Retry-After") != c.wait || !strings.Contains(log, `"reason":"`+c.reason+`"`) || strings.Contains(log+w.Body.String(), "db.example") {
				t.Errorf("Retry-After %q, log %s", w.Header().Get("Retry-After"), log)
			}
		})
	}
}

// TestExchangeWithoutAStore guards that a server that remembers nothing exchanges nothing, and does not say that it would.
func TestExchangeWithoutAStore(t *testing.T) {
	base := baseOf(func(b *config.Base) { b.Store.Type = config.StoreNone })
	l := newLab(t, render(t, base, 1, exchangePolicies(t)...))
	w := l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", nil)}})
	wantRefusal(t, w, http.StatusNotFound, codeNotFound)
	if got := l.send(t, "GET "+pathDiscovery+" HTTP/1.1\r\nHost: x\r\n\r\n"); got.StatusCode != http.StatusOK {
		t.Errorf("%d", got.StatusCode)
	}
}

// TestLargeAssertions guards that whoever has too many groups for a token is refused, and that it is no fault of the server's.
func TestLargeAssertions(t *testing.T) {
	list := exchangePolicies(t)
	list[0].Claims.Groups = config.Source{Expression: `claims.roles + claims.roles + claims.roles`}
	l := newLab(t, render(t, baseOf(nil), 1, list...))
	w := l.exchange(t, url.Values{"assertion": {assertionOf(t, cast().acme, "https://idp.acme.example", obj{"roles": []string{strings.Repeat("g", 5000)}})}})
	if wantRefusal(t, w, http.StatusBadRequest, codeInvalidGrant); !strings.Contains(l.log.take(), `"reason":"identity_too_large"`) {
		t.Errorf("%s", w.Body)
	}
}

// TestExplainAssertions guards that asking uses nothing up, and tells what was used.
func TestExplainAssertions(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, exchangePolicies(t)...))
	l.opsAuth.set(opsToken)
	raw := assertionOf(t, cast().acme, "https://idp.acme.example", nil)
	ask := func(members string) policy.Report {
		t.Helper()
		w := l.explain(t, []string{"Bearer " + opsToken}, "application/json", `{"token":"`+raw+`"`+members+`}`)
		var r policy.Report
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK || strings.Contains(w.Body.String(), raw) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return r
	}
	for range 2 {
		if r := ask(`,"assertion":true,"scope":"write"`); r.Status != 200 || r.AccessToken["sub"] != "acme/bob" || r.AccessToken["scope"] != "write" {
			t.Errorf("before: %d %s %v", r.Status, r.Reason, r.AccessToken)
		}
	}
	accessToken(t, l.exchange(t, url.Values{"assertion": {raw}}))
	if r := ask(`,"assertion":true`); r.Status != 400 || r.Reason != policy.ReasonReplayed || r.Fix == "" {
		t.Errorf("afterwards: %d %s", r.Status, r.Reason)
	}
	if r := ask(`,"assertion":true,"tenant":"umbrella"`); r.Status != 400 || r.Reason != "issuer_not_allowed" {
		t.Errorf("for another tenant: %d %s", r.Status, r.Reason)
	}
	if r := ask(`,"assertion":false,"tenant":"acme"`); r.Status != 401 || r.Reason != "audience_not_allowed" {
		t.Errorf("as a token: %d %s", r.Status, r.Reason)
	}
	for body, want := range map[string]string{
		`{"token":"a","assertion":"yes"}`:              "assertion must be true or false",
		`{"token":"a","scope":"read"}`:                 "scope goes with assertion",
		`{"token":"a","assertion":true,"scope":["a"]}`: `\"scope\" must be a string`,
	} {
		if w := l.explain(t, []string{"Bearer " + opsToken}, "application/json", body); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}
