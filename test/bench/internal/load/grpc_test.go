// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	envoytype "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// authorization is a real gRPC server, so that the frames are judged by somebody else's reading of them.
type authorization struct {
	auth.UnimplementedAuthorizationServer
	check func(path string) (*auth.CheckResponse, error)
}

func (a *authorization) Check(_ context.Context, r *auth.CheckRequest) (*auth.CheckResponse, error) {
	return a.check(r.GetAttributes().GetRequest().GetHttp().GetPath())
}

func grpcServer(t *testing.T, check func(path string) (*auth.CheckResponse, error)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	auth.RegisterAuthorizationServer(s, &authorization{check: check})
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	return listener.Addr().String()
}

// checkRequests have distinct paths; size is that of a header in each.
func checkRequests(t *testing.T, n, size int, want Request) []Request {
	t.Helper()
	list := make([]Request, n)
	for i := range list {
		b, err := proto.Marshal(&auth.CheckRequest{Attributes: &auth.AttributeContext{Request: &auth.AttributeContext_Request{
			Http: &auth.AttributeContext_HttpRequest{Path: fmt.Sprintf("/%d", i), Headers: map[string]string{"x": strings.Repeat("x", size)}},
		}}})
		if err != nil {
			t.Fatal(err)
		}
		list[i] = want
		list[i].Bytes = b
	}
	return list
}

func header(name, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{Header: &core.HeaderValue{Key: name, Value: value}}
}

func allowed(headers ...*core.HeaderValueOption) *auth.CheckResponse {
	return &auth.CheckResponse{Status: &status.Status{}, HttpResponse: &auth.CheckResponse_OkResponse{
		OkResponse: &auth.OkHttpResponse{Headers: headers}}}
}

func refused(code codes.Code, http envoytype.StatusCode, headers ...*core.HeaderValueOption) *auth.CheckResponse {
	return &auth.CheckResponse{Status: &status.Status{Code: int32(code)}, HttpResponse: &auth.CheckResponse_DeniedResponse{
		DeniedResponse: &auth.DeniedHttpResponse{Status: &envoytype.HttpStatus{Code: http}, Headers: headers}}}
}

// TestGRPCSendsEachRequestOnce guards framing and flow control: small messages, and such as fill a connection's window.
func TestGRPCSendsEachRequestOnce(t *testing.T) {
	for name, size := range map[string]int{"small": 100, "several frames": 40_000} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			seen := map[string]int{}
			addr := grpcServer(t, func(path string) (*auth.CheckResponse, error) {
				mu.Lock()
				defer mu.Unlock()
				seen[path]++
				return allowed(header("other", "eve"), header("x-auth-request-user", "bob")), nil
			})
			list := checkRequests(t, 300, size, Request{Status: 200, User: "bob"})
			o := Options{Addr: addr, Connections: 2, Streams: 8, Requests: list, Window: time.Minute, CPU: noCPU}
			if _, err := Run(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			for i := range list {
				if n := seen[fmt.Sprintf("/%d", i)]; n != 1 {
					t.Errorf("request %d arrived %d times", i, n)
				}
			}
		})
	}
}

func TestGRPCTakesRefusals(t *testing.T) {
	addr := grpcServer(t, func(string) (*auth.CheckResponse, error) {
		return refused(codes.Unauthenticated, envoytype.StatusCode_Unauthorized, header("www-authenticate", "Bearer")), nil
	})
	list := checkRequests(t, 50, 10, Request{Status: 401})
	if _, err := Run(t.Context(), Options{Addr: addr, Connections: 1, Streams: 4, Requests: list, Window: time.Minute, CPU: noCPU}); err != nil {
		t.Fatal(err)
	}
}

// TestGRPCRefusesWrongAnswers guards that no answer but the one expected is counted, whichever part of it is wrong.
func TestGRPCRefusesWrongAnswers(t *testing.T) {
	bob := header("X-Auth-Request-User", "bob")
	both := allowed(bob)
	both.Status.Code = int32(codes.PermissionDenied)
	for _, tc := range []struct {
		name, err string
		answer    *auth.CheckResponse
		failure   error
	}{
		{"refused", "status 401, want 200", refused(codes.Unauthenticated, envoytype.StatusCode_Unauthorized), nil},
		{"no user", `X-Auth-Request-User "", want "bob"`, allowed(), nil},
		{"another user", `"eve", want "bob"`, allowed(header("x-auth-request-user", "eve")), nil},
		{"two users", "there twice", allowed(bob, header("x-auth-request-user", "eve")), nil},
		{"yes with the code of a no", "neither a yes nor a no", both, nil},
		{"no with the code of a yes", "neither a yes nor a no", refused(codes.OK, envoytype.StatusCode_Unauthorized), nil},
		{"no that says 200", "neither a yes nor a no", refused(codes.Unauthenticated, envoytype.StatusCode_OK), nil},
		{"neither", "neither a yes nor a no", &auth.CheckResponse{}, nil},
		{"failed call", `grpc-status "14" (away)`, nil, grpcstatus.Error(codes.Unavailable, "away")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			addr := grpcServer(t, func(string) (*auth.CheckResponse, error) { return tc.answer, tc.failure })
			list := checkRequests(t, 20, 10, Request{Status: 200, User: "bob"})
			_, err := Run(t.Context(), Options{Addr: addr, Connections: 1, Streams: 2, Requests: list, Window: time.Minute, CPU: noCPU})
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want one with %q", err, tc.err)
			}
		})
	}
}

// TestParseAnswerRefusesGarbage guards that bytes which are no message end a run.
func TestParseAnswerRefusesGarbage(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":       nil,
		"compressed":    {1, 0, 0, 0, 0},
		"cut short":     {0, 0, 0, 0, 2, 8},
		"two messages":  {0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"no message":    {0, 0, 0, 0, 1, 0xff},
		"cut off field": {0, 0, 0, 0, 2, 0x1a, 9},
	} {
		if _, err := parseAnswer(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestEachIsCalled guards the hook by which something is done to the server while it is measured.
func TestEachIsCalled(t *testing.T) {
	addr := grpcServer(t, func(string) (*auth.CheckResponse, error) { return allowed(header("x-auth-request-user", "bob")), nil })
	calls := 0
	o := Options{Addr: addr, Connections: 1, Streams: 1, Requests: checkRequests(t, 200, 10, Request{Status: 200, User: "bob"}),
		Window: time.Minute, CPU: noCPU, Each: func() error { calls++; return nil }}
	if _, err := Run(t.Context(), o); err != nil || calls == 0 {
		t.Fatalf("%d calls, error %v", calls, err)
	}
}
