// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"fmt"
	"maps"
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
