// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// find asks for kid a with a window and compares the error.
func (w *world) find(maxStale time.Duration, target error) Found {
	w.Helper()
	a := ask("a")
	a.MaxStale = maxStale
	found, err := w.engine.Find(w.Context(), w.src, a)
	if !errors.Is(err, target) {
		w.Errorf("window %s: got error %v, want %v", maxStale, err, target)
	}
	if current := w.engine.Current(w.src, maxStale); (err == nil) != (current != nil) || current != found.Set {
		w.Errorf("window %s: Find answers from %p, Current from %p", maxStale, found.Set, current)
	}
	return found
}

// One source, several policies: each has its own staleIfError.
func TestWindowIsTheAskers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.find(0, nil) // no window is needed while fetches succeed
		w.fail(w.src.URL)
		time.Sleep(11 * time.Minute)
		w.find(0, ErrUnavailable)
		w.find(10*time.Minute, ErrUnavailable)
		w.find(time.Hour, nil)
		for _, step := range []struct{ sleep, gone, serves time.Duration }{
			{time.Hour, time.Hour, 2 * time.Hour},
			{day, day, 48 * time.Hour},
			{5 * day, 120 * time.Hour, 168 * time.Hour},
			{day - 100*time.Minute, 167 * time.Hour, 1000 * time.Hour},
		} {
			for range step.sleep / (10 * time.Minute) {
				time.Sleep(10 * time.Minute)
				w.engine.Current(w.src, step.serves)
			}
			w.find(step.gone, ErrUnavailable)
			w.find(step.serves, nil)
		}
		time.Sleep(time.Hour)
		w.find(1000*time.Hour, ErrUnavailable) // kept for nobody longer than a week
		if v := w.engine.entries.get(w.src).view.Load(); v.set != nil {
			t.Error("keys past the longest window are kept")
		}
	})
}

// Without a fetch that failed, a set of a source at rest is not current: a fetch decides.
func TestCurrentAfterARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		if w.engine.Current(w.src, day) != nil || w.engine.Current(Source{URL: "https://unknown.test"}, day) != nil {
			t.Error("a set before any fetch")
		}
		w.wantFetches(0)
		w.serve(w.src.URL, "a")
		w.find(day, nil)
		time.Sleep(5 * time.Hour)
		if w.engine.Current(w.src, day) != nil {
			t.Error("a set that nobody has looked after for hours is current")
		}
	})
}

// Whoever keeps decisions by the set's pointer loses them when, and only when, the content changes.
func TestSetStaysTheSameWhileItsContentDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a", "b")
		first := w.find(day, nil).Set
		for range 60 {
			time.Sleep(time.Minute)
			if w.engine.Current(w.src, day) != first {
				t.Fatal("a refresh with equal content made another set")
			}
		}
		if n := len(w.times(w.src.URL)); n < 6 {
			t.Errorf("%d fetches in an hour: Current does not count as use", n)
		}
		w.fail(w.src.URL)
		time.Sleep(20 * time.Minute)
		w.serve(w.src.URL, "b", "a")
		time.Sleep(10 * time.Minute)
		if w.engine.Current(w.src, day) != first {
			t.Error("a failure, or another order, made another set")
		}
		w.serve(w.src.URL, "b")
		time.Sleep(10 * time.Minute)
		if second := w.engine.Current(w.src, day); second == first || second.Len() != 1 {
			t.Error("a key that is gone left the set in place")
		}
	})
}

// The interval is the snapshot's, and a shorter one counts from now on.
func TestIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{Rand: func() float64 { return 0 }})
		w.serve(w.src.URL, "a")
		w.find(day, nil)
		run := func(d time.Duration) int {
			before := len(w.times(w.src.URL))
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Minute) {
				w.find(day, nil)
			}
			return len(w.times(w.src.URL)) - before
		}
		for _, tt := range []struct {
			interval time.Duration
			want     int // in two hours
		}{
			{0, 12}, {time.Hour, 2}, {5 * time.Minute, 24}, {100 * time.Hour, 0}, {time.Second, 120},
		} {
			w.engine.Name(map[Source]time.Duration{w.src: tt.interval})
			if got := run(2 * time.Hour); got < tt.want-1 || got > tt.want+1 {
				t.Errorf("interval %s: %d fetches in two hours, want %d", tt.interval, got, tt.want)
			}
		}
	})
}

// A change of the interval must neither hide a failure's backoff nor wake a source at rest.
func TestIntervalLeavesBackoffAndRestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.engine.Name(map[Source]time.Duration{w.src: time.Minute})
		time.Sleep(time.Hour)
		w.wantFetches(0)
		for range 600 {
			w.want("a", ErrUnavailable)
			w.engine.Name(map[Source]time.Duration{w.src: time.Duration(1+len(w.times(w.src.URL))) * time.Minute})
			time.Sleep(time.Second)
		}
		if n := len(w.times(w.src.URL)); n > 14 {
			t.Errorf("%d attempts in ten minutes", n)
		}
	})
}

// What keys are for is told also of a source that rested for longer than keys are kept: its set is fine.
func TestAlgorithmsAfterALongRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.serve(w.src.URL, "a")
		w.find(day, nil)
		time.Sleep(10 * day)
		if s := w.engine.Status(w.src); !s.Ready || len(s.Algorithms) != 1 || s.Algorithms[0] != "EdDSA" {
			t.Errorf("status: %+v", s)
		}
	})
}

// A source in a message: enough to find it, nothing that a URL may hide.
func TestSourceAsText(t *testing.T) {
	for want, src := range map[string]Source{
		`idp.example:8443`:               {URL: "https://u:p@IDP.example:8443/secret?sig=x"},
		`issuer "https://idp.example/a"`: {URL: "https://10.0.0.1/x", Discovery: true, Issuer: "https://idp.example/a"},
		`a source that is no URL`:        {URL: "%"},
	} {
		if got := src.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
