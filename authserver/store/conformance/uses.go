// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var uses = map[string]func(*testing.T, store.Store){
	"an identifier is used once":         testUse,
	"uses of a scope are bounded":        testUsesFull,
	"twenty uses of one identifier":      testParallelUses,
	"collection makes room for new uses": testUsesCollected,
}

func testUse(t *testing.T, s store.Store) {
	until := start.Add(time.Minute)
	use := func(scope, id string, now time.Time) error {
		return s.Use(t.Context(), scope, hash("%s", id), now, until)
	}
	for _, c := range []struct {
		scope, id string
		now       time.Time
		want      error
	}{
		{"a", "1", start, nil},
		{"a", "1", start, store.ErrReused},
		{"b", "1", start, nil},
		{"a", "2", start, nil},
		{"a", "1", until.Add(-time.Millisecond), store.ErrReused},
	} {
		wantError(t, fmt.Sprint(c), use(c.scope, c.id, c.now), c.want)
	}
	for _, c := range []struct {
		scope, id string
		now       time.Time
		want      bool
	}{{"a", "1", start, true}, {"a", "1", until.Add(-time.Millisecond), true}, {"a", "1", until, false}, {"b", "2", start, false}, {"a", "3", start, false}} {
		used, err := s.Used(t.Context(), c.scope, hash("%s", c.id), c.now)
		wantError(t, fmt.Sprint("looking up ", c), err, nil)
		if used != c.want {
			t.Errorf("looking up %v: %v", c, used)
		}
	}
	until = until.Add(time.Hour)
	wantError(t, "after its time", use("a", "1", start.Add(time.Minute)), nil)
	wantError(t, "and again", use("a", "1", start.Add(time.Minute)), store.ErrReused)
	if err := use("a\x00", "1", start); err == nil || errors.Is(err, store.ErrReused) {
		t.Errorf("a scope with NUL: %v", err)
	}
}

// fill uses identifiers until the scope is full, and returns how many it took.
func fill(t *testing.T, s store.Store, scope string, now time.Time) int {
	t.Helper()
	taken := 0
	for n := range 4 * small.UsesOfScope {
		switch err := s.Use(t.Context(), scope, hash("%v %d", now, n), now, now.Add(time.Minute)); {
		case err == nil:
			taken++
		case !errors.Is(err, store.ErrFull):
			t.Fatalf("use %d: %v", n, err)
		}
	}
	return taken
}

func testUsesFull(t *testing.T, s store.Store) {
	if n := fill(t, s, "a", start); n > small.UsesOfScope || n < small.UsesOfScope/2 {
		t.Errorf("%d uses were noted; the bound is %d", n, small.UsesOfScope)
	}
	wantError(t, "another scope", s.Use(t.Context(), "b", hash("x"), start, start.Add(time.Minute)), nil)
	wantError(t, "a repeat in the full scope", s.Use(t.Context(), "b", hash("x"), start, start.Add(time.Minute)), store.ErrReused)
}

func testParallelUses(t *testing.T, s store.Store) {
	var won atomic.Int64
	together(20, func(n int) {
		err := s.Use(t.Context(), "a", hash("x"), start, start.Add(time.Minute))
		if err == nil {
			won.Add(1)
		} else if !errors.Is(err, store.ErrReused) {
			t.Errorf("caller %d: %v", n, err)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d callers used it", won.Load())
	}
}

func testUsesCollected(t *testing.T, s store.Store) {
	before, later := fill(t, s, "a", start), start.Add(time.Minute)
	removed := 0
	for {
		n, err := s.Collect(t.Context(), later, 50)
		if err != nil {
			t.Fatal(err)
		}
		if removed += n; n < 50 {
			break
		}
	}
	if removed != before {
		t.Errorf("removed %d of %d", removed, before)
	}
	if n := fill(t, s, "a", later); n > small.UsesOfScope || n < small.UsesOfScope/2 {
		t.Errorf("%d uses fit after the sweep, %d before", n, before)
	}
}
