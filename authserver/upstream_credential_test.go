// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// withUpstream are the policies of most tests; those of the tenants named are given a credential.
func withUpstream(t testing.TB, credentials map[string]string) []config.Policy {
	t.Helper()
	all := policies(t)
	for i := range all {
		all[i].UpstreamCredential = credentials[all[i].TenantID]
	}
	return all
}

// TestUpstreamCredential guards what the application gets over HTTP: the token of the credential that the deciding policy names, and nothing of it on any other answer.
func TestUpstreamCredential(t *testing.T) {
	e, other := tokenEndpoint(t), tokenEndpoint(t)
	l := newLab(t, renderWith(t, withUpstream(t, map[string]string{"acme": "api", "initech": "default_other"}), credentialOf("api", e.URL(), ""), credentialOf("default_other", other.URL(), "")))
	acme, initech, globex := cast().acme.sign(t, nil, acmeClaims), cast().initech.sign(t, nil, initechClaims), cast().globex.sign(t, nil, globexClaims)
	own := signOwn(t, nil, ownClaims.with(obj{"organization": "initech"}))
	for range 3 { // decided, and remembered
		for _, row := range []struct {
			target, header string
			status         int
			from           *tokenendpoint.Endpoint
		}{
			{"/verify/acme", x(acme), 200, e},
			{"/verify/acme", "Authorization: Bearer " + acme, 200, e},
			{"/envoy/acme/app/path", x(acme), 200, e},
			{"/verify/initech", x(initech), 200, other},
			{"/verify", x(own), 200, other}, // an own token, by the policy of its organization
			{"/verify", x(globex), 200, nil},
			{"/verify", x(signOwn(t, nil, ownClaims)), 200, nil},
			{"/verify/acme", x(globex), 401, nil},
			{"/verify/acme", "X-Nothing: 1", 401, nil},
		} {
			a := l.get(t, row.target, row.header)
			want := []string(nil)
			if row.from != nil {
				want = []string{"Bearer " + row.from.Tokens()[0]}
			}
			if a.status != row.status || !slices.Equal(a.header["Authorization"], want) {
				t.Errorf("%s %.40s: %d, Authorization %.20v, want %.20v", row.target, row.header, a.status, a.header["Authorization"], want)
			}
		}
	}
	if e.Requests() != 1 || other.Requests() != 1 {
		t.Errorf("%d and %d requests", e.Requests(), other.Requests())
	}
	silent(t, "the log", l.log.take(), append(e.Tokens(), other.Tokens()...)...)
}

// TestUpstreamCredentialIsMissing guards that no request reaches an application with the caller's token in the place of one that there is none of.
func TestUpstreamCredentialIsMissing(t *testing.T) {
	e := tokenEndpoint(t)
	e.Misbehave(tokenendpoint.Busy(9 * time.Second))
	broken := plainCredential("broken", "")
	broken.Algorithm = "RS256"
	l := newLab(t, renderWith(t, withUpstream(t, map[string]string{"acme": "api", "initech": "gone", "umbrella": "broken"}), credentialOf("api", e.URL(), ""), broken))
	for tenant, row := range map[string]struct{ token, retry, detail string }{
		"acme":     {cast().acme.sign(t, nil, acmeClaims), "9", "BadStatus: "},
		"initech":  {cast().initech.sign(t, nil, initechClaims), "1", "is not served"},
		"umbrella": {cast().umbrella.sign(t, nil, obj{"iss": "https://idp.umbrella.example", "sub": "x", "exp": now.Add(time.Hour).Unix()}), "1", "InvalidSource: keySecretRef"},
	} {
		a := l.get(t, "/verify/"+tenant, x(row.token))
		if a.status != 503 || a.header.Get("Retry-After") != row.retry || !strings.Contains(a.body, codeUnavailable) || a.header["Authorization"] != nil || a.header[headerUser] != nil {
			t.Errorf("%s: %d %v %s", tenant, a.status, a.header, a.body)
		}
		if log := l.log.take(); !strings.Contains(log, `"reason":"credential_unavailable"`) || !strings.Contains(log, row.detail) {
			t.Errorf("%s: told as\n%s", tenant, log)
		}
		answer := gate{l.overGRPC}.Decide(t.Context(), requestOf(t, tenant, row.token))
		if answer.Refusal == nil || answer.Refusal.Status != 503 || answer.Refusal.RetryAfter != row.retry || answer.Authorization != "" {
			t.Errorf("%s over gRPC: %+v", tenant, answer)
		}
		if a := l.get(t, "/verify/"+tenant, x(cast().mallory.sign(t, nil, acmeClaims))); a.status != 401 {
			t.Errorf("%s: who is not let in is told of the credential: %d", tenant, a.status)
		}
	}
	e.Misbehave(nil)
	if samples(t, l, "gatehouse_verify_total")[`{algorithm="RS256",protocol="http",reason="credential_unavailable",result="unavailable"}`] != 2 {
		t.Errorf("not counted: %v", samples(t, l, "gatehouse_verify_total"))
	}
}

