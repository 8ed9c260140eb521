// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"github.com/google/go-cmp/cmp"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	callmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// joinedRequest is a CheckRequest with headers as http.headers.
func joinedRequest(headers map[string]string) *authv3.CheckRequest {
	return requestOf(&authv3.AttributeContext_HttpRequest{Headers: headers})
}

// rawRequest is one with headers as http.header_map, in pairs.
func rawRequest(pairs ...string) *authv3.CheckRequest {
	h := &corev3.HeaderMap{}
	for i := 0; i < len(pairs); i += 2 {
		h.Headers = append(h.Headers, &corev3.HeaderValue{Key: pairs[i], RawValue: []byte(pairs[i+1])})
	}
	return requestOf(&authv3.AttributeContext_HttpRequest{HeaderMap: h})
}

func requestOf(h *authv3.AttributeContext_HttpRequest) *authv3.CheckRequest {
	return &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{Http: h}}}
}

// awsHeader is an Authorization that has commas and has nothing to do with Bearer.
const awsHeader = "AWS4-HMAC-SHA256 Credential=a/20260101/eu/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"

// TestFacts guards what is made of headers: in particular that nothing which may have been sent twice counts as sent once.
func TestFacts(t *testing.T) {
	both := rawRequest("x-jwt-token", "a")
	both.Attributes.Request.Http.Headers = map[string]string{"x-jwt-token": "a"}
	values := rawRequest("x-jwt-token", "a")
	values.Attributes.Request.Http.HeaderMap.Headers[0].Value = "b"
	text := requestOf(&authv3.AttributeContext_HttpRequest{HeaderMap: &corev3.HeaderMap{Headers: []*corev3.HeaderValue{{Key: "x-jwt-token", Value: "a"}}}})
	route := joinedRequest(nil)
	route.Attributes.ContextExtensions = map[string]string{"tenant": ""}
	metadata := joinedRequest(nil)
	metadata.Attributes.ContextExtensions = map[string]string{"Tenant": "acme", "x-jwt-tenant-id": "acme"}
	routes := joinedRequest(nil)
	routes.Attributes.ContextExtensions = map[string]string{"tenant": "acme"}
	other := &authv3.CheckRequest{Attributes: &authv3.AttributeContext{ContextExtensions: map[string]string{"tenant": "globex"}}}
	long := strings.Repeat("a", maxHeaders)
	twice := func(s string) []string { return []string{s, s} }
	for name, c := range map[string]struct {
		in      *authv3.CheckRequest
		want    policy.Facts
		problem token.Reason
	}{
		"nothing":   {in: joinedRequest(nil)},
		"all, once": {in: joinedRequest(map[string]string{"authorization": "Bearer a", "x-jwt-token": "a", "x-jwt-tenant-id": "t", "x-jwt-issuer": "i", "x-jwt-client-id": "c", "x-jwt-nonce": "n", "cookie": "a,b", ":path": "/"}), want: policy.Facts{Authorization: []string{"Bearer a"}, Token: []string{"a"}, TenantID: []string{"t"}, Issuer: []string{"i"}, ClientID: []string{"c"}, Nonce: []string{"n"}}},
		"all, raw":  {in: rawRequest("authorization", "Bearer a", "x-jwt-token", "a", "x-jwt-tenant-id", "t", "x-jwt-issuer", "i", "x-jwt-client-id", "c", "x-jwt-nonce", "n", "cookie", "a", "cookie", "b"), want: policy.Facts{Authorization: []string{"Bearer a"}, Token: []string{"a"}, TenantID: []string{"t"}, Issuer: []string{"i"}, ClientID: []string{"c"}, Nonce: []string{"n"}}},
		"empty":     {in: joinedRequest(map[string]string{"x-jwt-nonce": ""}), want: policy.Facts{Nonce: []string{""}}},
		"empty raw": {in: rawRequest("x-jwt-nonce", ""), want: policy.Facts{Nonce: []string{""}}},
		"spaces":    {in: rawRequest("x-jwt-nonce", " \tn\t "), want: policy.Facts{Nonce: []string{"n"}}},

		"joined, the same":           {in: joinedRequest(map[string]string{"x-jwt-token": "a,a"}), want: policy.Facts{Token: twice("a,a")}},
		"joined, different":          {in: joinedRequest(map[string]string{"x-jwt-nonce": "a,b"}), want: policy.Facts{Nonce: twice("a,b")}},
		"joined, the first empty":    {in: joinedRequest(map[string]string{"x-jwt-issuer": ",b"}), want: policy.Facts{Issuer: twice(",b")}},
		"joined, the second empty":   {in: joinedRequest(map[string]string{"x-jwt-issuer": "b,"}), want: policy.Facts{Issuer: twice("b,")}},
		"joined, both empty":         {in: joinedRequest(map[string]string{"x-jwt-issuer": ","}), want: policy.Facts{Issuer: twice(",")}},
		"joined Authorization":       {in: joinedRequest(map[string]string{"authorization": "Basic eDp5,Bearer a"}), want: policy.Facts{Authorization: twice("Basic eDp5,Bearer a")}},
		"raw twice":                  {in: rawRequest("x-jwt-token", "a", "x-jwt-token", "a"), want: policy.Facts{Token: []string{"a", "a", "a"}}},
		"raw with a comma":           {in: rawRequest("x-jwt-nonce", "a,b"), want: policy.Facts{Nonce: []string{"a,b"}}},
		"raw joined Authorization":   {in: rawRequest("authorization", "Basic eDp5,Bearer a"), want: policy.Facts{Authorization: twice("Basic eDp5,Bearer a")}},
		"Bearer, then another":       {in: rawRequest("authorization", "bEARER a, Basic eDp5"), want: policy.Facts{Authorization: twice("bEARER a, Basic eDp5")}},
		"another, then Bearer":       {in: rawRequest("authorization", "Digest a=b ,, \tbeareR a"), want: policy.Facts{Authorization: twice("Digest a=b ,, \tbeareR a")}},
		"a parameter like Bearer":    {in: joinedRequest(map[string]string{"authorization": `Digest a="b, bearer c"`}), want: policy.Facts{Authorization: twice(`Digest a="b, bearer c"`)}},
		"another with commas":        {in: joinedRequest(map[string]string{"authorization": awsHeader}), want: policy.Facts{Authorization: []string{awsHeader}}},
		"another with commas, raw":   {in: rawRequest("authorization", awsHeader, "x-jwt-token", "a"), want: policy.Facts{Authorization: []string{awsHeader}, Token: []string{"a"}}},
		"another with commas, twice": {in: rawRequest("authorization", awsHeader, "authorization", awsHeader), want: policy.Facts{Authorization: []string{awsHeader, awsHeader, awsHeader}}},
		"both forms":                 {in: both, want: policy.Facts{Token: []string{"a", "a", "a"}}},
		"raw and text value":         {in: values, want: policy.Facts{Token: []string{"b", "a", "a"}}},
		"text value":                 {in: text, want: policy.Facts{Token: []string{"a"}}},
		"names in two cases":         {in: joinedRequest(map[string]string{"x-jwt-nonce": "a", "X-Jwt-Nonce": "a"}), want: policy.Facts{Nonce: []string{"a", "a", "a"}}},
		"a name in another case":     {in: rawRequest("X-JWT-NONCE", "a"), want: policy.Facts{Nonce: []string{"a"}}},

		"bytes that Envoy replaced": {in: joinedRequest(map[string]string{"x-jwt-nonce": "a!", "authorization": "Bearer!a"}), want: policy.Facts{Nonce: []string{"a\xff"}, Authorization: []string{"Bearer\xffa"}}},
		"raw, it is what it is":     {in: rawRequest("x-jwt-nonce", "a!"), want: policy.Facts{Nonce: []string{"a!"}}},
		"route empty":               {in: route, want: policy.Facts{ByRoute: true}},
		"other extensions":          {in: metadata},

		"no attributes": {in: &authv3.CheckRequest{}, problem: ReasonMalformed},
		"no request":    {in: &authv3.CheckRequest{Attributes: &authv3.AttributeContext{}}, problem: ReasonMalformed},
		"no http":       {in: &authv3.CheckRequest{Attributes: &authv3.AttributeContext{Request: &authv3.AttributeContext_Request{}}}, problem: ReasonMalformed},
		"too long":      {in: joinedRequest(map[string]string{"cookie": long}), problem: ReasonHeadersTooLarge},
		"too long, raw": {in: rawRequest("cookie", long), problem: ReasonHeadersTooLarge},
		"long enough":   {in: rawRequest("cookie", long[:maxHeaders-10])},
	} {
		t.Run(name, func(t *testing.T) {
			r := parsed(t, c.in)
			if diff := cmp.Diff(c.want, r.Facts); diff != "" || r.Problem != c.problem {
				t.Errorf("problem %q, want %q; facts (-want +got):\n%s", r.Problem, c.problem, diff)
			}
		})
	}
	t.Run("two routes", func(t *testing.T) {
		r := new(Request)
		r.parse(slices.Concat(mustMarshal(t, routes), mustMarshal(t, other)))
		if r.Problem != ReasonMalformed {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("client and trace", func(t *testing.T) {
		in := rawRequest("traceparent", "00-1-2-03")
		in.Attributes.Source = &authv3.AttributeContext_Peer{Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{Address: "192.0.2.7"}}}}
		if r := parsed(t, in); r.Client != "192.0.2.7" || r.Trace != "00-1-2-03" {
			t.Errorf("got %+v", r)
		}
	})
}

func parsed(t testing.TB, in *authv3.CheckRequest) *Request {
	t.Helper()
	r := new(Request)
	r.parse(mustMarshal(t, in))
	return r
}

// TestFieldNumbers compares the numbers that are written here with those of the generated messages.
func TestFieldNumbers(t *testing.T) {
	for _, c := range []struct {
		message proto.Message
		field   protoreflect.Name
		number  protoreflect.FieldNumber
	}{
		{&authv3.CheckRequest{}, "attributes", checkRequestAttributes},
		{&authv3.AttributeContext{}, "source", attributesSource},
		{&authv3.AttributeContext{}, "request", attributesRequest},
		{&authv3.AttributeContext{}, "context_extensions", attributesExtensions},
		{&authv3.AttributeContext_Peer{}, "address", peerAddress},
		{&corev3.Address{}, "socket_address", addressSocketAddress},
		{&corev3.SocketAddress{}, "address", socketAddressAddress},
		{&authv3.AttributeContext_Request{}, "http", requestHTTP},
		{&authv3.AttributeContext_HttpRequest{}, "method", httpMethod},
		{&authv3.AttributeContext_HttpRequest{}, "headers", httpHeaders},
		{&authv3.AttributeContext_HttpRequest{}, "path", httpPath},
		{&authv3.AttributeContext_HttpRequest{}, "host", httpHost},
		{&authv3.AttributeContext_HttpRequest{}, "scheme", httpScheme},
		{&authv3.AttributeContext_HttpRequest{}, "header_map", httpHeaderMap},
		{&corev3.HeaderMap{}, "headers", headerMapHeaders},
		{&corev3.HeaderValue{}, "key", headerValueKey},
		{&corev3.HeaderValue{}, "value", headerValueValue},
		{&corev3.HeaderValue{}, "raw_value", headerValueRaw},
		{&structpb.Struct{}, "fields", structFields},
		{&structpb.Value{}, "string_value", valueString},
		{&structpb.Value{}, "struct_value", valueStruct},
		{&structpb.Value{}, "list_value", valueList},
		{&structpb.ListValue{}, "values", listValues},
		{&corev3.HeaderValueOption{}, "header", optionHeader},
		{&corev3.HeaderValueOption{}, "append_action", optionAction},
		{&authv3.OkHttpResponse{}, "headers", okHeaders},
		{&authv3.OkHttpResponse{}, "headers_to_remove", okHeadersToRemove},
		{&authv3.DeniedHttpResponse{}, "status", deniedStatus},
		{&authv3.DeniedHttpResponse{}, "headers", deniedHeaders},
		{&authv3.DeniedHttpResponse{}, "body", deniedBody},
		{&typev3.HttpStatus{}, "code", httpStatusCode},
		{&rpcstatus.Status{}, "code", statusCode},
		{&authv3.CheckResponse{}, "status", checkResponseStatus},
		{&authv3.CheckResponse{}, "denied_response", checkResponseDenied},
		{&authv3.CheckResponse{}, "ok_response", checkResponseOK},
		{&authv3.CheckResponse{}, "dynamic_metadata", checkResponseMetadata},
	} {
		f := c.message.ProtoReflect().Descriptor().Fields().ByName(c.field)
		if f == nil || f.Number() != c.number {
			t.Errorf("%s.%s is not %d", c.message.ProtoReflect().Descriptor().Name(), c.field, c.number)
		}
	}
	entries := (&structpb.Struct{}).ProtoReflect().Descriptor().Fields().ByNumber(structFields).Message().Fields()
	if entries.ByName("key").Number() != entryKey || entries.ByName("value").Number() != entryValue {
		t.Error("map entries")
	}
	if d := authv3.Authorization_ServiceDesc; d.ServiceName != serviceDesc.ServiceName || d.Metadata != serviceDesc.Metadata || d.Methods[0].MethodName != serviceDesc.Methods[0].MethodName || len(d.Methods)+len(d.Streams) != 1 {
		t.Errorf("the service is %+v", d)
	}
	if overwrite != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
		t.Error("the append action")
	}
}

