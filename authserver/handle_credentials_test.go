// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
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

// TestCredentialFailures guards what a caller is told of an endpoint that fails, which is nothing of what it sent, and that others go on.
func TestCredentialFailures(t *testing.T) {
	const hush = "hush-hush-client-secret"
	for name, row := range map[string]struct {
		behaviour tokenendpoint.Behaviour
		status    int
		code      string
		reason    string
	}{
		"an error with a secret":      {tokenendpoint.Answer(500, `{"error":"`+hush+`"}`), 503, codeUnavailable, "BadStatus"},
		"busy":                        {tokenendpoint.Busy(7 * time.Second), 503, codeUnavailable, "BadStatus"},
		"refused":                     {tokenendpoint.Answer(400, `{"error":"invalid_grant","error_description":"`+hush+`"}`), 502, codeServerError, "RequestRefused"},
		"a token that splits headers": {tokenendpoint.Answer(200, `{"access_token":"a\r\nX-Evil: 1","token_type":"Bearer"}`), 502, codeServerError, "BadContent"},
		"another type of token":       {tokenendpoint.Answer(200, `{"access_token":"`+hush+`","token_type":"DPoP"}`), 502, codeServerError, "BadContent"},
		"no token":                    {tokenendpoint.Answer(200, `{}`), 502, codeServerError, "BadContent"},
		"cut":                         {tokenendpoint.Cut(), 503, codeUnavailable, "Unreachable"},
	} {
		e := tokenEndpoint(t)
		e.Misbehave(row.behaviour)
		l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs), plainCredential("other", devs)))
		for range 3 { // the second from memory
			a := l.get(t, "/credentials/api", dev(t)...)
			var body errorBody
			if err := json.Unmarshal([]byte(a.body), &body); err != nil {
				t.Fatalf("%s: %s", name, a.body)
			}
			want := errorBody{row.code, "the provider gave no token: " + row.reason}
			if a.status != row.status || body != want || a.header.Get("Retry-After") == "" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %+v %v", name, a.status, body, a.header)
			}
			silent(t, name, a.body, hush, "X-Evil")
		}
		if e.Requests() != 1 {
			t.Errorf("%s: %d attempts at once", name, e.Requests())
		}
		if l.get(t, "/credentials/other", dev(t)...).status != 200 {
			t.Errorf("%s: another credential has no token either", name)
		}
		if c := l.ofCredential(t, "api"); c.Status != "False" || c.Reason != row.reason || c.Message == "" {
			t.Errorf("%s: %+v", name, c)
		}
		log := l.logWith(t, `"event":"credential.failed"`)
		if strings.Count(log, `"event":"credential.failed","provider":"default/api","reason":"`+row.reason+`"`) != 1 {
			t.Errorf("%s: not told as it should be:\n%s", name, log)
		}
		silent(t, "the log, "+name, log+httpGetOps(t, l, "/configz")+httpGetOps(t, l, "/metrics"), hush, "X-Evil")
	}
}

