// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// envoy is a connection as Envoy has one.
type envoy struct {
	authv3.AuthorizationClient
	health healthv1.HealthClient
	conn   *grpc.ClientConn
}

func (r *running) envoy(t testing.TB) *envoy {
	t.Helper()
	conn, err := grpc.NewClient(r.ExtAuthzAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &envoy{authv3.NewAuthorizationClient(conn), healthv1.NewHealthClient(conn), conn}
}

// header is one header line of a request.
type header struct{ name, value string }

func headersOf(lines []string) []header {
	headers := []header{{":path", "/app"}, {":method", "GET"}, {"accept", "text/html, */*"}}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers = append(headers, header{strings.ToLower(name), strings.Trim(value, " \t")})
	}
	return headers
}

// checkRequest is what Envoy makes of a request: raw with encode_raw_headers, joined without. A tenant that is nil is no
// route tenant.
func checkRequest(headers []header, tenant *string, raw bool) *authv3.CheckRequest {
	h := &authv3.AttributeContext_HttpRequest{Id: "1", Method: "GET", Path: "/app", Host: "app.example", Scheme: "https", Protocol: "HTTP/1.1"}
	if raw {
		h.HeaderMap = &corev3.HeaderMap{}
		for _, one := range headers {
			h.HeaderMap.Headers = append(h.HeaderMap.Headers, &corev3.HeaderValue{Key: one.name, RawValue: []byte(one.value)})
		}
	} else {
		h.Headers = map[string]string{}
		for _, one := range headers {
			value := strings.ToValidUTF8(one.value, "!")
			if before, ok := h.Headers[one.name]; ok {
				value = before + "," + value
			}
			h.Headers[one.name] = value
		}
	}
	a := &authv3.AttributeContext{
		Request: &authv3.AttributeContext_Request{Http: h},
		Source: &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "192.0.2.7", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 4711}}}}},
	}
	if tenant != nil {
		a.ContextExtensions = map[string]string{"tenant": *tenant}
	}
	return &authv3.CheckRequest{Attributes: a}
}

func (e *envoy) check(t testing.TB, in *authv3.CheckRequest) *authv3.CheckResponse {
	t.Helper()
	out, err := e.Check(t.Context(), in)
	if err != nil {
		t.Fatalf("an error, which failure_mode_allow would let pass: %v", err)
	}
	return out
}

// upstream is what Envoy sends on of a request that was let in.
func upstream(sent []header, ok *authv3.OkHttpResponse) map[string][]string {
	h := map[string][]string{}
	for _, one := range sent {
		h[one.name] = append(h[one.name], one.value)
	}
	for _, o := range ok.GetHeaders() {
		if o.GetAppend() == nil && o.GetAppendAction() == corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD { //nolint:staticcheck // Envoy still reads append, so it must be absent
			h[o.GetHeader().GetKey()] = []string{o.GetHeader().GetValue()}
		} else {
			h[o.GetHeader().GetKey()] = append(h[o.GetHeader().GetKey()], o.GetHeader().GetValue())
		}
	}
	for _, name := range ok.GetHeadersToRemove() {
		delete(h, name)
	}
	return h
}

// TestExtAuthzContract asks by gRPC what TestVerifyContract asks by HTTP, with both forms of headers: the decisions, the
// identity and the refusals are the same.
func TestExtAuthzContract(t *testing.T) {
	r := run(t, newLab(t, render(t, baseOf(nil), 2, policies(t)...)))
	e := r.envoy(t)
	for _, group := range []struct {
		name string
		rows []row
	}{
		{"token", tokenRows(t)},
		{"tenant", tenantRows(t)},
		{"issuer", issuerRows(t)},
		{"narrowing", narrowingRows(t)},
		{"own", ownRows(t)},
		{"claims", claimRows(t)},
		{"answer", answerRows(t)},
	} {
		for i := range group.rows {
			row := &group.rows[i]
			for form, raw := range map[string]bool{"joined": false, "raw": true} {
				t.Run(group.name+"/"+row.name+"/"+form, func(t *testing.T) { e.checkRow(t, r.lab, row, raw) })
			}
		}
	}
}

// routeOf is the tenant of the route that a row's target stands for.
func routeOf(t testing.TB, target string) *string {
	t.Helper()
	if _, path, ok := strings.Cut(target, " "); ok {
		target = path
	}
	if target == "" {
		target = "/verify/acme"
	}
	path, _, _ := strings.Cut(target, "?")
	switch kind, tenant := parseTarget(path); kind {
	case targetVerify:
		return nil
	case targetTenant:
		return &tenant
	}
	t.Skip("not a decision")
	return nil
}

