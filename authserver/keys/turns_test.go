// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const shared = "https://shared.test/"

// crowd asks for many sources at the shared host and returns when all of their fetches are under way.
func crowd(t *testing.T, engine *Engine, callers *sync.WaitGroup, path string, n int) {
	t.Helper()
	for i := range n {
		src := Source{URL: fmt.Sprintf("%s%s/%d", shared, path, i)}
		callers.Go(func() { _, _ = engine.Find(t.Context(), src, ask("a")) })
	}
	synctest.Wait()
}

// victim asks for its own key at the shared host and returns how long that took.
func victim(t *testing.T, engine *Engine, path string) time.Duration {
	t.Helper()
	return took(func() {
		if _, err := engine.Find(t.Context(), Source{URL: shared + path}, ask("a")); err != nil {
			t.Errorf("the victim: %v", err)
		}
	})
}

// A turn is at the host that is asked: whoever's redirects lead to a server that hangs, the host that redirects is free.
func TestRedirectHoldsNoTurnWhereItStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{shared + "keys": jwks("a")}, moved: map[string]string{}}
		for i := range 32 {
			w.moved[fmt.Sprintf("%sredirect/%d", shared, i)] = fmt.Sprintf("https://hangs.test/%d", i)
		}
		engine := newEngineOver(t, w)
		engine.hosts.patience = time.Hour
		var callers sync.WaitGroup
		crowd(t, engine, &callers, "redirect", 32)
		if now, _ := w.inFlight(); now["hangs.test"] != 8 || now["shared.test"] != 0 {
			t.Errorf("requests in flight: %v", now)
		}
		if d := victim(t, engine, "keys"); d != 0 {
			t.Errorf("the victim waited %s", d)
		}
		callers.Wait()
		if _, most := w.inFlight(); most["shared.test"] > 8 || most["hangs.test"] > 8 {
			t.Errorf("requests at once: %v", most)
		}
	})
}

// A tenant's paths that hang slow nobody else at the same host: neither when they are new, nor at any later attempt.
func TestPathsThatHangLeaveTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{}}
		engine := newEngineOver(t, w)
		var callers sync.WaitGroup
		crowd(t, engine, &callers, "hangs", 320)
		for i := range 100 { // over more than half an hour
			path := fmt.Sprintf("keys/%d", i)
			w.set(shared+path, jwks("a"))
			if d := victim(t, engine, path); d > patience {
				t.Errorf("victim %d waited %s", i, d)
			}
			time.Sleep(time.Duration(i) * 401 * time.Millisecond)
		}
		callers.Wait()
		if _, most := w.inFlight(); most["shared.test"] != 8 {
			t.Errorf("requests at once: %v, want 8", most)
		}
	})
}

// Once they have failed, paths that hang hold half of the turns at most, so that nobody else waits at all.
func TestFailedPathsGetHalfOfTheTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{}, delay: map[string]time.Duration{}}
		for i := range 4 {
			path := fmt.Sprintf("%skeys/%d", shared, i)
			w.pages[path], w.delay[path] = jwks("a"), 100*time.Millisecond
		}
		engine := newEngineOver(t, w)
		var callers sync.WaitGroup
		crowd(t, engine, &callers, "hangs", 32)
		callers.Wait()
		for i := range 32 {
			src := Source{URL: fmt.Sprintf("%shangs/%d", shared, i)}
			for engine.Status(src).Failures == 0 {
				time.Sleep(time.Second)
			}
		}
		synctest.Wait()
		if now, _ := w.inFlight(); now["shared.test"] != 4 {
			t.Fatalf("requests of failed sources in flight: %v, want 4", now)
		}
		for i := range 4 { // all at once
			callers.Go(func() {
				if d := victim(t, engine, fmt.Sprintf("keys/%d", i)); d != 100*time.Millisecond {
					t.Errorf("a victim waited %s", d)
				}
			})
		}
		callers.Wait()
	})
}

// A host that is slow for everybody is no attack: all get their keys, at last.
func TestSlowHostServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &web{pages: map[string]string{}, delay: map[string]time.Duration{}}
		for i := range 30 {
			path := fmt.Sprintf("%sslow/%d", shared, i)
			w.pages[path], w.delay[path] = jwks("a"), 3*time.Second
		}
		engine := newEngineOver(t, w)
		var callers sync.WaitGroup
		started := time.Now()
		crowd(t, engine, &callers, "slow", 30)
		callers.Wait()
		for i := range 30 {
			for !engine.Status(Source{URL: fmt.Sprintf("%sslow/%d", shared, i)}).Ready {
				if time.Since(started) > 2*time.Minute {
					t.Fatalf("source %d has no keys after two minutes: %+v", i, engine.Status(Source{URL: fmt.Sprintf("%sslow/%d", shared, i)}))
				}
				time.Sleep(time.Second)
			}
		}
		synctest.Wait()
		if n := engine.hosts.waiting("shared.test:443"); n != 0 {
			t.Errorf("%d turns are still held", n)
		}
	})
}

// However a host is spelled, its turns are the same.
func TestTurnsAreAtOneHostHoweverSpelled(t *testing.T) {
	for text, want := range map[string]string{
		"https://IdP.test/a":      "idp.test:443",
		"https://idp.test:443/b":  "idp.test:443",
		"https://idp.test.":       "idp.test:443",
		"http://idp.test":         "idp.test:80",
		"https://idp.test:8443/":  "idp.test:8443",
		"https://[2001:db8::1]/a": "2001:db8::1:443",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := turnsAt(u); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// A long host leaves room for what the message is about.
func TestLongHostLeavesTheFix(t *testing.T) {
	name := strings.Repeat("very-long.", 24) + "idp.test:8443"
	src := Source{URL: "https://" + name, AllowedCIDRs: loopback}
	for _, tt := range []struct {
		failure *failure
		want    string
	}{
		{explain(statusError(503), &keySet, name), "status 503, expected 200"},
		{explain(&contentError{"text/html", fmt.Errorf("no JSON")}, &keySet, name), "(text/html) is not a JWK Set: no JSON"},
		{explain(errGaveWay, &keySet, name), "did not answer in time"},
		{(&metadata{Issuer: "x"}).check(&src, name), "name another issuer"},
	} {
		if m := tt.failure.message; !strings.Contains(m, tt.want) || !strings.Contains(m, "idp.test:8443") || len(m) > 400 {
			t.Errorf("got %q, want …%s…", m, tt.want)
		}
	}
}