// TestCredentialOutOfTime guards that an endpoint that never answers is 504, for who waits and as an error.
func TestCredentialOutOfTime(t *testing.T) {
	e := tokenEndpoint(t)
	until := make(chan struct{})
	e.Misbehave(tokenendpoint.Hang(until))
	defer close(until)
	l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs)))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	a := l.request(ctx, t, http.MethodGet, "/credentials/api", dev(t)...)
	if a.status != http.StatusGatewayTimeout || a.header.Get("Retry-After") != "1" || !strings.Contains(a.body, codeUnavailable) {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	// The attempt's own end, which comes after 10 s, here sooner.
	c := credentialOf("api", e.URL(), "")
	maker, err := assertion.Compile(&c)
	if err != nil {
		t.Fatal(err)
	}
	clients := outbound.NewClients(outbound.Options{})
	client, err := clients.Get(outbound.Profile{AllowedCIDRs: "127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	short, cancelShort := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelShort()
	_, err = maker.Obtain(short, client, func() time.Time { return now }, zeros{})
	if f := faultOf(err); f.status != http.StatusGatewayTimeout || f.after < time.Second {
		t.Errorf("%+v of %v", f, err)
	}
}

// zeros is randomness that nothing rests on.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

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

// TestOneFetchForAll guards that two hundred callers who find no token cause one request.
func TestOneFetchForAll(t *testing.T) {
	e := tokenEndpoint(t)
	l := newLab(t, renderWith(t, policies(t), credentialOf("api", e.URL(), devs)))
	headers := dev(t)
	var wg sync.WaitGroup
	answers := make([]asked, 200)
	for i := range answers {
		wg.Go(func() { answers[i] = l.get(t, "/credentials/api", headers...) })
	}
	wg.Wait()
	for _, a := range answers {
		if a.status != 200 || a.given(t) != e.Tokens()[0] {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	if e.Requests() != 1 {
		t.Errorf("%d requests", e.Requests())
	}
}

// TestCredentialsAcrossReloads guards that a token outlives changes that are not its own, an attempt under way included, and no change of its own.
func TestCredentialsAcrossReloads(t *testing.T) {
	e := tokenEndpoint(t)
	api := credentialOf("api", e.URL(), devs)
	load := func(l *lab, credentials ...config.Credential) {
		t.Helper()
		if err := l.Load(renderWith(t, policies(t), credentials...)); err != nil {
			t.Fatal(err)
		}
	}
	l := newLab(t, renderWith(t, policies(t), api))
	first := l.get(t, "/credentials/api", dev(t)...).given(t)

	other := credentialOf("other", e.URL(), "")
	load(l, api, other)
	if again := l.get(t, "/credentials/api", dev(t)...).given(t); again != first {
		t.Error("the token went with a change of another credential")
	}
	api.AllowedCallers = "username == 'eve'"
	load(l, api)
	if a := l.get(t, "/credentials/api", dev(t)...); a.status != 404 {
		t.Errorf("somebody who was admitted before a change is admitted still: %d", a.status)
	}
	api.AllowedCallers = devs
	load(l, api)
	if again := l.get(t, "/credentials/api", dev(t)...).given(t); again == first {
		t.Error("a credential that changed kept its token")
	}
	load(l)
	if a := l.get(t, "/credentials/api", dev(t)...); a.status != 404 {
		t.Errorf("removed: %d", a.status)
	}
	if c := l.ofCredential(t, "api"); c.Status != "" {
		t.Errorf("removed: %+v", c)
	}

	// While a request is under way.
	hold, held := make(chan struct{}), make(chan struct{})
	var once sync.Once
	e.Misbehave(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(held) })
		<-hold
		tokenendpoint.Answer(200, `{"access_token":"slow","token_type":"Bearer","expires_in":3600}`)(w, r)
	})
	load(l, api)
	before := e.Requests()
	answers := make(chan asked, 2)
	headers := dev(t)
	go func() { answers <- l.get(t, "/credentials/api", headers...) }()
	<-held
	load(l, api, other)
	go func() { answers <- l.get(t, "/credentials/api", headers...) }()
	close(hold)
	for range 2 {
		if a := <-answers; a.given(t) != "slow" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if n := e.Requests() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestBrokenCredential guards that one that cannot be used breaks neither its file nor others, and says why.
func TestBrokenCredential(t *testing.T) {
	broken := plainCredential("broken", devs)
	broken.Algorithm = "RS256"
	odd := plainCredential("odd", "nonsense(")
	l := newLab(t, renderWith(t, policies(t), broken, odd, plainCredential("fine", devs)))
	for name, status := range map[string]int{"broken": 502, "odd": 404, "fine": 200} {
		if a := l.get(t, "/credentials/"+name, dev(t)...); a.status != status {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for name, want := range map[string]string{"broken": "keySecretRef", "odd": "allowedCallers"} {
		if c := l.ofCredential(t, name); c.Status != "False" || c.Reason != "InvalidSource" || !strings.HasPrefix(c.Message, want) || strings.Contains(c.Message, "nonsense") {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if diff := cmp.Diff(map[string]float64{`{state="ready"}`: 1, `{state="failing"}`: 2}, samples(t, l, "gatehouse_credentials")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCredentialAboutToExpire guards that nobody is given a token that ends within the second.
func TestCredentialAboutToExpire(t *testing.T) {
	var past atomic.Int64
	l := newLabWith(t, renderWith(t, policies(t), func() config.Credential {
		c := plainCredential("api", devs)
		c.Lifetime = config.Duration(10 * time.Second)
		return c
	}()), func(o *Options) { o.Now = func() time.Time { return now.Add(time.Duration(past.Load())) } })
	l.get(t, "/credentials/api", dev(t)...).given(t)
	past.Store(int64(3500 * time.Millisecond))
	var body struct {
		ExpiresIn int64 `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(l.get(t, "/credentials/api", dev(t)...).body), &body); err != nil || body.ExpiresIn != 6 {
		t.Errorf("%+v, %v: want 6 whole seconds", body, err)
	}
	past.Store(int64(9500 * time.Millisecond)) // renewed behind the first of these answers, which is too short
	if a := l.get(t, "/credentials/api", dev(t)...); (a.status != 200 || strings.Contains(a.body, `"expires_in":0`)) && (a.status != 503 || a.header.Get("Retry-After") != "1") {
		t.Errorf("half a second before the end: %d %v %s", a.status, a.header, a.body)
	}
	eventually(t, "a token to be renewed", func() bool { return l.get(t, "/credentials/api", dev(t)...).status == 200 })
}