// TestUpstreamCredentialOutlivesItsEndpoint guards that a token that is still good serves while its endpoint is away.
func TestUpstreamCredentialOutlivesItsEndpoint(t *testing.T) {
	e := tokenEndpoint(t)
	l := newLab(t, renderWith(t, withUpstream(t, map[string]string{"acme": "api"}), credentialOf("api", e.URL(), devs)))
	acme := x(cast().acme.sign(t, nil, acmeClaims))
	if a := l.get(t, "/verify/acme", acme); a.status != 200 {
		t.Fatal(a)
	}
	e.Down()
	if a := l.get(t, "/verify/acme", acme); a.status != 200 || a.header.Get("Authorization") == "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := l.get(t, "/credentials/api", dev(t)...); a.given(t) != e.Tokens()[0] {
		t.Error("/credentials has another token than /verify")
	}
}

// requestOf is a request of Envoy's by the route of a tenant.
func requestOf(t testing.TB, tenant, token string) *extauthz.Request {
	t.Helper()
	r := &extauthz.Request{}
	r.Facts.Route, r.Facts.ByRoute = tenant, true
	r.Facts.Token = []string{token}
	return r
}

// TestUpstreamCredentialOverGRPC guards what Envoy does to the client's Authorization: it is overwritten where the policy names a credential, never appended to nor removed,
// and left alone elsewhere.
func TestUpstreamCredentialOverGRPC(t *testing.T) {
	e := tokenEndpoint(t)
	r := run(t, newLab(t, renderWith(t, withUpstream(t, map[string]string{"acme": "api"}), credentialOf("api", e.URL(), ""))))
	client := r.envoy(t)
	for _, row := range []struct {
		tenant, token string
		replaced      bool
	}{
		{"acme", cast().acme.sign(t, nil, acmeClaims), true},
		{"initech", cast().initech.sign(t, nil, initechClaims), false},
	} {
		for _, raw := range []bool{true, false} {
			answer, err := client.Check(t.Context(), checkRequest(headersOf([]string{"Authorization: Bearer " + row.token, "x_authorization: evil"}), &row.tenant, raw))
			if err != nil || answer.GetOkResponse() == nil {
				t.Fatalf("%v, %v", answer, err)
			}
			checkAuthorization(t, answer, row.replaced, e)
		}
	}
}

func checkAuthorization(t *testing.T, answer *authv3.CheckResponse, replaced bool, e *tokenendpoint.Endpoint) {
	t.Helper()
	ok := answer.GetOkResponse()
	var set []*corev3.HeaderValueOption
	for _, o := range ok.GetHeaders() {
		if strings.EqualFold(o.GetHeader().GetKey(), "authorization") {
			set = append(set, o)
		}
	}
	if slices.ContainsFunc(ok.GetHeadersToRemove(), func(name string) bool { return strings.EqualFold(name, "authorization") }) {
		t.Error("Authorization is removed")
	}
	switch {
	case !replaced && len(set) > 0:
		t.Error("Authorization is set without a credential")
	case replaced && (len(set) != 1 || set[0].GetHeader().GetValue() != "Bearer "+e.Tokens()[0] || set[0].GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD):
		t.Errorf("%d options set Authorization, of the first the action is %v", len(set), set[0].GetAppendAction())
	}
	if strings.Contains(answer.GetDynamicMetadata().String(), "Bearer") {
		t.Error("the token is in the dynamic metadata, which filters log")
	}
}

// TestExplainUpstreamCredential guards that a report says which credential goes to the application, why there is none, and never the token.
func TestExplainUpstreamCredential(t *testing.T) {
	e := tokenEndpoint(t)
	l := newLab(t, renderWith(t, withUpstream(t, map[string]string{"acme": "api", "initech": "gone"}), credentialOf("api", e.URL(), "")))
	l.opsAuth.set(opsToken)
	for tenant, row := range map[string]struct{ token, want string }{
		"acme":    {cast().acme.sign(t, nil, acmeClaims), `"name":"upstream_credential","outcome":"passed","detail":"the application gets the token of \"api\" as Authorization"`},
		"initech": {cast().initech.sign(t, nil, initechClaims), `"name":"upstream_credential","outcome":"failed","detail":"the IdentityProvider that spec.upstreamCredential names is not served`},
	} {
		text := l.explain(t, []string{"Bearer " + opsToken}, "application/json", `{"token":"`+row.token+`","tenant":"`+tenant+`"}`).Body.String()
		if !strings.Contains(text, row.want) || (tenant == "acme") != strings.Contains(text, `"upstreamCredential":"api"`) {
			t.Errorf("%s: %s", tenant, text)
		}
		silent(t, "the report", text, e.Tokens()...)
	}
	if http.StatusOK != l.get(t, "/verify/acme", x(cast().acme.sign(t, nil, acmeClaims))).status {
		t.Error("the report is not what /verify says")
	}
}