// FuzzParse guards that no bytes harm the parser, and that it sees what the generated code sees.
func FuzzParse(f *testing.F) {
	for _, in := range []*authv3.CheckRequest{{}, joinedRequest(map[string]string{"x-jwt-token": "a,b", "cookie": "c"}), rawRequest("authorization", "Bearer a", "x_auth_tenant", "b")} {
		in.GetAttributes()
		f.Add(mustMarshal(f, in))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		r := new(Request)
		r.parse(message)
		in := new(authv3.CheckRequest)
		if proto.Unmarshal(message, in) != nil || r.Problem != "" {
			return
		}
		h := in.GetAttributes().GetRequest().GetHttp()
		if h == nil {
			t.Fatal("no HTTP request, and no problem")
		}
		count := map[string]int{}
		for name := range h.GetHeaders() {
			count[strings.ToLower(name)]++
		}
		for _, one := range h.GetHeaderMap().GetHeaders() {
			count[strings.ToLower(one.GetKey())]++
		}
		route, byRoute := in.GetAttributes().GetContextExtensions()["tenant"]
		if r.Facts.Route != route || r.Facts.ByRoute != byRoute {
			t.Errorf("route %q %v, want %q %v", r.Facts.Route, r.Facts.ByRoute, route, byRoute)
		}
		for name, got := range map[string][]string{"authorization": r.Facts.Authorization, "x-jwt-token": r.Facts.Token, "x-jwt-tenant-id": r.Facts.TenantID,
			"x-jwt-issuer": r.Facts.Issuer, "x-jwt-client-id": r.Facts.ClientID, "x-jwt-nonce": r.Facts.Nonce} {
			if len(got) < count[name] || len(got) > 0 && count[name] == 0 {
				t.Errorf("%s: %q, sent %d times", name, got, count[name])
			}
		}
	})
}

