// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// web stands for all servers at once below the real fetcher, without a network, so that tests run in the bubble's time. A
// page that is not there hangs.
type web struct {
	mu    sync.Mutex
	pages map[string]string
	delay map[string]time.Duration
	moved map[string]string // where it redirects
	asked map[string]int

	now, most map[string]int // requests in flight, by host
}

func (w *web) set(url, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[url] = body
}

func (w *web) counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.asked)
}

// inFlight returns how many requests are in flight at each host, and how many were at most.
func (w *web) inFlight() (now, most map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.now), maps.Clone(w.most)
}

// RoundTrip answers as a server would.
func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	body, ok := w.pages[r.URL.String()]
	if w.asked == nil {
		w.asked = make(map[string]int)
	}
	w.asked[r.URL.String()]++
	delay, moved := w.delay[r.URL.String()], w.moved[r.URL.String()]
	if w.now == nil {
		w.now, w.most = make(map[string]int), make(map[string]int)
	}
	w.now[r.URL.Host]++
	w.most[r.URL.Host] = max(w.most[r.URL.Host], w.now[r.URL.Host])
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now[r.URL.Host]--
	}()
	select {
	case <-time.After(delay): // in the bubble's time
	case <-r.Context().Done():
	}
	if moved != "" {
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {moved}}, Body: http.NoBody, Request: r}, nil
	}
	if body == broken {
		return nil, errors.New("connection reset")
	}
	if !ok || r.Context().Err() != nil {
		<-r.Context().Done()
		return nil, fmt.Errorf("asking: %w", context.Cause(r.Context()))
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

// broken is a page at which connections break.
const broken = "broken"

// newEngineOver returns an engine that fetches from a web, as the fetcher does but for outbound's client.
func newEngineOver(t *testing.T, w *web) *Engine {
	t.Helper()
	return newEngineWith(t, w, Options{})
}

func newEngineWith(t *testing.T, w *web, o Options) *Engine {
	t.Helper()
	engine := New(o)
	t.Cleanup(engine.Close)
	client := &http.Client{Transport: w}
	engine.fetch = engine.newFetcher(func(outbound.Profile) (*http.Client, error) { return client, nil }).fetch
	return engine
}
