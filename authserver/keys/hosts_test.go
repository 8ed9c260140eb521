// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A host with many sources is asked by few at a time, and its hanging holds up no other host.
func TestFetchesPerHost(t *testing.T) {
	var now, most atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-r.Context().Done()
	}))
	defer slow.Close()
	live := httptest.NewServer(text("application/json", jwks("a")))
	defer live.Close()

	engine := New(Options{FetchesPerHost: 3, MaxWait: 20 * time.Second, FetchTimeout: 20 * time.Second})
	engine.hosts.patience = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for i := range 30 {
		callers.Go(func() {
			_, _ = engine.Find(ctx, Source{URL: slow.URL + "/" + strconv.Itoa(i), AllowedCIDRs: loopback}, ask("a"))
		})
	}
	eventually(t, func() bool { return now.Load() == 3 && engine.hosts.waiting(slow.URL) == 30 })
	if _, err := engine.Find(ctx, Source{URL: live.URL, AllowedCIDRs: loopback}, ask("a")); err != nil {
		t.Errorf("another host: %v", err)
	}
	cancel()
	callers.Wait()
	engine.Close()
	if m := most.Load(); m != 3 {
		t.Errorf("%d fetches at once, want 3", m)
	}
	if n := engine.hosts.waiting(slow.URL); n != 0 {
		t.Errorf("%d places at the host are still held", n)
	}
}

func (h *hostLimits) waiting(url string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at := h.hosts[strings.TrimPrefix(url, "http://")]; at != nil {
		return len(at.held) + len(at.waiting) + len(at.troubled)
	}
	return 0
}

// eventually waits for a condition that other goroutines bring about.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the condition was not met in 2 minutes")
		}
	}
}