func (e *envoy) checkRow(t *testing.T, l *lab, r *row, raw bool) {
	sent := headersOf(r.headers)
	l.log.take()
	out := e.check(t, checkRequest(sent, routeOf(t, r.target), raw))
	if r.status == 0 || r.status == 200 {
		checkAllowed(t, out, sent, r)
		return
	}
	reason := l.reason(t)
	want := r.reason
	if slices.ContainsFunc(sent[3:], func(h header) bool {
		if h.name == "authorization" { // another scheme may have commas
			return strings.Contains(h.value, ",") && strings.Contains(strings.ToLower(h.value), "bearer")
		}
		return strings.Contains(h.value, ",") && !raw
	}) {
		want = "duplicate_header" // so it may have been
	}
	if reason != want {
		t.Errorf("reason %q, want %q", reason, want)
	}
	checkDenied(t, out, r)
}

func checkAllowed(t *testing.T, out *authv3.CheckResponse, sent []header, r *row) {
	t.Helper()
	if out.GetStatus().GetCode() != int32(codes.OK) || out.GetOkResponse() == nil {
		t.Fatalf("refused: %v", out)
	}
	h := upstream(sent, out.GetOkResponse())
	got := map[string]string{}
	for name, values := range h {
		if strings.HasPrefix(strings.ReplaceAll(name, "_", "-"), "x-auth-") {
			got[name] = strings.Join(values, " and ")
		}
	}
	want := map[string]string{"x-auth-request-user": r.user, "x-auth-request-email": r.email, "x-auth-request-groups": r.groups,
		"x-auth-request-preferred-username": r.preferred, "x-auth-tenant": r.tenant}
	metadata := map[string]any{"user": r.user, "email": r.email, "preferred_username": r.preferred, "tenant": r.tenant, "groups": []any{}, "headers": map[string]any{}}
	if r.groups != "" {
		var groups []any
		for g := range strings.SplitSeq(r.groups, ",") {
			groups = append(groups, g)
		}
		metadata["groups"] = groups
	}
	for name, value := range want {
		if value == "" {
			delete(want, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the application gets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(metadata, out.GetDynamicMetadata().AsMap()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func checkDenied(t *testing.T, out *authv3.CheckResponse, r *row) {
	t.Helper()
	denied := out.GetDeniedResponse()
	code := map[int]codes.Code{401: codes.Unauthenticated, 403: codes.PermissionDenied, 503: codes.Unavailable}[r.status]
	if out.GetStatus().GetCode() != int32(code) || code == codes.OK || int(denied.GetStatus().GetCode()) != r.status {
		t.Fatalf("got %v, want %d %s", out, r.status, code)
	}
	h := http.Header{}
	for _, o := range denied.GetHeaders() {
		h.Add(o.GetHeader().GetKey(), o.GetHeader().GetValue())
	}
	wantChallenge, wantCode := challengeInvalid, codeInvalidToken
	switch {
	case r.status == 403:
		wantChallenge, wantCode = "", codeAccessDenied
	case r.status == 503:
		wantChallenge, wantCode = "", codeUnavailable
	case r.noToken:
		wantChallenge = challenge
	}
	if got := h.Get("Www-Authenticate"); got != wantChallenge {
		t.Errorf("WWW-Authenticate %q, want %q", got, wantChallenge)
	}
	if (h.Get("Retry-After") != "") != (r.status == 503) || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", h)
	}
	var body errorBody
	if err := json.Unmarshal([]byte(denied.GetBody()), &body); err != nil || body.Error != wantCode || body.Description == "" {
		t.Errorf("body %q, want the code %s", denied.GetBody(), wantCode)
	}
	if out.GetDynamicMetadata() != nil || out.GetOkResponse() != nil {
		t.Error("a refusal tells an identity")
	}
}

// TestExtAuthzRoute guards that the route's tenant counts when it is there, also when it is empty.
func TestExtAuthzRoute(t *testing.T) {
	r := run(t, newLab(t, render(t, baseOf(nil), 1, policies(t)...)))
	e := r.envoy(t)
	acme := x(cast().acme.sign(t, nil, acmeClaims))
	text := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		tenant *string
		header string
		reason string // "" is allowed
	}{
		"route":                   {tenant: text("acme")},
		"header":                  {header: "acme"},
		"both":                    {tenant: text("acme"), header: "acme"},
		"route empty":             {tenant: text(""), header: "acme", reason: "invalid_tenant"},
		"route of a HTTP gateway": {tenant: text("-"), header: "acme", reason: "invalid_tenant"},
		"route escaped":           {tenant: text("acm%65"), reason: "invalid_tenant"},
		"route with spaces":       {tenant: text(" acme"), reason: "invalid_tenant"},
		"route in another case":   {tenant: text("ACME"), reason: "unknown_tenant"},
		"they differ":             {tenant: text("globex"), header: "acme", reason: "tenants_differ"},
		"they differ, reversed":   {tenant: text("acme"), header: "globex", reason: "tenants_differ"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := []string{acme}
			if c.header != "" {
				lines = append(lines, "x-jwt-tenant-id: "+c.header)
			}
			r.log.take()
			out := e.check(t, checkRequest(headersOf(lines), c.tenant, false))
			if allowed := out.GetStatus().GetCode() == 0; allowed != (c.reason == "") || r.reason(t) != c.reason {
				t.Errorf("got %v, want the reason %q", out, c.reason)
			}
		})
	}
}

// TestExtAuthzHealth guards that Envoy and Kubernetes are told when to ask somebody else.
func TestExtAuthzHealth(t *testing.T) {
	l := newLab(t, nil)
	l.options.ShutdownDelay, l.options.DrainTimeout = time.Hour, time.Second
	r := run(t, l)
	e := r.envoy(t)
	serving := func(service string) string {
		out, err := e.health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil {
			return status.Code(err).String()
		}
		return out.GetStatus().String()
	}
	both := func(want string) bool {
		return serving("") == want && serving("envoy.service.auth.v3.Authorization") == want
	}
	if !both("NOT_SERVING") || serving("another") != "NotFound" {
		t.Error("SERVING without configuration")
	}
	if out := e.check(t, checkRequest(nil, nil, false)); out.GetDeniedResponse().GetStatus().GetCode() != 503 {
		t.Errorf("decided without configuration: %v", out)
	}
	if err := r.Load(render(t, baseOf(nil), 1, policies(t)...)); err != nil {
		t.Fatal(err)
	}
	if !both("SERVING") {
		t.Error("not SERVING with a configuration")
	}
	r.stop()
	eventually(t, "NOT_SERVING while draining", func() bool { return both("NOT_SERVING") })
	if err := r.Load(render(t, baseOf(nil), 1)); err != nil {
		t.Fatal(err)
	}
	if !both("NOT_SERVING") {
		t.Error("SERVING again because of a reload")
	}
	if out := e.check(t, checkRequest(nil, nil, false)); out.GetDeniedResponse().GetStatus().GetCode() != 401 {
		t.Errorf("not answered while the listeners are still open: %v", out)
	}
}

// TestExtAuthzDrain ends the server while a call waits for a key set: the call is answered, and the server ends.
func TestExtAuthzDrain(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 8)
	idp := startIssuer(t, func(w http.ResponseWriter, q *http.Request) {
		asked <- struct{}{}
		select {
		case <-release:
		case <-q.Context().Done():
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	l := newLab(t, render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"} }), 1, policyOf("slow", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://idp.acme.example", JWKSURI: idp}}
	})))
	l.options.ShutdownDelay, l.options.DrainTimeout = time.Millisecond, 20*time.Second
	r := run(t, l)
	e := r.envoy(t)
	tenant := "slow"
	in := checkRequest(headersOf([]string{x(cast().acme.sign(t, nil, acmeClaims))}), &tenant, true)
	answers := make(chan *authv3.CheckResponse, 1)
	go func() {
		out, err := e.Check(context.WithoutCancel(t.Context()), in)
		if err != nil {
			t.Error(err)
		}
		answers <- out
	}()
	<-asked
	r.stop()
	eventually(t, "new connections refused", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		other := r.envoy(t)
		_, err := other.health.Check(ctx, &healthv1.HealthCheckRequest{})
		return err != nil
	})
	close(release)
	if out := <-answers; out.GetDeniedResponse().GetStatus().GetCode() != 503 {
		t.Errorf("got %v", out)
	}
	if err := <-r.done; err != nil {
		t.Error(err)
	}
}

