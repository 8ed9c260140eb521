// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

// TestMain lets the test binary play the program itself (for its floor) and a stand-in for the auth server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "floor" {
		os.Exit(command(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "stand-in" {
		os.Exit(standIn(os.Args[2]))
	}
	os.Exit(m.Run())
}

// standIn answers like the auth server but believes every token, except that user wrong is answered for everybody
// unless it is empty.
func standIn(wrong string) int {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	fmt.Fprintf(os.Stderr, "{\"msg\":\"ready\",\"listen\":%q}\n", listener.Addr())
	_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var claims struct{ UPN string }
		segments := strings.Split(r.Header.Get("Authorization"), ".")
		payload, err := base64.RawURLEncoding.DecodeString(segments[len(segments)/2])
		if err != nil || json.Unmarshal(payload, &claims) != nil || r.URL.Path != "/verify/bench" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if wrong != "" {
			claims.UPN = wrong
		}
		w.Header().Set("X-Auth-Request-User", claims.UPN)
	}))
	return 1
}

// benchForTest has windows that end with 1,000 requests: it proves the wiring and measures nothing.
func benchForTest(t *testing.T, wrong string) *bench {
	t.Helper()
	cores, err := process.Cores()
	if err != nil {
		t.Fatal(err)
	}
	if len(cores) < 2 {
		t.Skip("two cores are needed")
	}
	return &bench{
		options: options{pairs: 1, connections: 2, window: time.Minute}, maxRequests: 1000, self: os.Args[0], cores: cores, progress: io.Discard,
		subject: func(ctx context.Context, core int, _ workload, _ crypto.PublicKey) (*process.Process, error) {
			return process.Start(ctx, core, os.Args[0], "stand-in", wrong)
		},
	}
}

func TestRunEveryScenario(t *testing.T) {
	b := benchForTest(t, "")
	r := report{Settings: b.settings()}
	for _, s := range scenarios {
		result, err := b.run(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if result.Ratio.Median <= 0 || result.Memory.Idle.Resident == 0 || (result.Latency != nil) != s.latency {
			t.Errorf("%s: %+v", s.name, result)
		}
		r.Scenarios = append(r.Scenarios, result)
	}
	if missed := r.missed(); missed != nil {
		t.Errorf("one pair was judged: %q", missed)
	}
}

// TestRunRefusesAWrongServer guards that a server which answers for somebody else gets no figure.
func TestRunRefusesAWrongServer(t *testing.T) {
	_, err := benchForTest(t, "eve").run(t.Context(), scenarios[0])
	if err == nil || !strings.Contains(err.Error(), `X-Auth-Request-User "eve", want "user-`) {
		t.Errorf("error %v", err)
	}
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
		if _, err := floorVerify(s.floor); err != nil {
			t.Errorf("%s: floor: %v", s.name, err)
		}
		if _, err := floorVerify(s.subject); err != nil && s.subject != authServer {
			t.Errorf("%s: subject: %v", s.name, err)
		}
	}
}

func TestFloorVerifies(t *testing.T) {
	for _, mode := range []string{floorRSA, floorECDSA, floorEmpty} {
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
	m, err := tokens.NewMinter("RS256", time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name     string
		w        workload
		subject  string
		distinct int
		token    bool
	}{
		{"distinct", workload{algorithm: "RS256"}, authServer, 7, true},
		{"repeated", workload{algorithm: "RS256", repeated: true}, authServer, 1, true},
		{"bare", workload{algorithm: "RS256", bare: true}, floorEmpty, 1, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := tc.w.newBatch(m, 7, tc.subject)
			if err != nil {
				t.Fatal(err)
			}
			if len(b.floor) != 7 || len(b.subject) != 7 {
				t.Fatalf("%d and %d requests, want 7", len(b.floor), len(b.subject))
			}
			seen := map[string]bool{}
			for i := range b.floor {
				floor, subject := read(t, b.floor[i].Bytes), read(t, b.subject[i].Bytes)
				if floor.URL.Path != "/verify/bench" || subject.URL.Path != "/verify/bench" {
					t.Errorf("paths %s and %s", floor.URL, subject.URL)
				}
				seen[string(b.subject[i].Bytes)] = true
				sent := subject.Header.Get("Authorization")
				if (sent == floor.Header.Get("Authorization")) != tc.token || (len(sent) == len("Bearer ")+832) != tc.token {
					t.Errorf("the subject is sent %q", sent)
				}
				if b.floor[i].User != "" || (b.subject[i].User != "") != (tc.subject == authServer) {
					t.Errorf("users %q and %q", b.floor[i].User, b.subject[i].User)
				}
			}
			if len(seen) != tc.distinct {
				t.Errorf("%d distinct requests, want %d", len(seen), tc.distinct)
			}
		})
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
