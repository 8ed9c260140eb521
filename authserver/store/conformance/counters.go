// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var counters = map[string]func(*testing.T, store.Store){
	"counters are kept as edited":        testCounters,
	"zero and expired counters are gone": testCountersGone,
	"parallel edits lose nothing":        testParallelCounters,
	"counters are forgotten by group":    testForgetCounters,
	"counters beyond the bound go":       testCountersBound,
	"counter keys are checked":           testCounterKeys,
}

func counterKey(group int, part string) store.CounterKey {
	return store.CounterKey{Group: hash("group %d", group), Part: part}
}

// set gives counters these numbers of failures; they end at end.
func set(t *testing.T, s store.Store, end time.Time, failures int, keys ...store.CounterKey) {
	t.Helper()
	err := s.EditCounters(t.Context(), keys, start, func(c []store.Counter) {
		for i := range c {
			c[i].Failures, c[i].ExpiresAt = failures, end
		}
	})
	if err != nil {
		t.Fatalf("EditCounters: %v", err)
	}
}

func failures(t *testing.T, s store.Store, now time.Time, keys ...store.CounterKey) string {
	t.Helper()
	list, err := s.Counters(t.Context(), keys, now)
	if err != nil {
		t.Fatalf("Counters: %v", err)
	}
	got := []int{}
	for _, c := range list {
		got = append(got, c.Failures)
	}
	return fmt.Sprint(got)
}

func testCounters(t *testing.T, s store.Store) {
	keys := []store.CounterKey{counterKey(1, "a"), counterKey(2, ""), counterKey(1, "b")}
	want := store.Counter{Failures: 3, Locks: 2, Since: start.Local(), Until: start.Add(time.Minute).Local(), Known: start.Add(time.Second).Local(), ExpiresAt: start.Add(time.Hour).Local()}
	err := s.EditCounters(t.Context(), keys, start, func(c []store.Counter) {
		if len(c) != 3 || c[0] != (store.Counter{}) {
			t.Errorf("new counters are %+v", c)
		}
		c[0], c[2] = want, store.Counter{Failures: 1, ExpiresAt: want.ExpiresAt}
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Counters(t.Context(), []store.CounterKey{keys[1], keys[0], keys[2]}, start)
	if diff := cmp.Diff([]store.Counter{{}, want, {Failures: 1, ExpiresAt: want.ExpiresAt}}, got, cmp.Comparer(time.Time.Equal)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	err = s.EditCounters(t.Context(), keys[:1], start, func(c []store.Counter) { c[0].Failures++ })
	if got := failures(t, s, start, keys...); got != "[4 0 1]" || err != nil {
		t.Errorf("after an edit: %s, %v", got, err)
	}
}

func testCountersGone(t *testing.T, s store.Store) {
	set(t, s, start.Add(time.Minute), 7, counterKey(1, "a"), counterKey(1, "b"))
	if got := failures(t, s, start.Add(time.Minute), counterKey(1, "a")); got != "[0]" {
		t.Errorf("when its time has come: %s", got)
	}
	err := s.EditCounters(t.Context(), []store.CounterKey{counterKey(1, "a")}, start.Add(time.Minute), func(c []store.Counter) {
		if c[0] != (store.Counter{}) {
			t.Errorf("an edit sees %+v", c[0])
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.EditCounters(t.Context(), []store.CounterKey{counterKey(1, "b")}, start, func(c []store.Counter) { c[0] = store.Counter{} })
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Collect(t.Context(), start.Add(time.Minute), 10); n != 1 || err != nil {
		t.Errorf("removed %d, %v, want the one that ended; a zero one is not kept", n, err)
	}
}

func testParallelCounters(t *testing.T, s store.Store) {
	together(20, func(n int) {
		keys := []store.CounterKey{counterKey(1, "a"), counterKey(2, "b")}
		if n%2 == 0 {
			keys[0], keys[1] = keys[1], keys[0] // in either order, which must not deadlock
		}
		err := s.EditCounters(t.Context(), keys, start, func(c []store.Counter) {
			for i := range c {
				c[i].Failures, c[i].ExpiresAt = c[i].Failures+1, start.Add(time.Hour)
			}
		})
		if err != nil {
			t.Errorf("caller %d: %v", n, err)
		}
	})
	if got := failures(t, s, start, counterKey(1, "a"), counterKey(2, "b")); got != "[20 20]" {
		t.Errorf("counted %s, want 20 each", got)
	}
}

func testForgetCounters(t *testing.T, s store.Store) {
	set(t, s, start.Add(time.Minute), 1, counterKey(1, "a"), counterKey(1, "b"), counterKey(2, "a"))
	if n, err := s.ForgetCounters(t.Context(), counterKey(1, "").Group); n != 2 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if got := failures(t, s, start, counterKey(1, "a"), counterKey(1, "b"), counterKey(2, "a")); got != "[0 0 1]" {
		t.Errorf("left: %s", got)
	}
}

func testCountersBound(t *testing.T, s store.Store) {
	for n := range 8 {
		set(t, s, start.Add(time.Hour+time.Duration(n)*time.Minute), 1, counterKey(n, "a"))
	}
	if n, err := s.Collect(t.Context(), start, 2); n != 2 || err != nil {
		t.Errorf("a batch of two removed %d, %v", n, err)
	}
	if n, err := s.Collect(t.Context(), start, 10); n != 1 || err != nil {
		t.Errorf("the next batch removed %d, %v, want the one beyond the bound", n, err)
	}
	for n := range 8 { // those that end last stay
		if got, want := failures(t, s, start, counterKey(n, "a")), fmt.Sprintf("[%d]", min(n/3, 1)); got != want {
			t.Errorf("counter %d: %s, want %s", n, got, want)
		}
	}
}

func testCounterKeys(t *testing.T, s store.Store) {
	many := make([]store.CounterKey, store.MaxCounterKeys+1)
	for i := range many {
		many[i] = counterKey(i, "")
	}
	for name, keys := range map[string][]store.CounterKey{
		"twice": {counterKey(1, "a"), counterKey(1, "a")}, "part too long": {counterKey(1, string(make([]byte, 65)))}, "too many": many,
	} {
		if err := s.EditCounters(t.Context(), keys, start, func([]store.Counter) {}); err == nil {
			t.Errorf("%s: edited", name)
		}
	}
	if list, err := s.Counters(t.Context(), nil, start); len(list) != 0 || err != nil {
		t.Errorf("no keys: %v, %v", list, err)
	}
}