// answerOf reads an answer as Envoy does.
func answerOf(t testing.TB, message response) *authv3.CheckResponse {
	t.Helper()
	out := new(authv3.CheckResponse)
	if err := proto.Unmarshal(message, out); err != nil || cap(message) != len(message) || len(out.ProtoReflect().GetUnknown()) > 0 {
		t.Fatalf("%v; %d bytes of %d", err, len(message), cap(message))
	}
	return out
}

// TestAllow guards that no header of the request is left that an application could take for one of the answer's.
func TestAllow(t *testing.T) {
	names := NewNames([]string{"X-Acme-Plan", "X-Unset", "X-Other"})
	id := &claims.Identity{User: "acme/bob", Tenant: "acme", Headers: []claims.Header{{Name: "X-Acme-Plan", Value: "gold"}, {Name: "X-Unset"}, {Name: "X-Foreign", Value: "x"}}}
	spoofed := []string{
		"x-auth-request-user", "x_auth_request_user", "x-auth_request-user", "x.auth.request.user", "X_Auth_Request_User",
		"x-auth-request-email", "x_auth_request_email", "x-auth-request-groups", "x-auth-request-preferred-username", "x_auth_request-preferred_username",
		"x-auth-tenant", "x_auth-tenant", "x-acme-plan", "x_acme_plan", "x-acme_plan", "x-unset", "x_unset", "x-other", "x!other",
	}
	kept := []string{"x-auth-request-users", "x_something_else", "x-forwarded-for", "authorization", "x-"}
	pairs := []string{}
	for _, name := range slices.Concat(spoofed, kept) {
		pairs = append(pairs, name, "evil")
	}
	out := answerOf(t, names.allow(&Answer{Identity: id}, parsed(t, rawRequest(pairs...))))
	left := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		left[strings.ToLower(pairs[i])] = pairs[i+1]
	}
	for _, o := range out.GetOkResponse().GetHeaders() {
		if o.GetAppendAction() != corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD || o.GetAppend() != nil { //nolint:staticcheck // Envoy still reads append, so it must be absent
			t.Errorf("%v does not overwrite", o)
		}
		left[o.GetHeader().GetKey()] = o.GetHeader().GetValue()
	}
	for _, name := range out.GetOkResponse().GetHeadersToRemove() {
		delete(left, strings.ToLower(name))
	}
	want := map[string]string{"x-auth-request-user": "acme/bob", "x-auth-tenant": "acme", "x-acme-plan": "gold"}
	for _, name := range kept {
		want[name] = "evil"
	}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("what the application gets (-want +got):\n%s", diff)
	}
	// Also where Envoy does not show all headers: both plain spellings of every name.
	out = answerOf(t, names.allow(&Answer{Identity: id}, parsed(t, joinedRequest(nil))))
	remove := slices.Sorted(slices.Values(out.GetOkResponse().GetHeadersToRemove()))
	if diff := cmp.Diff([]string{"x-auth-request-email", "x-auth-request-groups", "x-auth-request-preferred-username", "x-other", "x-unset",
		"x_acme_plan", "x_auth_request_email", "x_auth_request_groups", "x_auth_request_preferred_username", "x_auth_request_user", "x_auth_tenant", "x_other", "x_unset"}, remove); diff != "" {
		t.Errorf("headers_to_remove (-want +got):\n%s", diff)
	}
	headers := out.GetDynamicMetadata().AsMap()["headers"].(map[string]any)
	if diff := cmp.Diff([]string{"x-acme-plan", "x-other", "x-unset"}, slices.Sorted(maps.Keys(headers))); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// TestRefusal guards that a refusal is one to Envoy, whatever it says to the client.
