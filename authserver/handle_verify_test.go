// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parsePrivate(t testing.TB, text string) any {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// row is one sentence of the contract.
type row struct {
	name    string
	target  string // "" is /verify/acme; "POST /verify" names the method too
	headers []string
	status  int    // 0 is 200
	reason  string // of a refusal
	// user … tenant are the five identity headers, in the order of the answer's documentation.
	user, email, groups, preferred, tenant string
	noToken                                bool // a refusal whose challenge says that no token came
}

// identityHeaders are those of a row, in order.
var identityHeaders = []string{headerUser, headerEmail, headerGroups, headerPreferredUsername, headerTenant}

func (l *lab) check(t *testing.T, r *row) {
	t.Helper()
	method, target, ok := strings.Cut(r.target, " ")
	if !ok {
		method, target = http.MethodGet, r.target
	}
	if target == "" {
		target = "/verify/acme"
	}
	raw := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: auth.example\r\n", method, target)
	for _, h := range r.headers {
		raw += h + "\r\n"
	}
	l.log.take()
	resp := l.send(t, raw+"\r\n")
	want := r.status
	if want == 0 {
		want = http.StatusOK
	}
	if resp.StatusCode != want {
		t.Fatalf("status %d, reason %q; want %d", resp.StatusCode, l.reason(t), want)
	}
	if got := resp.Header["Cache-Control"]; !slices.Equal(got, noStore) {
		t.Errorf("Cache-Control %q", got)
	}
	if want == http.StatusOK {
		checkIdentity(t, resp.Header, r)
		if log := l.log.take(); log != "" {
			t.Errorf("an allowed request was logged: %s", log)
		}
		return
	}
	checkRefusal(t, resp, r)
	log := l.log.take()
	l.log.Write([]byte(log)) //nolint:errcheck // a buffer
	if got := l.reason(t); got != r.reason {
		t.Errorf("reason %q, want %q", got, r.reason)
	}
	for _, h := range r.headers {
		_, value, _ := strings.Cut(h, ":")
		for part := range strings.SplitSeq(strings.TrimSpace(value), ".") {
			if len(part) > 20 && strings.Contains(log, part) {
				t.Errorf("the log holds a part of %s", h)
			}
		}
	}
}

