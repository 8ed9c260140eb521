// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc/metadata"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// tracedLab is a lab whose spans are kept.
func tracedLab(t *testing.T, files map[string][]byte) (*lab, *tracetest.SpanRecorder) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	return newLabWith(t, files, func(o *Options) { o.Tracer = provider.Tracer("test") }), recorder
}

// told is what a span tells.
type told struct {
	Name, Parent string
	Failed       bool
	Attributes   map[string]string
}

func tell(span sdktrace.ReadOnlySpan) told {
	s := told{Name: span.Name(), Failed: span.Status().Code == codes.Error, Attributes: map[string]string{}}
	if span.Parent().IsValid() {
		s.Parent = span.Parent().TraceID().String()[30:] + "/" + span.Parent().SpanID().String()[14:]
	}
	for _, a := range span.Attributes() {
		s.Attributes[string(a.Key)] = a.Value.String()
	}
	return s
}

// TestSpans guards what traces tell: decisions within the trace of the request, by both protocols, key fetches and logins;
// and that they hold nothing of a token, a header or a user.
func TestSpans(t *testing.T) {
	url := startIssuer(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"keys":[%s]}`, cast().old.jwk(t))
	}) + "?key=hunter2"
	list := append(mappedPolicies(t), policyOf("remote", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://old.acme.example", JWKSURI: url}}
	}))
	l, recorder := tracedLab(t, render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"} }), 1, list...))
	r := run(t, l)
	e := r.envoy(t)
	const parent, grandparent = "00-000000000000000000000000000000aa-00000000000000bb-01", "00-000000000000000000000000000000aa-00000000000000cc-01"
	secret := cast().acme.sign(t, nil, acmeClaims.with(obj{"tier": "1", "plan": "gold"}))
	good := x(secret)
	tenant := "acme"
	decision := func(name, parent, protocol, tenant, result, reason, algorithm, status string) told {
		return told{Name: name, Parent: parent, Failed: status == "503", Attributes: map[string]string{"gatehouse.protocol": protocol, "gatehouse.tenant": tenant, "gatehouse.result": result,
			"gatehouse.reason": reason, "gatehouse.algorithm": algorithm, "gatehouse.cached": "false", "http.response.status_code": status}}
	}
	for name, c := range map[string]struct {
		do   func()
		want []told
	}{
		"allowed":  {func() { r.ask(t, "/verify/acme", good, "traceparent: "+parent) }, []told{decision("gatehouse.verify", "aa/bb", "http", "acme", "allowed", "", "RS256", "200")}},
		"refused":  {func() { r.ask(t, "/verify/acme", x("a.b.c")) }, []told{decision("gatehouse.verify", "", "http", "acme", "refused", "bad_base64url", "", "401")}},
		"no trace": {func() { r.ask(t, "/verify/acme", x("a.b.c"), "traceparent: nonsense") }, []told{decision("gatehouse.verify", "", "http", "acme", "refused", "bad_base64url", "", "401")}},
		"ext_authz": {func() {
			e.check(t, checkRequest(headersOf([]string{x("a.b.c"), "traceparent: " + grandparent}), &tenant, false))
		},
			[]told{decision("gatehouse.ext_authz", "aa/cc", "grpc", "acme", "refused", "bad_base64url", "", "401")}},
		"ext_authz that Envoy traces": {func() {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", parent)
			if _, err := e.Check(ctx, checkRequest(headersOf([]string{x("a.b.c"), "traceparent: " + grandparent}), &tenant, false)); err != nil {
				t.Error(err)
			}
		}, []told{decision("gatehouse.ext_authz", "aa/bb", "grpc", "acme", "refused", "bad_base64url", "", "401")}},
		"a fetch": {func() {
			r.ask(t, "/verify/remote", x(cast().old.sign(t, nil, acmeClaims.with(obj{"iss": "https://old.acme.example"}))))
		},
			[]told{{Name: "gatehouse.jwks.fetch", Attributes: map[string]string{"server.address": "127.0.0.1", "gatehouse.reason": "Ready"}}, decision("gatehouse.verify", "", "http", "remote", "allowed", "", "RS256", "200")}},
		"a login": {func() {
			r.send(t, "POST /api/v1/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		}, []told{{Name: "gatehouse.login", Attributes: map[string]string{"http.response.status_code": "404"}}}},
		"a grant": {func() {
			r.send(t, "POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n")
		}, []told{{Name: "gatehouse.token", Attributes: map[string]string{"http.response.status_code": "400"}}}},
		"a form": {func() {
			r.send(t, "POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\n\r\n")
		}, []told{{Name: "gatehouse.login", Attributes: map[string]string{"http.response.status_code": "403"}}}},
		"a callback": {func() { r.ask(t, "/auth/sso/login/callback/?code="+secret+"&state=bob") },
			[]told{{Name: "gatehouse.callback", Attributes: map[string]string{"http.response.status_code": "404"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(recorder.Ended())
			c.do()
			eventually(t, "the spans", func() bool { return len(recorder.Ended()) >= before+len(c.want) })
			var got []told
			for _, span := range recorder.Ended()[before:] {
				got = append(got, tell(span))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
			text := fmt.Sprint(got)
			for _, part := range append(strings.Split(secret, "."), "hunter2", "bob") {
				if strings.Contains(text, part) {
					t.Errorf("a span holds %q", part)
				}
			}
		})
	}
}
