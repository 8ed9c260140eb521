// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

func TestRefreshWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		for range 600 { // ten hours, a request a minute
			if d := took(func() { w.want("a", nil) }); d != 0 {
				t.Fatalf("a request waited %s", d)
			}
			time.Sleep(time.Minute)
		}
		times := w.times(w.src.URL)
		for i := 1; i < len(times); i++ {
			if d := times[i].Sub(times[i-1]); d < 9*time.Minute || d > 10*time.Minute {
				t.Errorf("refresh after %s, want 9 to 10 minutes", d)
			}
		}
		if len(times) < 60 {
			t.Errorf("%d fetches in ten hours", len(times))
		}
		spread := make(map[time.Duration]bool)
		for i := 1; i < len(times); i++ {
			spread[times[i].Sub(times[i-1])] = true
		}
		if len(spread) < 10 {
			t.Error("refreshes have no jitter")
		}
	})
}

// At rest nothing is fetched; the first request after the rest gets a fresh answer, not a key withdrawn meanwhile.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		time.Sleep(2 * time.Hour)
		n := len(w.times(w.src.URL))
		if n < 5 || n > 8 {
			t.Errorf("%d fetches in the hour after the last use", n)
		}
		w.serve(w.src.URL, "b")
		time.Sleep(8 * time.Hour)
		w.wantFetches(n)
		w.want("a", jwk.ErrUnknownKeyID)
		w.wantFetches(n + 1)

		time.Sleep(12 * time.Hour)
		w.fail(w.src.URL)
		w.want("b", nil) // stale-if-error
		if s := w.engine.Status(w.src); s.Ready || !s.Serving || s.Reason != ReasonUnreachable || !strings.HasSuffix(s.Message, "until the policy's staleIfError has passed") {
			t.Errorf("status: %+v", s)
		}
	})
}

// A request between one and two intervals after a rest is served at once and has the set refreshed behind its back.
func TestFirstUseAfterAShortRestRefreshesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{IdleAfter: time.Minute})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		time.Sleep(15 * time.Minute)
		w.wantFetches(1)
		w.serve(w.src.URL, "b")
		w.slow(w.src.URL, time.Second)
		if d := took(func() { w.want("a", nil) }); d != 0 {
			t.Errorf("waited %s", d)
		}
		time.Sleep(2 * time.Second)
		w.wantFetches(2)
		w.want("b", nil)
	})
}

func TestStaleIfError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		start := time.Now()
		w.fail(w.src.URL)
		time.Sleep(10 * time.Minute)
		for time.Since(start) < 24*time.Hour {
			if d := took(func() { w.want("a", nil) }); d != 0 {
				t.Fatalf("waited %s for a key at hand", d)
			}
			w.want("unknown", ErrUnavailable) // nobody can tell: not 401
			time.Sleep(7 * time.Minute)
		}
		w.want("a", ErrUnavailable)
		time.Sleep(6 * 24 * time.Hour)
		w.want("a", ErrUnavailable)
		if s := w.engine.Status(w.src); s.Serving || s.Keys != 0 || s.Age != 0 || s.Failures == 0 {
			t.Errorf("status: %+v", s)
		}
		w.serve(w.src.URL, "a")
		time.Sleep(5 * time.Minute)
		w.want("a", nil)
		if s := w.engine.Status(w.src); !s.Ready || s.Failures != 0 {
			t.Errorf("status after recovery: %+v", s)
		}
	})
}

// While a server hangs, its old keys serve at once: nobody waits for the attempts.
func TestStaleKeysDoNotWaitForAServerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		w.hang(w.src.URL)
		for range 600 {
			time.Sleep(6 * time.Second)
			if d := took(func() { w.want("a", nil) }); d != 0 {
				t.Fatalf("waited %s", d)
			}
		}
	})
}

// A fetch that has not ended proves nothing: neither that a kid is unknown, nor that keys past the window may serve.
func TestFetchThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		w.hang(w.src.URL)
		w.want("b", ErrUnavailable)
		w.want("a", nil)

		w.serve(w.src.URL, "a")
		time.Sleep(30 * time.Hour)
		w.hang(w.src.URL)
		if d := took(func() { w.want("a", ErrUnavailable) }); d != 5*time.Second {
			t.Errorf("waited %s", d)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		for range 30 * 60 {
			w.want("a", ErrUnavailable)
			time.Sleep(time.Second)
		}
		times := w.times(w.src.URL)
		limit, jitter := time.Second, false
		for i := 1; i < len(times); i++ {
			// The timer keeps the backoff; the requests, one a second, add no attempt of their own.
			if d := times[i].Sub(times[i-1]); d < limit/2 || d > limit {
				t.Errorf("attempt %d after %s, want %s to %s", i, d, limit/2, limit)
			}
			jitter = jitter || times[i].Sub(times[i-1]) < limit
			limit = min(2*limit, 5*time.Minute)
		}
		if !jitter {
			t.Error("attempts have no jitter")
		}
		if len(times) < 10 || len(times) > 22 {
			t.Errorf("%d attempts in half an hour", len(times))
		}
	})
}

func TestHooksAndStableStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var reasons []Reason
		var took time.Duration
		w := newWorld(t, Options{Hooks: Hooks{Fetched: func(_ Source, s Status, d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			reasons, took = append(reasons, s.Reason), d
		}}})
		w.want("a", ErrUnavailable)
		first := w.engine.Status(w.src)
		time.Sleep(3 * time.Minute)
		second := w.engine.Status(w.src)
		if second.Failures <= first.Failures || second.Since != first.Since || second.Message != first.Message {
			t.Errorf("a failure that goes on changed its status:\n%+v\n%+v", first, second)
		}
		w.serve(w.src.URL, "a")
		w.slow(w.src.URL, 2*time.Second)
		time.Sleep(5 * time.Minute)
		if s := w.engine.Status(w.src); s.Since == first.Since || !s.Ready {
			t.Errorf("status after recovery: %+v", s)
		}
		mu.Lock()
		defer mu.Unlock()
		if reasons[0] != ReasonUnreachable || reasons[len(reasons)-1] != ReasonReady || took != 2*time.Second {
			t.Errorf("hooks saw %v and %s", reasons, took)
		}
	})
}
