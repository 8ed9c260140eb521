// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The runs below end when their few requests are answered: they prove the generator, they measure nothing.

func verifyServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func requests(n int, user string) []Request {
	list := make([]Request, n)
	for i := range list {
		list[i] = Request{Bytes: fmt.Appendf(nil, "GET /verify/%d HTTP/1.1\r\nHost: x\r\n\r\n", i), Status: 200, User: user}
	}
	return list
}

func noCPU() (time.Duration, error) { return 0, nil }

func TestRunSendsEachRequestOnce(t *testing.T) {
	for _, tc := range []struct {
		name string
		rate float64
	}{{"closed loop", 0}, {"open loop", 1e5}} {
		t.Run(tc.name, func(t *testing.T) {
			var seen [200]atomic.Int32
			addr := verifyServer(t, func(w http.ResponseWriter, r *http.Request) {
				var i int
				if _, err := fmt.Sscanf(r.URL.Path, "/verify/%d", &i); err != nil {
					t.Errorf("path %s: %v", r.URL.Path, err)
				}
				seen[i].Add(1)
				w.Header().Set("X-Auth-Request-User", "bob")
			})
			result, err := Run(t.Context(), Options{Addr: addr, Connections: 4, Requests: requests(len(seen), "bob"), Window: time.Minute, Rate: tc.rate, CPU: noCPU})
			if err != nil {
				t.Fatal(err)
			}
			for i := range seen {
				if n := seen[i].Load(); n != 1 {
					t.Errorf("request %d was sent %d times", i, n)
				}
			}
			if tc.rate > 0 && result.Latency.Count() != uint64(len(seen)) {
				t.Errorf("%d latencies for %d requests", result.Latency.Count(), len(seen))
			}
			if result.Elapsed <= 0 || result.Elapsed > 50*time.Second || result.Requests > len(seen) {
				t.Errorf("result %+v", result)
			}
		})
	}
}

// TestRunRefusesWrongAnswers guards that a server which decides wrongly, or decides for somebody else, cannot be
// measured.
func TestRunRefusesWrongAnswers(t *testing.T) {
	for _, tc := range []struct {
		name, err string
		handler   http.HandlerFunc
	}{
		{"status", "status 401, want 200", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }},
		{"no user", `X-Auth-Request-User "", want "bob"`, func(http.ResponseWriter, *http.Request) {}},
		{"another user", `"eve", want "bob"`, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Auth-Request-User", "eve") }},
		{"closing", "closes the connection", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			addr := verifyServer(t, tc.handler)
			_, err := Run(t.Context(), Options{Addr: addr, Connections: 2, Requests: requests(10, "bob"), Window: time.Minute, CPU: noCPU})
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want one with %q", err, tc.err)
			}
		})
	}
}

// TestRunCountsWaitingAsLatency guards against coordinated omission: while the server answers nothing, requests fall
// due, and the wait of each is counted from the time it was due.
func TestRunCountsWaitingAsLatency(t *testing.T) {
	const pause, rate, n = 200 * time.Millisecond, 1000, 100
	var first atomic.Bool
	addr := verifyServer(t, func(_ http.ResponseWriter, r *http.Request) {
		if first.CompareAndSwap(false, true) {
			select {
			case <-time.After(pause):
			case <-r.Context().Done():
			}
		}
	})
	list := requests(n, "")
	result, err := Run(t.Context(), Options{Addr: addr, Connections: 1, Requests: list, Window: time.Minute, Rate: rate, CPU: noCPU})
	if err != nil {
		t.Fatal(err)
	}
	// Request i was due at i ms and could not start before 200 ms, so every one of the 100 waited 100 ms or more.
	if got := result.Latency.Percentile(1); got < pause-n*time.Second/rate {
		t.Errorf("the fastest request took %v from the time it was due", got)
	}
}

func TestRunStops(t *testing.T) {
	addr := verifyServer(t, func(http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	cancel(stop)
	o := Options{Addr: addr, Connections: 1, Requests: requests(1, ""), Window: time.Minute, CPU: noCPU}
	if _, err := Run(ctx, o); !errors.Is(err, stop) {
		t.Errorf("error %v, want %v", err, stop)
	}
	o.CPU = func() (time.Duration, error) { return 0, stop }
	if _, err := Run(t.Context(), o); !errors.Is(err, stop) {
		t.Errorf("error %v, want that of the CPU clock", err)
	}
	o.Requests = nil
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("a run without requests was accepted")
	}
}