func TestRefusal(t *testing.T) {
	set := func(name, value string) *corev3.HeaderValueOption {
		return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: name, Value: value}, AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD}
	}
	json, noStore := set("content-type", "application/json"), set("cache-control", "no-store")
	for _, c := range []struct {
		refusal Refusal
		code    codes.Code
		headers []*corev3.HeaderValueOption
	}{
		{Refusal{Status: 401, Challenge: "Bearer", Body: []byte("{}")}, codes.Unauthenticated, []*corev3.HeaderValueOption{json, noStore, set("www-authenticate", "Bearer")}},
		{Refusal{Status: 401, Login: "https://auth.example/login"}, codes.Unauthenticated, []*corev3.HeaderValueOption{json, noStore, set("x-auth-login-location", "https://auth.example/login")}},
		{Refusal{Status: 403, Body: []byte(strings.Repeat("x", 300))}, codes.PermissionDenied, []*corev3.HeaderValueOption{json, noStore}},
		{Refusal{Status: 503, RetryAfter: "1"}, codes.Unavailable, []*corev3.HeaderValueOption{json, noStore, set("retry-after", "1")}},
		{Refusal{Status: 500}, codes.Internal, []*corev3.HeaderValueOption{json, noStore}},
		{Refusal{Status: 200}, codes.Internal, []*corev3.HeaderValueOption{json, noStore}}, // never OK
	} {
		want := &authv3.CheckResponse{Status: &rpcstatus.Status{Code: int32(c.code)}, HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: typev3.StatusCode(c.refusal.Status)}, Headers: c.headers, Body: string(c.refusal.Body)}}}
		got := new(authv3.CheckResponse)
		if err := proto.Unmarshal(NewRefusal(c.refusal).response, got); err != nil || !proto.Equal(want, got) {
			t.Errorf("%d: %v; got %v, want %v", c.refusal.Status, err, got, want)
		}
	}
}

