// SPDX-License-Identifier: Apache-2.0

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
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
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
			_, err := w.engine.Find(ctx, w.src, ask("a"))
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
		en := w.engine.entries.get(w.src)
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
				if _, err := w.engine.Find(t.Context(), dead, ask("a")); !errors.Is(err, ErrUnavailable) {
					t.Errorf("dead server: got %v", err)
				}
			})
		}
		synctest.Wait()
		d := took(func() {
			w.want("a", nil)
			w.want("b", jwk.ErrUnknownKeyID)
			w.engine.Name(named(w.src))
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
		w.engine.Name(named(w.src, w.src, other))
		w.want("a", nil)

		w.engine.Name(named(other))
		time.Sleep(9 * time.Minute)
		w.engine.Name(named(w.src, other))
		w.want("a", nil)
		w.wantFetches(1)

		w.engine.Name(named(other))
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
		w.engine.Name(nil)
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
		for _, src := range []Source{w.src, {URL: w.src.URL, CABundle: outbound.NewBundle("x")}, {URL: w.src.URL, AllowedCIDRs: "10.0.0.0/8"}, w.src} {
			if _, err := w.engine.Find(t.Context(), src, ask("a")); err != nil {
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

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.want("a", nil)
		dead := Source{URL: "https://dead.test"}
		w.hang(dead.URL)
		go func() { _, _ = w.engine.Find(t.Context(), dead, ask("a")) }()
		synctest.Wait()
		if d := took(w.engine.Close); d != 0 {
			t.Errorf("Close took %s", d)
		}
		n := len(w.times(w.src.URL))
		w.want("a", nil)
		w.want("b", jwk.ErrUnknownKeyID)
		if _, err := w.engine.Find(t.Context(), Source{URL: "https://late.test"}, ask("a")); !errors.Is(err, ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
		time.Sleep(15 * time.Minute)
		w.wantFetches(n)
	})
}
