// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// web stands for all servers at once below the real fetcher, without a network, so that tests run in the bubble's time. A
// page that is not there hangs.
type web struct {
	mu    sync.Mutex
	pages map[string]string
	delay map[string]time.Duration
	asked map[string]int
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

// RoundTrip answers as a server would.
func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	body, ok := w.pages[r.URL.String()]
	if w.asked == nil {
		w.asked = make(map[string]int)
	}
	w.asked[r.URL.String()]++
	delay := w.delay[r.URL.String()]
	w.mu.Unlock()
	time.Sleep(delay) // in the bubble's time
	if !ok {
		<-r.Context().Done()
		return nil, fmt.Errorf("asking: %w", context.Cause(r.Context()))
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
}

// newEngineOver returns an engine that fetches from a web, as the fetcher does but for outbound's client.
func newEngineOver(t *testing.T, w *web) *Engine {
	t.Helper()
	engine := New(Options{})
	t.Cleanup(engine.Close)
	client := &http.Client{Transport: w}
	engine.fetch = func(ctx context.Context, src Source) fetched {
		return (&exchange{hosts: &engine.hosts, client: client, left: 10 * time.Second}).run(ctx, src)
	}
	return engine
}