// fakeGate is a Gate by function.
type fakeGate struct {
	decide   func(context.Context, *Request) Answer
	panicked chan any
}

func (g *fakeGate) Decide(ctx context.Context, r *Request) Answer { return g.decide(ctx, r) }
func (g *fakeGate) Panicked(v any) *Refusal {
	g.panicked <- v
	return NewRefusal(Refusal{Status: 500, Body: []byte("{}")})
}

// start serves a gate and returns a connection to it.
func start(t testing.TB, gate Gate) (*Server, *grpc.ClientConn) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(gate)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, conn
}

// bytesCodec sends bytes as they are.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	return proto.Unmarshal(data.Materialize(), v.(proto.Message))
}

// TestNoErrorOfTheCall guards what failure_mode_allow would let pass: whatever comes and happens, the answer is a refusal.
func TestNoErrorOfTheCall(t *testing.T) {
	refusal := NewRefusal(Refusal{Status: 401, Body: []byte("{}")})
	gate := &fakeGate{panicked: make(chan any, 1), decide: func(_ context.Context, r *Request) Answer {
		switch {
		case r.Problem != "" || len(r.Facts.Token) > 0 && r.Facts.Token[0] == "\xff":
			return Answer{Refusal: refusal}
		case r.Trace == "refusal":
			panic("at the disco")
		case r.Trace == "answer":
			return Answer{} // neither refused nor anybody
		}
		return Answer{Identity: &claims.Identity{}, Names: NewNames(nil)}
	}}
	_, conn := start(t, gate)
	good, err := proto.Marshal(joinedRequest(map[string]string{"a": "b"}))
	if err != nil {
		t.Fatal(err)
	}
	panicking := func(where string) []byte {
		text, err := proto.Marshal(joinedRequest(map[string]string{"traceparent": where}))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	// A header that is no UTF-8, as a sender that checks less than this one may send it.
	entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "x-jwt-token")
	entry = protowire.AppendString(protowire.AppendTag(entry, 2, protowire.BytesType), "\xff")
	latin := entry
	for _, field := range []protowire.Number{3, 2, 4, 1} { // headers, http, request, attributes
		latin = protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), latin)
	}
	for name, c := range map[string]struct {
		message []byte
		code    codes.Code
	}{
		"good":                 {good, codes.OK},
		"empty":                {nil, codes.Unauthenticated},
		"no protocol buffer":   {[]byte("GET / HTTP/1.1"), codes.Unauthenticated},
		"cut short":            {good[:len(good)-1], codes.Unauthenticated},
		"not UTF-8":            {latin, codes.Unauthenticated},
		"a panic":              {panicking("refusal"), codes.Internal},
		"a panic in answering": {panicking("answer"), codes.Internal},
		"a large body":         {mustMarshal(t, requestOf(&authv3.AttributeContext_HttpRequest{Body: strings.Repeat("x", 2<<20)})), codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			out := new(authv3.CheckResponse)
			if err := conn.Invoke(t.Context(), authv3.Authorization_Check_FullMethodName, c.message, out, grpc.ForceCodecV2(bytesCodec{})); err != nil {
				t.Fatalf("an error of the call: %v", err)
			}
			if got := codes.Code(out.GetStatus().GetCode()); got != c.code || (c.code == codes.OK) != (out.GetOkResponse() != nil) {
				t.Errorf("got %v, want %s", out, c.code)
			}
			if c.code == codes.Internal {
				<-gate.panicked
			}
		})
	}
}

func mustMarshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	text, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestBounds guards that what is too large costs the server no memory. It is an error of the call: see doc.go.
func TestBounds(t *testing.T) {
	_, conn := start(t, &fakeGate{decide: func(context.Context, *Request) Answer {
		return Answer{Identity: &claims.Identity{}, Names: NewNames(nil)}
	}})
	client := authv3.NewAuthorizationClient(conn)
	_, err := client.Check(t.Context(), requestOf(&authv3.AttributeContext_HttpRequest{Body: strings.Repeat("x", maxMessage)}))
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a message over the bound: %v", err)
	}
	ctx := callmetadata.AppendToOutgoingContext(t.Context(), "x-large", strings.Repeat("x", maxMetadata))
	if _, err := client.Check(ctx, joinedRequest(nil)); err == nil {
		t.Error("metadata over the bound was taken")
	}
}

// TestPatience guards that whoever waits is called back early, and that nobody who does not wait starts a timer.
func TestPatience(t *testing.T) { synctest.Test(t, testPatience) }

func testPatience(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	idle := &patience{Context: ctx}
	if idle.Err() != nil || idle.early != nil {
		t.Error("a timer for nobody")
	}
	idle.end()
	start := time.Now()
	short, cancelShort := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancelShort()
	late := &patience{Context: short}
	<-late.Done()
	if took := time.Since(start); took != 180*time.Millisecond || late.Err() == nil || short.Err() != nil {
		t.Errorf("ended %v after %s; the call's own end %v", late.Err(), took, short.Err())
	}
	late.end()
	parent, stop := context.WithCancel(t.Context())
	gone := &patience{Context: parent}
	done := gone.Done()
	stop()
	<-done
	if gone.Err() == nil {
		t.Error("the client is gone, and nobody noticed")
	}
	gone.end()
}

func BenchmarkCheck(b *testing.B) {
	names := NewNames([]string{"X-Acme-Plan"})
	id := claims.Identity{User: "acme/bob", Email: "bob@acme.example", Groups: "dev,ops", PreferredUsername: "bob", Tenant: "acme", Headers: []claims.Header{{Name: "X-Acme-Plan", Value: "gold"}}}
	s := &service{gate: &fakeGate{decide: func(context.Context, *Request) Answer { return Answer{Identity: &id, Names: names} }}}
	headers := map[string]string{":path": "/app", ":method": "GET", ":authority": "app.example", "accept": "*/*", "user-agent": "curl/8", "x-request-id": "1", "x-forwarded-proto": "https", "authorization": "Bearer " + strings.Repeat("a", 832)}
	message := mustMarshal(b, joinedRequest(headers))
	c := newCodec()
	b.ReportAllocs()
	for b.Loop() {
		in := new(Request)
		if err := c.Unmarshal(mem.BufferSlice{mem.SliceBuffer(message)}, in); err != nil {
			b.Fatal(err)
		}
		data, err := c.Marshal(s.check(b.Context(), in))
		if err != nil || data.Len() == 0 {
			b.Fatal(err)
		}
		data.Free()
	}
}
