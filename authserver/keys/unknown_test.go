// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

func TestUnknownKeyStorm(t *testing.T) {
	for name, warm := range map[string]bool{"cold": false, "warm": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, Options{RefreshInterval: 24 * time.Hour})
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
				if m := len(w.engine.entries.get(w.src).unknown.seen); m > maxUnknownKeys {
					t.Errorf("%d unknown kids remembered", m)
				}
			})
		})
	}
}

// A client that keeps sending tokens of a retired key must not cost a fetch every 30 s for ever.
func TestKidThatStaysUnknownCostsEverLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{RefreshInterval: 24 * time.Hour})
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

// Without a kid the set decides alone; an empty one may be out of date.
func TestTokenWithoutKid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		none := func() error {
			_, err := w.engine.Find(t.Context(), w.src, Ask{Algorithm: "EdDSA", MaxStale: day})
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

// Attackers choose kids; what one fetch remembers of them is bounded.
func TestKidsThatWaitAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.hang(w.src.URL)
		var callers sync.WaitGroup
		for i := range 2 * maxUnknownKeys {
			callers.Go(func() { w.want(fmt.Sprintf("random-%d", i), ErrUnavailable) })
		}
		synctest.Wait()
		en := w.engine.entries.get(w.src)
		en.mu.Lock()
		if n := len(en.flight.asked); n != maxUnknownKeys {
			t.Errorf("%d kids remembered, want %d", n, maxUnknownKeys)
		}
		en.mu.Unlock()
		callers.Wait()
	})
}
