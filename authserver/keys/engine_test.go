package keys

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

func TestLazy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		time.Sleep(48 * time.Hour)
		w.wantFetches(0)
		if s := w.engine.Status(w.src); s.Fetched || s.Ready || s.Reason != ReasonNotYetFetched {
			t.Errorf("status before use: %+v", s)
		}
		w.want("a", nil)
		w.wantFetches(1)
		if s := w.engine.Status(w.src); !s.Fetched || !s.Ready || s.Reason != ReasonReady || s.Keys != 1 || s.Message != "1 key" {
			t.Errorf("status after use: %+v", s)
		}
		if s := w.engine.Status(Source{URL: "https://other.test"}); s.Fetched || s.Reason != ReasonNotYetFetched {
			t.Errorf("status of a source nobody named: %+v", s)
		}
	})
}

func TestOneFetchForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.slow(w.src.URL, time.Second)
		var callers sync.WaitGroup
		for range 500 {
			callers.Go(func() { w.want("a", nil) })
		}
		callers.Wait()
		w.wantFetches(1)
	})
}

// The fetch belongs to nobody: whoever starts it may leave.
func TestCancelledCallerLeavesTheFetchToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.slow(w.src.URL, 2*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d := took(func() {
			_, err := w.engine.Key(ctx, w.src, "EdDSA", "a", true)
			if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("cancelled caller: got %v", err)
			}
		})
		if d != time.Second {
			t.Errorf("cancelled caller waited %s", d)
		}
		if d := took(func() { w.want("a", nil) }); d != time.Second {
			t.Errorf("the second caller waited %s for the rest of the fetch, want 1s", d)
		}
		w.wantFetches(1)
	})
}

func TestWaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{MaxWaiters: 10})
		w.hang(w.src.URL)
		if d := took(func() { w.want("a", ErrUnavailable) }); d != 5*time.Second {
			t.Errorf("waited %s for a fetch that hangs, want 5s", d)
		}
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() { w.want("a", ErrUnavailable) })
		}
		synctest.Wait()
		if d := took(func() { w.want("a", ErrUnavailable) }); d != 0 {
			t.Errorf("one more than may wait waited %s", d)
		}
		callers.Wait()
		time.Sleep(30 * time.Second)
		en := (*w.engine.entries.Load())[w.src]
		for en.view.Load().failures == 0 || !en.flying.Load() {
			time.Sleep(100 * time.Millisecond)
		}
		if d := took(func() { w.want("a", ErrUnavailable) }); d > time.Second {
			t.Errorf("waited %s for a server that was down the last time, want at most 1s", d)
		}
	})
}

func TestRotationReplacesTheSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "old")
		w.want("old", nil)
		w.serve(w.src.URL, "new")
		w.want("new", nil) // at once: no fetch has left a kid unknown yet
		w.wantFetches(2)
		w.want("old", jwk.ErrUnknownKeyID)
		w.wantFetches(3)

		w.serve(w.src.URL, "newer")
		w.want("newer", jwk.ErrUnknownKeyID) // "old" has spent the interval's fetch
		w.wantFetches(3)
		time.Sleep(30 * time.Second)
		w.want("newer", nil)
	})
}

// An upstream that withdraws all keys means it.
func TestEmptySetIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		w.serve(w.src.URL)
		w.want("b", jwk.ErrUnknownKeyID)
		w.want("a", jwk.ErrUnknownKeyID)
		if s := w.engine.Status(w.src); s.Ready || s.Serving || s.Reason != ReasonNoUsableKey {
			t.Errorf("status: %+v", s)
		}
	})
}

func TestUnknownKeyStorm(t *testing.T) {
	for name, warm := range map[string]bool{"cold": false, "warm": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{RefreshInterval: 24 * time.Hour, StaleIfError: 48 * time.Hour})
				w.serve(w.src.URL, "a")
				if warm {
					w.want("a", nil)
				}
				before := len(w.times(w.src.URL))
				w.slow(w.src.URL, 10*time.Millisecond) // so that many wait for one fetch
				n := 0
				for range 10 { // 10,000 requests in 5 minutes
					var callers sync.WaitGroup
					for range 1000 {
						kid := fmt.Sprintf("random-%d", n)
						n++
						callers.Go(func() { w.want(kid, jwk.ErrUnknownKeyID) })
					}
					callers.Wait()
					time.Sleep(30*time.Second - 15*time.Millisecond)
				}
				times := w.times(w.src.URL)[before:]
				if len(times) < 5 || len(times) > 10 {
					t.Errorf("%d fetches in 5 minutes, want at most one per 30 s", len(times))
				}
				for i := 1; i < len(times); i++ {
					if d := times[i].Sub(times[i-1]); d < 30*time.Second {
						t.Errorf("fetches %d and %d are %s apart", i-1, i, d)
					}
				}
				w.want("a", nil)
				if m := len((*w.engine.entries.Load())[w.src].unknown.seen); m > maxUnknownKeys {
					t.Errorf("%d unknown kids remembered", m)
				}
			})
		})
	}
}

