// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
)

// TestMain lets the test binary play the program itself (for its floor and key server) and a stand-in for the auth server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "floor" || os.Args[1] == "keys") {
		os.Exit(command(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "stand-in" {
		os.Exit(standIn(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// standIn answers like the auth server but believes every token that does not name an evil user, except that user wrong is
// answered for everybody unless it is empty. It fetches a key set from a URL once, if there is one.
func standIn(wrong, url string) int {
	public, err1 := net.Listen("tcp", "127.0.0.1:0")
	ops, err2 := net.Listen("tcp", "127.0.0.1:0")
	gateway, err3 := net.Listen("tcp", "127.0.0.1:0")
	if errors.Join(err1, err2, err3) != nil {
		return 1
	}
	s := &standInServer{wrong: wrong, url: url}
	go func() { _ = http.Serve(ops, http.HandlerFunc(s.metrics)) }()
	server := grpc.NewServer()
	authv3.RegisterAuthorizationServer(server, s)
	go func() { _ = server.Serve(gateway) }()
	fmt.Fprintf(os.Stderr, "{\"msg\":\"ready\",\"listen\":%q,\"ops_listen\":%q,\"ext_authz_listen\":%q}\n", public.Addr(), ops.Addr(), gateway.Addr())
	_ = http.Serve(public, s)
	return 1
}

type standInServer struct {
	authv3.UnimplementedAuthorizationServer
	wrong, url string
	fetched    sync.Once
	asked      atomic.Int64 // for metrics
}

// decide returns the user, and whether there is one.
func (s *standInServer) decide(tenant, authorization string) (user string, status int) {
	if s.url != "" {
		s.fetched.Do(func() { _, _ = get(context.Background(), s.url) })
	}
	if tenant == ruled {
		return "", http.StatusForbidden
	}
	var claims struct{ UPN string }
	segments := strings.Split(authorization, ".")
	payload, err := base64.RawURLEncoding.DecodeString(segments[len(segments)/2])
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.UPN == "" || strings.HasPrefix(claims.UPN, "evil") {
		return "", http.StatusUnauthorized
	}
	if tenant == mapped {
		claims.UPN = mapped + "/" + claims.UPN
	}
	return cmp.Or(s.wrong, claims.UPN), http.StatusOK
}

func (s *standInServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant, ok := strings.CutPrefix(r.URL.Path, "/verify/")
	if r.URL.Path == "/credentials/"+credential {
		tenant, ok = r.Header.Get("X-Jwt-Tenant-Id"), true
		defer w.Header().Del("X-Auth-Request-User")
	}
	user, status := s.decide(tenant, r.Header.Get("Authorization"))
	if !ok || status != http.StatusOK {
		w.WriteHeader(max(status, http.StatusUnauthorized))
		return
	}
	w.Header().Set("X-Auth-Request-User", user)
}

func (s *standInServer) Check(_ context.Context, r *authv3.CheckRequest) (*authv3.CheckResponse, error) {
	user, status := s.decide(r.GetAttributes().GetContextExtensions()["tenant"], r.GetAttributes().GetRequest().GetHttp().GetHeaders()["authorization"])
	if status != http.StatusOK {
		return &authv3.CheckResponse{Status: &rpcstatus.Status{Code: 16}, HttpResponse: &authv3.CheckResponse_DeniedResponse{
			DeniedResponse: &authv3.DeniedHttpResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode(status)}}}}, nil
	}
	option := &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: "x-auth-request-user", Value: user}}
	return &authv3.CheckResponse{Status: &rpcstatus.Status{}, HttpResponse: &authv3.CheckResponse_OkResponse{
		OkResponse: &authv3.OkHttpResponse{Headers: []*corev3.HeaderValueOption{option}}}}, nil
}

// metrics counts many reloads each time it is asked.
func (s *standInServer) metrics(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprintf(w, "gatehouse_config_reloads_total{result=\"bad\"} 7\ngatehouse_config_reloads_total{result=\"good\"} %d\n", 1000*s.asked.Add(1))
}

// standIns is the deployment of stand-ins.
type standIns struct {
	t     *testing.T
	wrong string
	urls  map[*volume]string
}

func (d *standIns) mount(_ context.Context, s *site) (*volume, error) {
	v := &volume{dir: d.t.TempDir()}
	if s.keys != nil {
		d.urls[v] = s.keys.url
	}
	if err := os.Mkdir(filepath.Join(v.dir, states[0]), 0o700); err != nil {
		return nil, err
	}
	return v, v.lay()
}

func (d *standIns) change(_ context.Context, v *volume, _ *site) error {
	return os.Mkdir(filepath.Join(v.dir, states[1]), 0o700)
}

func (d *standIns) start(ctx context.Context, core int, v *volume) (*process.Process, error) {
	return process.Start(ctx, core, os.Args[0], "stand-in", d.wrong, d.urls[v])
}

// benchForTest has windows that end with a few requests: it proves the wiring and measures nothing.
func benchForTest(t *testing.T, wrong string) *bench {
	t.Helper()
	cores, err := process.Cores()
	if err != nil {
		t.Fatal(err)
	}
	if len(cores) < 2 {
		t.Skip("two cores are needed")
	}
	b := &bench{
		options: options{pairs: 1, connections: 2, window: time.Minute, run: regexp.MustCompile("")}, maxRequests: 300, manyTenants: 20,
		self: os.Args[0], scratch: t.TempDir(), cores: cores, progress: io.Discard,
		deploy: &standIns{t: t, wrong: wrong, urls: map[*volume]string{}},
	}
	t.Cleanup(b.close)
	return b
}

// TestRunEverything guards the wiring of every row: who is asked what, that each answer is the one it waits for, and that
// fetches and reloads are counted.
func TestRunEverything(t *testing.T) {
	b := benchForTest(t, "")
	r := report{Settings: b.settings()}
	if err := b.measureAll(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Scenarios) != len(scenarios) || len(r.Footprints) != len(footprints) {
		t.Fatalf("%d and %d rows, want %d and %d", len(r.Scenarios), len(r.Footprints), len(scenarios), len(footprints))
	}
	for i, s := range scenarios {
		got := r.Scenarios[i]
		if got.Ratio.Median <= 0 || got.Memory.Idle.Resident == 0 || (got.Latency != nil) != (s.figure == figureP99) {
			t.Errorf("%s: %+v", s.name, got)
		}
		if (got.Fetches != nil) != (s.fetches != fetchesUncounted) || got.Fetches != nil && (got.Fetches.Fetches != 0 || got.Fetches.Requests == 0) {
			t.Errorf("%s: fetches %+v", s.name, got.Fetches)
		}
	}
	for _, f := range r.Footprints {
		if f.Is.RssAnonMiB <= 0 || f.Is.VMRSSMiB < f.Is.RssAnonMiB || f.Is.ReadyMillis <= 0 {
			t.Errorf("%+v", f)
		}
	}
	if missed := r.missed(); missed != nil {
		t.Errorf("one pair was judged: %q", missed)
	}
	if v := b.sites[siteMany].volume; v.swaps == 0 {
		t.Error("nothing was reloaded")
	}
}

// TestRunRefusesAWrongServer guards that a server which answers for somebody else gets no figure, whichever way it is
// asked.
func TestRunRefusesAWrongServer(t *testing.T) {
	b := benchForTest(t, "eve")
	for _, name := range []string{"verify, distinct RS256", "gRPC, distinct RS256"} {
		_, err := b.run(t.Context(), named(t, name))
		if err == nil || !strings.Contains(err.Error(), `X-Auth-Request-User "eve", want "user-`) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func named(t *testing.T, name string) scenario {
	t.Helper()
	for _, s := range scenarios {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no scenario %q", name)
	return scenario{}
}

func TestRunStopsWhenAsked(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	cancel(stop)
	if _, err := benchForTest(t, "").run(ctx, scenarios[0]); !errors.Is(err, stop) {
		t.Errorf("error %v, want %v", err, stop)
	}
}

func TestScenarios(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios {
		if seen[s.name] {
			t.Errorf("two scenarios are named %q", s.name)
		}
		seen[s.name] = true
		for _, p := range []party{s.base, s.subject} {
			if _, err := floorVerify(p.server); (err == nil) == (p.server == authServer) {
				t.Errorf("%s: server %q: %v", s.name, p.server, err)
			}
			if p.server == authServer && (p.site == "" || p.ask == nil) {
				t.Errorf("%s: an auth server without site or questions", s.name)
			}
		}
		if s.subject.ask == nil || s.fetches != fetchesUncounted && s.subject.site != siteRemote {
			t.Errorf("%s: no questions, or fetches of a site without a key server", s.name)
		}
	}
}

func TestFloorVerifies(t *testing.T) {
	for _, mode := range []string{floorRSA, floorECDSA, floorEmpty, floorGRPC} {
		verify, err := floorVerify(mode)
		if err != nil || !verify() || !verify() {
			t.Errorf("%s: %v", mode, err)
		}
	}
	if _, err := floorVerify("hmac"); err == nil {
		t.Error("an unknown mode was accepted")
	}
}

// TestRequests guards that what is sent is what an HTTP server reads, and who gets which requests.
func TestRequests(t *testing.T) {
	s := &site{}
	for i := range 3 {
		if err := s.inline(fmt.Sprintf("t%d", i), "RS256"); err != nil {
			t.Fatal(err)
		}
	}
	ours, floor := party{server: authServer}, party{server: floorRSA}
	for _, tc := range []struct {
		name     string
		ask      asks
		distinct int
		token    bool
		status   int
	}{
		{"distinct", distinct, 7, true, 200},
		{"repeated", repeated, 1, true, 200},
		{"bare", bare, 1, false, 200},
		{"bad signature", badSignature, 7, true, 401},
		{"unknown key", unknownKey, 7, true, 401},
	} {
		t.Run(tc.name, func(t *testing.T) {
			list, err := tc.ask(s, 7)
			if err != nil || len(list) != 7 {
				t.Fatalf("%d questions, error %v", len(list), err)
			}
			requests, err := ours.requests(list)
			if err != nil {
				t.Fatal(err)
			}
			toFloor, err := floor.requests(list)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for i, q := range list {
				got := read(t, requests[i].Bytes)
				sent := got.Header.Get("Authorization")
				seen[sent] = true
				if got.URL.Path != "/verify/"+q.tenant || q.tenant != list[i%3].tenant || (len(sent) == len("Bearer ")+832) != tc.token {
					t.Errorf("question %d: path %s, token %q", i, got.URL, sent)
				}
				if requests[i].Status != tc.status || (requests[i].User != "") != (tc.token && tc.status == 200) {
					t.Errorf("question %d waits for %d, user %q", i, requests[i].Status, requests[i].User)
				}
				if toFloor[i].Status != 200 || toFloor[i].User != "" || !bytes.Equal(toFloor[i].Bytes, requests[i].Bytes) {
					t.Errorf("question %d: the floor is asked another, or to answer %d, user %q", i, toFloor[i].Status, toFloor[i].User)
				}
			}
			if len(seen) != tc.distinct {
				t.Errorf("%d distinct tokens, want %d", len(seen), tc.distinct)
			}
		})
	}
}

// TestCheckRequest guards that the question of Envoy's filter names tenant and token where Envoy does.
func TestCheckRequest(t *testing.T) {
	b, err := checkRequest(question{tenant: "acme", token: "a.b.c", ballast: 60_000})
	if err != nil {
		t.Fatal(err)
	}
	var r authv3.CheckRequest
	if err := proto.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	http := r.GetAttributes().GetRequest().GetHttp()
	if http.GetHeaders()["authorization"] != "Bearer a.b.c" || r.GetAttributes().GetContextExtensions()["tenant"] != "acme" || http.GetMethod() != "GET" {
		t.Errorf("%v", &r)
	}
	if len(b) < 60_000 || len(b) > 65_000 {
		t.Errorf("%d bytes", len(b))
	}
}

// TestHostileTokensFit guards that no token is refused for its length, which would cost nothing.
func TestHostileTokensFit(t *testing.T) {
	s := &site{}
	if err := s.hostile(); err != nil {
		t.Fatal(err)
	}
	for _, h := range hostiles {
		list, err := h.ask(s, 2)
		if err != nil {
			t.Fatalf("%s: %v", h.name, err)
		}
		n := len(list[0].token)
		if n > 16<<10 || strings.Contains(h.name, "16 KiB") && n < 15<<10 {
			t.Errorf("%s: %d characters", h.name, n)
		}
		requests, err := party{server: authServer, grpc: h.grpc}.requests(list)
		if err != nil || len(requests[0].Bytes) > 64<<10 {
			t.Errorf("%s: %d bytes, error %v", h.name, len(requests[0].Bytes), err)
		}
	}
}

// TestVolume guards that a change is one rename, seen through the files' own names.
func TestVolume(t *testing.T) {
	v := &volume{dir: t.TempDir()}
	for i, state := range states {
		if err := os.Mkdir(filepath.Join(v.dir, state), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(v.dir, state, "f"), []byte{byte('0' + i)}, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.lay(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0", "1", "0"} {
		if got, err := os.ReadFile(filepath.Join(v.dir, "f")); err != nil || string(got) != want {
			t.Errorf("read %q, %v, want %s", got, err, want)
		}
		if err := v.swap(); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, raw []byte) *http.Request {
	t.Helper()
	from := bufio.NewReader(bytes.NewReader(raw))
	r, err := http.ReadRequest(from)
	if err != nil {
		t.Fatal(err)
	}
	if from.Buffered() > 0 {
		t.Errorf("%d bytes follow the request", from.Buffered())
	}
	return r
}
