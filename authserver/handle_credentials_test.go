// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// dev is a caller of tenant acme in the group dev, whom devs admits.
const devs = "tenant == 'acme' && 'dev' in groups && username == 'bob' && claims.email == 'bob@acme.example'"

func dev(t testing.TB) []string {
	t.Helper()
	return []string{x(cast().acme.sign(t, nil, acmeClaims)), "X-Jwt-Tenant-Id: acme"}
}

// TestCredential guards the answer to a caller who is allowed: exactly the three members, for no cache, and nothing of who the caller is.
func TestCredential(t *testing.T) {
	e := tokenEndpoint(t)
	l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs)))
	if e.Requests() != 0 {
		t.Error("a token was fetched when the configuration was loaded")
	}
	if c := l.ofCredential(t, "api"); c.Status != "Unknown" || c.Reason != "NotYetFetched" {
		t.Errorf("before the first request: %+v", c)
	}
	for range 3 {
		a := l.get(t, "/credentials/api", dev(t)...)
		var body map[string]any
		if err := json.Unmarshal([]byte(a.body), &body); err != nil {
			t.Fatalf("%d %s", a.status, a.body)
		}
		if diff := cmp.Diff(map[string]any{"access_token": e.Tokens()[0], "token_type": "Bearer", "expires_in": 3600.0}, body); diff != "" || a.status != 200 {
			t.Errorf("%d (-want +got):\n%s", a.status, diff)
		}
		if diff := cmp.Diff(http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}, "Content-Length": {strconv.Itoa(len(a.body))}}, a.header); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if e.Requests() != 1 {
		t.Errorf("%d requests for one token", e.Requests())
	}
	if a := l.request(t.Context(), t, http.MethodHead, "/credentials/api", dev(t)...); a.status != 200 {
		t.Errorf("HEAD: %d", a.status)
	}
	if c := l.ofCredential(t, "api"); c.Status != "True" || c.Reason != "Ready" {
		t.Errorf("afterwards: %+v", c)
	}
	log := l.log.take()
	if n := strings.Count(log, `"credential.issued"`); n != 2 || !strings.Contains(log, `"provider":"default/api","tenant":"acme","policy":"TenantJWTPolicy/default/acme"`) {
		t.Errorf("told %d times, want 2: the first of a caller's token, and the second, with which it is remembered\n%s", n, log)
	}
	silent(t, "the log", log, e.Tokens()...)
	silent(t, "/configz", httpGetOps(t, l, "/configz"), e.Tokens()...)
	silent(t, "/metrics", httpGetOps(t, l, "/metrics"), e.Tokens()...)
	if diff := cmp.Diff(map[string]float64{`{result="issued"}`: 4}, samples(t, l, "gatehouse_credential_requests_total")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTokensInJSON guards that each token that a provider may give arrives as it is: every character that one may have.
func TestTokensInJSON(t *testing.T) {
	var all []byte
	for c := byte('!'); c <= '~'; c++ {
		all = append(all, c)
	}
	for _, value := range []string{string(all), strings.Repeat(string(all), 174)} {
		w := httptest.NewRecorder()
		writeToken(w, &assertion.Token{Value: value, Type: assertion.Bearer}, 59)
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]any{"access_token": value, "token_type": "Bearer", "expires_in": 59.0}, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestCredentialsNotToBeHad guards that who may not have a token never learns whether there is one, and that who does not show a token learns nothing at all.
func TestCredentialsNotToBeHad(t *testing.T) {
	e := tokenEndpoint(t)
	ruled := policyOf("ruled", func(p *config.Policy) {
		p.Issuers = []config.Issuer{inline(t, "https://idp.acme.example", cast().acme)}
		p.Claims.Rules = []config.ClaimRule{{Claim: "plan", RequiredValue: "gold"}}
	})
	away := policyOf("away", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://idp.acme.example", JWKSURI: "http://127.0.0.1:1/keys"}}
	})
	l := newLab(t, renderWith(t, append(policies(t), ruled, away),
		credentialOf("api", e.URL(), devs), credentialOf("closed", e.URL(), ""), credentialOf("others", e.URL(), "tenant == 'globex'"), credentialOf("failing", e.URL(), "claims.absent == 1")))
	token := x(cast().acme.sign(t, nil, acmeClaims))
	for name, row := range map[string]struct {
		status    int
		headers   []string
		challenge string
	}{
		"unknown and not allowed":     {404, []string{token, "X-Jwt-Tenant-Id: acme"}, ""},
		"no token":                    {401, []string{"X-Jwt-Tenant-Id: acme"}, challenge},
		"a cookie alone":              {401, []string{"Cookie: __Host-gatehouse-session=abc", "X-Jwt-Tenant-Id: acme"}, challenge},
		"another tenant":              {401, []string{token, "X-Jwt-Tenant-Id: globex"}, challengeInvalid},
		"a tenant that is not there":  {401, []string{token, "X-Jwt-Tenant-Id: nowhere"}, challengeInvalid},
		"two tokens":                  {401, []string{token, token, "X-Jwt-Tenant-Id: acme"}, challengeInvalid},
		"two tenants":                 {401, []string{token, "X-Jwt-Tenant-Id: acme", "X-Jwt-Tenant-Id: acme"}, challengeInvalid},
		"narrowed to another issuer":  {401, []string{token, "X-Jwt-Tenant-Id: acme", "X-Jwt-Issuer: https://old.acme.example"}, challengeInvalid},
		"another's signature":         {401, []string{x(cast().mallory.sign(t, nil, acmeClaims)), "X-Jwt-Tenant-Id: acme"}, challengeInvalid},
		"expired":                     {401, []string{x(cast().acme.sign(t, nil, acmeClaims.with(obj{"exp": now.Add(-time.Hour).Unix()}))), "X-Jwt-Tenant-Id: acme"}, challengeInvalid},
		"a claim rule":                {403, []string{token, "X-Jwt-Tenant-Id: ruled"}, ""},
		"keys that cannot be fetched": {503, []string{token, "X-Jwt-Tenant-Id: away"}, ""},
	} {
		first := l.get(t, "/credentials/nothing", row.headers...)
		if first.status != row.status || first.header.Get("WWW-Authenticate") != row.challenge || first.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", name, first.status, first.header, first.body)
		}
		for _, target := range []string{"closed", "others", "failing", "api"} {
			if target == "api" && row.status == 404 {
				continue
			}
			for range 3 {
				if diff := cmp.Diff(first, l.get(t, "/credentials/"+target, row.headers...), cmp.AllowUnexported(asked{})); diff != "" {
					t.Errorf("%s: %s is told from one that is not there:\n%s", name, target, diff)
				}
			}
		}
	}
	if e.Requests() != 0 {
		t.Error("a token was fetched for somebody who may not have it")
	}
	if log := l.log.take(); !strings.Contains(log, `"event":"credential.refused","provider":"default/others","tenant":"acme"`) || strings.Contains(log, "nothing") {
		t.Errorf("what was asked for is not told as it should be:\n%s", log)
	}
}