// TestExtAuthzPatience guards that a call with little time is answered before it is over.
func TestExtAuthzPatience(t *testing.T) {
	idp := startIssuer(t, func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	files := render(t, baseOf(func(b *config.Base) { b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"} }), 1, policyOf("slow", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://idp.acme.example", JWKSURI: idp}}
	}))
	tenant := "slow"
	in := checkRequest(headersOf([]string{x(cast().acme.sign(t, nil, acmeClaims))}), &tenant, true)
	// A tenth is left for the answer. A busy machine may need more than that of the shortest; the longest ends before the server itself stops waiting for keys. Each asks a
	// server of its own, which knows nothing of the fetches of before.
	for _, life := range []time.Duration{1, 2, 4, 4, 4, 4, 4, 4} {
		ctx, cancel := context.WithTimeout(t.Context(), life*time.Second)
		out, err := run(t, newLab(t, files)).envoy(t).Check(ctx, in)
		cancel()
		if err == nil {
			if out.GetDeniedResponse().GetStatus().GetCode() != 503 {
				t.Errorf("got %v", out)
			}
			return
		}
		t.Logf("a call of %s: %v", life*time.Second, err)
	}
	t.Error("no call was answered before it was over")
}

// startIssuer serves key sets until the test ends and returns their URL.
func startIssuer(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/keys"
}