// A client that keeps sending tokens of a retired key must not cost a fetch every 30 s for ever.
func TestKidThatStaysUnknownCostsEverLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{RefreshInterval: 24 * time.Hour, StaleIfError: 48 * time.Hour})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		for range 3600 {
			w.want("retired", jwk.ErrUnknownKeyID)
			time.Sleep(time.Second)
		}
		times := w.times(w.src.URL)[1:]
		for i := 1; i < len(times); i++ {
			if want := 30 * time.Second << (i - 1); times[i].Sub(times[i-1]) != want {
				t.Errorf("fetch %d after %s, want %s", i, times[i].Sub(times[i-1]), want)
			}
		}
		if len(times) < 6 {
			t.Errorf("only %d fetches: the kid would never be found when it is published late", len(times))
		}
	})
}

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
		if s := w.engine.Status(w.src); s.Ready || !s.Serving || s.Reason != ReasonUnreachable || !strings.HasSuffix(s.Message, "still serve") {
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

// Whoever's key server is dead, the others' requests take no time at all.
func TestDeadServerSlowsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		var callers sync.WaitGroup
		for i := range 300 {
			dead := Source{URL: fmt.Sprintf("https://dead-%d.test", i)}
			w.hang(dead.URL)
			callers.Go(func() {
				if _, err := w.engine.Key(t.Context(), dead, "EdDSA", "a", true); !errors.Is(err, ErrUnavailable) {
					t.Errorf("dead server: got %v", err)
				}
			})
		}
		synctest.Wait()
		d := took(func() {
			w.want("a", nil)
			w.want("b", jwk.ErrUnknownKeyID)
			w.engine.Use([]Source{w.src})
			w.engine.Status(w.src)
		})
		if d != 0 {
			t.Errorf("a live source took %s", d)
		}
		callers.Wait()
	})
}

func TestSourcesOutliveSnapshotsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		other := Source{URL: "https://other.test/keys"}
		w.serve(w.src.URL, "a")
		w.engine.Use([]Source{w.src, w.src, other})
		w.want("a", nil)

		w.engine.Use([]Source{other})
		time.Sleep(9 * time.Minute)
		w.engine.Use([]Source{w.src, other})
		w.want("a", nil)
		w.wantFetches(1)

		w.engine.Use([]Source{other})
		time.Sleep(16 * time.Minute)
		n := 0
		for src := range w.engine.All() {
			n++
			if src != other {
				t.Errorf("%s is still kept", src.URL)
			}
		}
		if n != 1 {
			t.Errorf("%d sources kept, want 1", n)
		}
		w.want("a", nil) // served all the same, from a new fetch
	})
}

// An engine told of no snapshot still serves, and forgets what nobody asks for.
func TestSourceThatNobodyNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.engine.Use(nil)
		for range 30 {
			w.want("a", nil)
			time.Sleep(time.Minute)
		}
		if n := len(w.times(w.src.URL)); n > 4 {
			t.Errorf("%d fetches in half an hour of use", n)
		}
		time.Sleep(20 * time.Minute)
		for src := range w.engine.All() {
			t.Errorf("%s is still kept", src.URL)
		}
	})
}

// Sources differ in every field: a key fetched under one tenant's CA must not answer for another's.
func TestSourcesAreSharedOnlyWhenEqual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		for _, src := range []Source{w.src, {URL: w.src.URL, CABundle: "x"}, {URL: w.src.URL, AllowedCIDRs: "10.0.0.0/8"}, w.src} {
			if _, err := w.engine.Key(t.Context(), src, "EdDSA", "a", true); err != nil {
				t.Error(err)
			}
		}
		w.wantFetches(3)
	})
}

func TestPanicIsOneSourcesFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.panic = true
		w.want("a", ErrUnavailable)
		if s := w.engine.Status(w.src); s.Reason != ReasonInternalError || strings.Contains(s.Message, "boom") {
			t.Errorf("status: %+v", s)
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

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		dead := Source{URL: "https://dead.test"}
		w.hang(dead.URL)
		go func() { _, _ = w.engine.Key(t.Context(), dead, "EdDSA", "a", true) }()
		synctest.Wait()
		if d := took(w.engine.Close); d != 0 {
			t.Errorf("Close took %s", d)
		}
		n := len(w.times(w.src.URL))
		w.want("a", nil)
		w.want("b", jwk.ErrUnknownKeyID)
		if _, err := w.engine.Key(t.Context(), Source{URL: "https://late.test"}, "EdDSA", "a", true); !errors.Is(err, ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
		time.Sleep(15 * time.Minute)
		w.wantFetches(n)
	})
}

// Without a kid the set decides alone; an empty one may be out of date.
func TestTokenWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		none := func() error {
			_, err := w.engine.Key(t.Context(), w.src, "EdDSA", "", false)
			return err
		}
		w.serve(w.src.URL)
		if err := none(); !errors.Is(err, jwk.ErrUnknownKeyID) {
			t.Error(err)
		}
		w.serve(w.src.URL, "a")
		if err := none(); !errors.Is(err, jwk.ErrUnknownKeyID) {
			t.Error(err)
		}
		w.wantFetches(1)
		time.Sleep(30 * time.Second)
		if err := none(); err != nil {
			t.Error(err)
		}
		w.serve(w.src.URL, "a", "b")
		time.Sleep(10 * time.Minute)
		if err := none(); !errors.Is(err, jwk.ErrAmbiguousKey) {
			t.Error(err)
		}
	})
}