func checkIdentity(t *testing.T, h http.Header, r *row) {
	t.Helper()
	want := []string{r.user, r.email, r.groups, r.preferred, r.tenant}
	for i, name := range identityHeaders {
		if diff := cmp.Diff([]string{want[i]}, h[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func checkRefusal(t *testing.T, resp *http.Response, r *row) {
	t.Helper()
	for name := range resp.Header {
		if strings.HasPrefix(name, "X-Auth-") {
			t.Errorf("a refusal carries %s", name)
		}
	}
	wantCode, wantChallenge := codeInvalidToken, `Bearer realm="gatehouse", error="invalid_token"`
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable:
		wantCode, wantChallenge = codeUnavailable, ""
		if resp.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	case resp.StatusCode == http.StatusNotFound:
		wantCode, wantChallenge = codeNotFound, ""
	case r.noToken:
		wantChallenge = `Bearer realm="gatehouse"`
	}
	if got := resp.Header.Get("Www-Authenticate"); got != wantChallenge {
		t.Errorf("WWW-Authenticate %q, want %q", got, wantChallenge)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got errorBody
	if err := json.Unmarshal(body, &got); err != nil || got.Error != wantCode || got.Description == "" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("body %s, want the code %s", body, wantCode)
	}
}

// TestVerifyContract goes through DESIGN §4 sentence by sentence.
func TestVerifyContract(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 2, policies(t)...))
	for _, group := range []struct {
		name string
		rows []row
	}{
		{"token", tokenRows(t)},
		{"tenant", tenantRows(t)},
		{"path", pathRows(t)},
		{"issuer", issuerRows(t)},
		{"narrowing", narrowingRows(t)},
		{"own", ownRows(t)},
		{"claims", claimRows(t)},
		{"answer", answerRows(t)},
	} {
		for i := range group.rows {
			r := &group.rows[i]
			t.Run(group.name+"/"+r.name, func(t *testing.T) { l.check(t, r) })
		}
	}
}

// allow completes a row with the identity of acme's usual token.
func allow(r row) row {
	r.user, r.email, r.groups, r.preferred, r.tenant = "acme/bob", "bob@acme.example", "dev,ops", "bob", "acme"
	return r
}

// x is the header line of a token.
func x(token string) string { return "x-jwt-token: " + token }

func tokenRows(t *testing.T) []row {
	good := cast().acme.sign(t, nil, acmeClaims)
	other := cast().acme.sign(t, nil, acmeClaims.with(obj{"sub": "rob"}))
	bearer := "Authorization: Bearer " + good
	deny := func(name, reason string, headers ...string) row {
		return row{name: name, headers: headers, status: 401, reason: reason}
	}
	none := func(name string, headers ...string) row {
		return row{name: name, headers: headers, status: 401, reason: "no_token", noToken: true}
	}
	return []row{
		allow(row{name: "x-jwt-token", headers: []string{x(good)}}),
		allow(row{name: "header names have no case", headers: []string{"X-JWT-TOKEN: " + good}}),
		allow(row{name: "white space around the value", headers: []string{"x-jwt-token: \t " + good + " \t"}}),
		allow(row{name: "Bearer", headers: []string{bearer}}),
		allow(row{name: "the scheme has no case", headers: []string{"Authorization: bEaReR " + good}}),
		allow(row{name: "spaces after the scheme", headers: []string{"Authorization: Bearer    " + good}}),
		allow(row{name: "both, the same", headers: []string{x(good), bearer}}),
		allow(row{name: "another scheme with commas beside x-jwt-token", headers: []string{x(good), `Authorization: Digest username="bob", realm="a", uri="/", response="00"`}}),
		allow(row{name: "another scheme beside x-jwt-token", headers: []string{x(good), "Authorization: Basic Ym9iOmJvYg=="}}),
		none("nothing"),
		none("another scheme", "Authorization: Basic Ym9iOmJvYg=="),
		none("a scheme that begins like Bearer", "Authorization: BearerX "+good),
		none("an empty Authorization", "Authorization:"),
		none("the bare token as Authorization", "Authorization: "+good),
		none("an underscore in the name", "x_jwt_token: "+good),
		none("a query parameter", "Cookie: token="+good),
		deny("both, different", "tokens_differ", x(good), "Authorization: Bearer "+other),
		deny("both, the bad one first", "tokens_differ", x("a.b.c"), bearer),
		deny("both, an empty Bearer", "tokens_differ", x(good), "Authorization: Bearer"),
		deny("no fall-through from a bad x-jwt-token", "segments", x("bad")),
		deny("an empty x-jwt-token does not fall through", "empty_header", "x-jwt-token:", bearer),
		deny("an empty x-jwt-token", "empty_header", "x-jwt-token:"),
		deny("an empty Bearer", "empty_header", "Authorization: Bearer"),
		deny("an empty Bearer with a space", "empty_header", "Authorization: Bearer  "),
		deny("x-jwt-token twice, the same", "duplicate_header", x(good), x(good)),
		deny("x-jwt-token twice, different", "duplicate_header", x(good), x(other)),
		deny("x-jwt-token twice, one empty", "duplicate_header", x(good), "x-jwt-token:"),
		deny("x-jwt-token twice in different case", "duplicate_header", x(good), "X-Jwt-TOKEN: "+good),
		deny("Authorization twice, the same", "duplicate_header", bearer, bearer),
		deny("Authorization twice, one Basic", "duplicate_header", "Authorization: Basic YTpi", bearer),
		deny("Authorization twice beside x-jwt-token", "duplicate_header", x(good), bearer, bearer),
		deny("two tokens in one value", "bad_characters", x(good+","+other)),
		deny("a tab after the scheme", "bad_characters", "Authorization: Bearer\t"+good),
		deny("a comma after the scheme", "bad_characters", "Authorization: Bearer,"+good),
		deny("two credentials in one value", "bad_characters", bearer+", Bearer "+good),
		deny("a quoted token", "bad_characters", `Authorization: Bearer "`+good+`"`),
		deny("the scheme twice", "bad_characters", "Authorization: Bearer Bearer "+good),
		deny("longer than 16 KiB", "token_too_long", x(strings.Repeat("A", 16<<10+1))),
	}
}

func tenantRows(t *testing.T) []row {
	c := cast()
	acme := x(c.acme.sign(t, nil, acmeClaims))
	globex := x(c.globex.sign(t, nil, globexClaims))
	carol := row{user: "carol", preferred: "carol", tenant: "globex"}
	by := func(name string, r row, target string, headers ...string) row {
		r.name, r.target, r.headers = name, target, headers
		return r
	}
	deny := func(name, target, reason string, headers ...string) row {
		return row{name: name, target: target, status: 401, reason: reason, headers: headers}
	}
	return []row{
		by("route", allow(row{}), "/verify/acme", acme),
		by("header", allow(row{}), "/verify", acme, "x-jwt-tenant-id: acme"),
		by("route and header agree", allow(row{}), "/verify/acme", acme, "x-jwt-tenant-id: acme"),
		by("envoy and header agree", allow(row{}), "/envoy/acme/x", acme, "x-jwt-tenant-id: acme"),
		by("default", carol, "/verify", globex),
		by("the default by name", carol, "/verify/globex", globex),
		by("envoy not by route, header", allow(row{}), "/envoy/-/x", acme, "x-jwt-tenant-id: acme"),
		by("envoy not by route, default", carol, "/envoy/-/acme", globex),
		deny("route and header disagree", "/verify/acme", "tenants_differ", acme, "x-jwt-tenant-id: globex"),
		deny("route and header disagree in case", "/verify/acme", "tenants_differ", acme, "x-jwt-tenant-id: ACME"),
		deny("header beats the default", "/verify", "alg_not_allowed", globex, "x-jwt-tenant-id: acme"),
		deny("the token does not choose the tenant", "/verify", "alg_not_allowed", acme),
		deny("a token of another tenant", "/verify/acme", "alg_not_allowed", globex),
		deny("a token of another tenant with one kid", "/verify/initech", "alg_not_allowed", x(c.hooli.sign(t, obj{"typ": nil}, initechClaims))),
		deny("another tenant's key, this one's issuer", "/verify/umbrella", "unknown_key", x(c.acme.sign(t, nil, acmeClaims.with(obj{"iss": "https://idp.umbrella.example"})))),
		deny("unknown by route", "/verify/nobody", "unknown_tenant", acme),
		deny("unknown by header", "/verify", "unknown_tenant", acme, "x-jwt-tenant-id: nobody"),
		deny("unknown does not fall back to the default", "/verify/nobody", "unknown_tenant", globex),
		deny("case counts", "/verify/ACME", "unknown_tenant", acme),
		deny("empty header", "/verify", "empty_header", globex, "x-jwt-tenant-id:"),
		deny("empty header beside the route", "/verify/acme", "empty_header", acme, "x-jwt-tenant-id:"),
		deny("header twice, the same", "/verify", "duplicate_header", acme, "x-jwt-tenant-id: acme", "x-jwt-tenant-id: acme"),
		deny("header twice beside the route", "/verify/acme", "duplicate_header", acme, "x-jwt-tenant-id: acme", "X-JWT-Tenant-ID: acme"),
		deny("a list in the header", "/verify", "invalid_tenant", acme, "x-jwt-tenant-id: acme,globex"),
		deny("a slash in the header", "/verify", "invalid_tenant", acme, "x-jwt-tenant-id: acme/x"),
		deny("percent in the header", "/verify", "invalid_tenant", acme, "x-jwt-tenant-id: %61cme"),
		deny("a dash is no tenant in the header", "/verify", "invalid_tenant", globex, "x-jwt-tenant-id: -"),
		deny("too long", "/verify", "invalid_tenant", acme, "x-jwt-tenant-id: "+strings.Repeat("a", 129)),
		{name: "unknown and no token", target: "/verify/nobody", status: 401, reason: "no_token", noToken: true},
	}
}

func pathRows(t *testing.T) []row {
	acme := x(cast().acme.sign(t, nil, acmeClaims))
	var rows []row
	for _, target := range []string{
		"/verify/acme", "/verify/acme?x=/y&z=%zz", "/verify/acme?", "/envoy/acme", "/envoy/acme/", "/envoy/acme//a", "/envoy/acme/../globex/x",
		"/envoy/acme/verify/globex", "/envoy/acme/%2e%2e/globex", "/envoy/acme/a%2Fb", "/envoy/acme/a;b=c", "/envoy/acme?/globex", "/envoy/acme/./x?y",
		"/envoy/acme/\xc3\xa9", "http://auth.example/verify/acme", "https://other.example:8443/envoy/acme/x?y", "http://auth.example/envoy/acme/http://x/verify/globex",
		"HEAD /verify/acme", "POST /verify/acme", "PUT /verify/acme", "DELETE /envoy/acme/x", "OPTIONS /verify/acme", "PATCH /verify/acme",
		"PROPFIND /verify/acme", "TRACE /verify/acme", "CONNECT /verify/acme", "BREW /verify/acme",
	} {
		rows = append(rows, allow(row{name: target, target: target, headers: []string{acme}}))
	}
	for _, target := range []string{ // a tenant segment that is no tenant ID
		"/verify/%61cme", "/verify/acme%2F", "/verify/acme%00", "/verify/..", "/verify/.", "/verify/-", "/verify/acme-", "/verify/ac*me", "/verify/acme;x", "/verify/acme#x",
		"/envoy/", "/envoy//acme", "/envoy/%61cme/x", "/envoy/../verify/acme", "/envoy/acme%2Fx", "/envoy/acme%3Fx", "/envoy/acme:80/x", "/envoy/--/x", "/verify/" + strings.Repeat("a", 129),
		"http://auth.example/verify/%61cme", "POST /verify/..",
	} {
		rows = append(rows, row{name: target, target: target, headers: []string{acme}, status: 401, reason: "invalid_tenant"})
	}
	for _, target := range []string{
		"/verify/", "/verify//", "/verify/acme/", "/verify/acme/b", "/verify//acme", "/verify/?x", "//verify", "//verify/acme", "/./verify", "/x/../verify/acme", "/%76erify", "/Verify", "/verifyacme",
		"/verify%2Facme", "/verify;x", "/envoy", "/envoy?x", "/ENVOY/acme", "//envoy/acme", "/", "OPTIONS *", "http://auth.example", "http://auth.example?/verify/acme", "CONNECT auth.example:443", "/metrics", "/configz", "/readyz",
	} {
		rows = append(rows, row{name: target, target: target, headers: []string{acme}, status: 404})
	}
	return rows
}

func issuerRows(t *testing.T) []row {
	c := cast()
	deny := func(name, target, reason, token string) row {
		return row{name: name, target: target, status: 401, reason: reason, headers: []string{x(token)}}
	}
	acme := func(p *party, change obj) string { return p.sign(t, nil, acmeClaims.with(change)) }
	dave := row{user: "initech/dave", preferred: "dave", tenant: "initech"}
	rows := []row{
		allow(row{name: "the second issuer", headers: []string{x(acme(c.old, obj{"iss": "https://old.acme.example"}))}}),
		deny("one issuer with the other's key", "", "bad_signature", acme(c.old, nil)),
		deny("the other issuer with one's key", "", "bad_signature", acme(c.acme, obj{"iss": "https://old.acme.example"})),
		deny("unknown issuer", "", "issuer_not_allowed", acme(c.acme, obj{"iss": "https://evil.example"})),
		deny("issuer with a slash", "", "issuer_not_allowed", acme(c.acme, obj{"iss": "https://idp.acme.example/"})),
		deny("issuer in another case", "", "issuer_not_allowed", acme(c.acme, obj{"iss": "https://IDP.acme.example"})),
		deny("no issuer", "", "issuer_not_allowed", acme(c.acme, obj{"iss": nil})),
		deny("empty issuer", "", "issuer_not_allowed", acme(c.acme, obj{"iss": ""})),
		deny("issuer in an array", "", "issuer_not_allowed", acme(c.acme, obj{"iss": []string{"https://idp.acme.example"}})),
		deny("a stranger's signature under a known kid", "", "bad_signature", acme(c.mallory, nil)),
		deny("a stranger's kid", "", "unknown_key", c.mallory.sign(t, obj{"kid": "other"}, acmeClaims)),
		deny("the token's own key", "", "bad_signature", c.mallory.sign(t, obj{"jwk": c.mallory.jwk(t)}, acmeClaims)),
		deny("none", "", "segments", encode(t, obj{"alg": "none"})+"."+encode(t, acmeClaims)+"."),
		deny("none with a signature", "", "alg_not_allowed", encode(t, obj{"alg": "none"})+"."+encode(t, acmeClaims)+".AA"),
		deny("another algorithm of the same key", "", "alg_not_allowed", (&party{"PS256", "k1", c.acme.private}).sign(t, nil, acmeClaims)),
		deny("the public key as a secret", "", "alg_not_allowed", (&party{"HS256", "k1", []byte(c.acme.jwk(t))}).sign(t, nil, acmeClaims)),
		deny("another type", "", "typ_not_allowed", c.acme.sign(t, obj{"typ": "dpop+jwt"}, acmeClaims)),
		deny("crit", "", "crit", c.acme.sign(t, obj{"crit": []string{"exp"}}, acmeClaims)),
		deny("five segments", "", "encrypted_not_accepted", "a.b.c.d.e"),
		deny("audience of somebody else", "", "audience_not_allowed", acme(c.acme, obj{"aud": "https://other.example"})),
		deny("no audience", "", "audience_not_allowed", acme(c.acme, obj{"aud": nil})),
		deny("empty audience list", "", "audience_not_allowed", acme(c.acme, obj{"aud": []string{}})),
		deny("audience of another type", "", "bad_claim_type", acme(c.acme, obj{"aud": 7})),
		deny("expired", "", "expired", acme(c.acme, obj{"exp": now.Add(-31 * time.Second).Unix()})),
		deny("no exp", "", "exp_missing", acme(c.acme, obj{"exp": nil})),
		deny("exp as a string", "", "bad_claim_type", acme(c.acme, obj{"exp": fmt.Sprint(now.Add(time.Hour).Unix())})),
		deny("not yet valid", "", "not_yet_valid", acme(c.acme, obj{"nbf": now.Add(31 * time.Second).Unix()})),
		deny("issued in the future", "", "issued_in_future", acme(c.acme, obj{"iat": now.Add(31 * time.Second).Unix()})),
		allow(row{name: "expired within the leeway", headers: []string{x(acme(c.acme, obj{"exp": now.Add(-29 * time.Second).Unix()}))}}),
		allow(row{name: "the second audience", headers: []string{x(acme(c.acme, obj{"aud": []string{"x", "https://two.example"}}))}}),
		{name: "issuerless takes any issuer", target: "/verify/globex", user: "carol", preferred: "carol", tenant: "globex", headers: []string{x(c.globex.sign(t, nil, globexClaims.with(obj{"iss": "whoever"})))}},
		{name: "a key without kid fits any", target: "/verify/globex", user: "carol", preferred: "carol", tenant: "globex", headers: []string{x(c.globex.sign(t, obj{"kid": "any"}, globexClaims))}},
		deny("issuerless does not take the server's own", "/verify/globex", "alg_not_allowed", c.globex.sign(t, nil, globexClaims.with(obj{"iss": ownIssuer}))),
		deny("a policy's key does not sign as the server", "/verify/initech", "unknown_key", c.initech.sign(t, obj{"typ": "at+jwt"}, ownClaims.with(obj{"organization": "initech"}))),
	}
	dave.name, dave.target, dave.headers = "ES256", "/verify/initech", []string{x(c.initech.sign(t, nil, initechClaims))}
	return append(rows, dave, row{name: "EdDSA", target: "/verify/hooli", user: "erin", preferred: "erin", tenant: "hooli",
		headers: []string{x(c.hooli.sign(t, nil, obj{"iss": "https://idp.hooli.example", "sub": "erin", "aud": "https://api.hooli.example", "exp": now.Add(time.Hour).Unix()}))}})
}
