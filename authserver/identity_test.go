// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// mappedPolicies are those of a server whose tenants map headers of different names.
func mappedPolicies(t testing.TB) []config.Policy {
	list := policies(t)
	from := func(claim string) config.Source { return config.Source{Claims: []string{claim}} }
	list[0].Claims.Headers = []config.HeaderMapping{{Name: "X-Acme-Plan", Source: from("plan")}, {Name: "X-Shared", Source: from("roles")}}
	list[0].Claims.Rules = []config.ClaimRule{{Claim: "tier", RequiredValue: "1", Message: "tier must be 1"}, {Expression: "claims.plan != 'none'", Message: "a plan is needed"}}
	list[1].Claims.Headers = []config.HeaderMapping{{Name: "X-Shared", Source: from("team")}, {Name: "X-Globex-Desk", Source: from("desk")}}
	return list
}

// TestMappedHeaders guards that every answer of 200 carries every mapped header of the server, whoever's it is, in place of
// what a client sent; and that no other answer carries any.
func TestMappedHeaders(t *testing.T) {
	r := run(t, newLab(t, render(t, baseOf(nil), 2, mappedPolicies(t)...)))
	e := r.envoy(t)
	acme := func(change obj) string {
		return x(cast().acme.sign(t, nil, acmeClaims.with(obj{"tier": "1", "plan": "gold"}).with(change)))
	}
	for name, c := range map[string]struct {
		target, token string
		status        int
		reason        string
		want          map[string]string // by canonical name; of 200
	}{
		"acme":              {"/verify/acme", acme(nil), 200, "", map[string]string{"X-Acme-Plan": "gold", "X-Shared": "dev,ops", "X-Globex-Desk": ""}},
		"acme, no values":   {"/verify/acme", acme(obj{"plan": "", "roles": nil}), 200, "", map[string]string{"X-Acme-Plan": "", "X-Shared": "", "X-Globex-Desk": ""}},
		"a line break":      {"/verify/acme", acme(obj{"plan": "a\r\nX-Shared: b"}), 200, "", map[string]string{"X-Acme-Plan": "a%0D%0AX-Shared:%20b", "X-Shared": "dev,ops", "X-Globex-Desk": ""}},
		"globex":            {"/verify/globex", x(cast().globex.sign(t, nil, globexClaims.with(obj{"team": "a", "desk": 7, "plan": "gold"}))), 200, "", map[string]string{"X-Acme-Plan": "", "X-Shared": "a", "X-Globex-Desk": "7"}},
		"a policy without":  {"/verify/initech", x(cast().initech.sign(t, nil, initechClaims)), 200, "", map[string]string{"X-Acme-Plan": "", "X-Shared": "", "X-Globex-Desk": ""}},
		"an own token":      {"/verify", x(signOwn(t, nil, ownClaims)), 200, "", map[string]string{"X-Acme-Plan": "", "X-Shared": "", "X-Globex-Desk": ""}},
		"claim rule":        {"/verify/acme", acme(obj{"tier": "2"}), 403, "claim_rule", nil},
		"claim rule in CEL": {"/verify/acme", acme(obj{"plan": "none"}), 403, "claim_rule", nil},
		"a rule that fails": {"/verify/acme", acme(obj{"plan": nil}), 403, "claim_rule", nil},
		"refused":           {"/verify/acme", x("a.b.c"), 401, "bad_base64url", nil},
	} {
		t.Run(name, func(t *testing.T) {
			lines := []string{c.token, "X-Acme-Plan: evil", "X-Shared: evil", "X-Globex-Desk: evil", "X_Acme_Plan: evil", "X-Auth-Request-User: evil", "X_Auth_Request-User: evil"}
			r.log.take()
			resp := r.send(t, "GET "+c.target+" HTTP/1.1\r\nHost: a\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n")
			if got := r.reason(t); resp.StatusCode != c.status || got != c.reason {
				t.Errorf("%d %q", resp.StatusCode, got)
			}
			got := map[string]string{}
			for name := range resp.Header {
				if name == "X-Shared" || strings.HasPrefix(name, "X-Acme") || strings.HasPrefix(name, "X-Globex") {
					got[name] = strings.Join(resp.Header[name], " and ")
				}
				if c.status != 200 && strings.HasPrefix(name, "X-") {
					t.Errorf("a refusal carries %s", name)
				}
			}
			if len(got) != len(c.want) || c.want != nil && !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			sent := headersOf(lines)
			out := e.check(t, checkRequest(sent, routeOf(t, c.target), false))
			if c.status != 200 {
				if want := map[int]codes.Code{401: codes.Unauthenticated, 403: codes.PermissionDenied}[c.status]; out.GetStatus().GetCode() != int32(want) {
					t.Errorf("over gRPC: %v", out)
				}
				return
			}
			arrived := map[string]string{}
			for name, values := range upstream(sent, out.GetOkResponse()) {
				if strings.Contains(strings.Join(values, ","), "evil") {
					t.Errorf("the application gets %s: %s", name, values)
				}
				arrived[http.CanonicalHeaderKey(name)] = strings.Join(values, " and ")
			}
			for name, value := range c.want {
				if arrived[name] != value {
					t.Errorf("over gRPC, %s is %q, want %q", name, arrived[name], value)
				}
			}
			headers := map[string]any{}
			for name, value := range c.want {
				headers[strings.ToLower(name)] = value
			}
			if diff := cmp.Diff(headers, out.GetDynamicMetadata().AsMap()["headers"]); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}