// TestCredentialCallers guards who is admitted by which names: an own token by its own, and nobody by a policy that is not the one that decided.
func TestCredentialCallers(t *testing.T) {
	l := newLab(t, renderWith(t, policies(t), plainCredential("api", "tenant == 'staff' && username == 'eve' && groups == ['admins']"), plainCredential("globex", "tenant == 'globex' && username == 'carol'")))
	own, carol := x(signOwn(t, nil, ownClaims)), x(cast().globex.sign(t, nil, globexClaims))
	for _, row := range []struct {
		target string
		header []string
		status int
	}{
		{"/credentials/api", []string{own}, 200},
		{"/credentials/api", []string{"Authorization: Bearer " + signOwn(t, nil, ownClaims)}, 200},
		{"/credentials/api", []string{own, "X-Jwt-Tenant-Id: staff"}, 200},
		{"/credentials/api", []string{own, "X-Jwt-Tenant-Id: acme"}, 401},
		{"/credentials/api", []string{x(signOwn(t, nil, ownClaims.with(obj{"organization": "initech"})))}, 404},
		{"/credentials/globex", []string{carol}, 200}, // by the default policy
		{"/credentials/globex", []string{own}, 404},
		{"/credentials/api", []string{carol}, 404},
		{"/credentials/%61pi", []string{own}, 404},
		{"/credentials/api?access_token=x", []string{own}, 200},
	} {
		if a := l.get(t, row.target, row.header...); a.status != row.status {
			t.Errorf("%s %v: %d, want %d", row.target, row.header, a.status, row.status)
		}
	}
}

// TestCredentialPaths guards what is no request for a credential.
func TestCredentialPaths(t *testing.T) {
	l := newLab(t, renderWith(t, policies(t), plainCredential("api", "true")))
	for target, status := range map[string]int{
		"GET /credentials": 404, "GET /credentials/": 404, "GET /credentials/api/": 404, "GET /credentials/api/x": 404, "GET /credentials//api": 404,
		"POST /credentials/api": 405, "POST /credentials/nothing": 405, "OPTIONS /credentials/api": 405,
	} {
		method, path, _ := strings.Cut(target, " ")
		a := l.request(t.Context(), t, method, path, dev(t)...)
		if a.status != status || status == 405 && a.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d %v", target, a.status, a.header)
		}
	}
	if a := newLab(t, nil).get(t, "/credentials/api", dev(t)...); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("without configuration: %d", a.status)
	}
}

// TestCredentialCrowd guards that who comes while 256 wait at a hanging token endpoint is answered at once, at /credentials and at /verify, and that its provider is not told as
// failing for it. The clock of its bubble stands while a goroutine waits for the network, as one does here all along: nobody's time ends, however slow the machine.
func TestCredentialCrowd(t *testing.T) {
	e := tokenEndpoint(t)
	until := make(chan struct{})
	defer close(until)
	e.Misbehave(tokenendpoint.Hang(until))
	files, headers := renderWith(t, withUpstream(t, map[string]string{"acme": "api"}), credentialOf("api", e.URL(), devs)), dev(t)
	late := time.After(2 * time.Minute) // of the machine's clock
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, files)
		ctx, cancel := context.WithCancel(t.Context())
		defer e.Server().CloseClientConnections() // which ends the attempt
		defer cancel()
		const crowd = 256
		answers := make(chan asked, crowd+1)
		for range crowd + 1 {
			go func() { answers <- l.request(ctx, t, http.MethodGet, "/credentials/api", headers...) }()
		}
		var a asked // of the one for whom there is no place; the others wait
		select {
		case a = <-answers:
		case <-late:
			t.Fatal("all wait")
		}
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "1" || !strings.Contains(a.body, codeUnavailable) || !strings.Contains(a.body, assertion.ReasonTooManyWaiting) {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
		a = l.get(t, "/verify/acme", headers[0])
		if log := l.log.take(); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "1" || a.header["Authorization"] != nil || !strings.Contains(log, assertion.ReasonTooManyWaiting) {
			t.Errorf("%d %v %s\n%s", a.status, a.header, a.body, log)
		}
		if c := l.ofCredential(t, "api"); c.Reason != "NotYetFetched" {
			t.Errorf("%+v", c)
		}
		cancel()
		for range crowd {
			if a := <-answers; a.status != http.StatusGatewayTimeout {
				t.Errorf("whoever had a place: %d %s", a.status, a.body)
			}
		}
	})
}
