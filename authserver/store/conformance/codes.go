// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var codes = map[string]func(*testing.T, store.Store){
	"code is taken once":                       testTakeCode,
	"owner keeps the newest codes":             testCodeBound,
	"replay removes the family":                testReplayAfter,
	"replay stops a family made later":         testReplayBefore,
	"replay against creation leaves no family": testReplayRace,
	"twenty takers of one code":                testParallelCode,
}

func codeOf(owner string, n int) store.Code {
	return store.Code{Key: hash("code %d", n), Owner: owner, Session: hash("session"), Data: fmt.Appendf(nil, "data %d", n), ExpiresAt: start.Add(time.Minute).Local()}
}

func code(t *testing.T, s store.Store, n int) store.Code {
	t.Helper()
	c := codeOf("owner", n)
	if err := s.PutCode(t.Context(), c, 50); err != nil {
		t.Fatalf("PutCode: %v", err)
	}
	return c
}

func codeFamily(n int) store.Family {
	return store.Family{Key: hash("code family %d", n), Owner: "owner", Current: token(n, 0), CreatedAt: start, IssuedAt: start, ExpiresAt: start.Add(lifetime)}
}

func take(t *testing.T, s store.Store, c store.Code, f store.Family) {
	t.Helper()
	if _, err := s.TakeCode(t.Context(), c.Key, f.Key, start); err != nil {
		t.Fatalf("TakeCode: %v", err)
	}
}

func testTakeCode(t *testing.T, s store.Store) {
	c, over := code(t, s, 1), code(t, s, 2)
	got, err := s.TakeCode(t.Context(), c.Key, hash("f"), start)
	if diff := cmp.Diff(c, got, cmp.Comparer(time.Time.Equal)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for range 2 {
		_, err = s.TakeCode(t.Context(), c.Key, hash("g"), start)
		wantError(t, "again", err, store.ErrReused)
	}
	_, err = s.TakeCode(t.Context(), over.Key, hash("f"), over.ExpiresAt)
	wantError(t, "at its end", err, store.ErrNotFound)
	_, err = s.TakeCode(t.Context(), hash("another"), hash("f"), start)
	wantError(t, "another", err, store.ErrNotFound)
	if err := s.PutCode(t.Context(), c, 50); err == nil {
		t.Error("a second code with the same key was stored")
	}
	if err := s.PutCode(t.Context(), store.Code{Key: hash("n")}, 50); err == nil {
		t.Error("a code without an owner was stored")
	}
}

func testCodeBound(t *testing.T, s store.Store) {
	for n := range 4 {
		c := codeOf("owner", n)
		c.ExpiresAt = c.ExpiresAt.Add(time.Duration(n) * time.Second)
		if err := s.PutCode(t.Context(), c, 2); err != nil {
			t.Fatal(err)
		}
	}
	for n, want := range []error{store.ErrNotFound, store.ErrNotFound, nil, nil} {
		_, err := s.TakeCode(t.Context(), hash("code %d", n), hash("f"), start)
		wantError(t, fmt.Sprintf("code %d", n), err, want)
	}
}

func testReplayAfter(t *testing.T, s store.Store) {
	c, f := code(t, s, 1), codeFamily(1)
	take(t, s, c, f)
	if err := s.CreateFamily(t.Context(), f, 5); err != nil {
		t.Fatal(err)
	}
	_, err := s.TakeCode(t.Context(), c.Key, hash("thief"), start)
	wantError(t, "the replay", err, store.ErrReused)
	gone(t, s, f, start)
}

func testReplayBefore(t *testing.T, s store.Store) {
	c, f := code(t, s, 1), codeFamily(1)
	take(t, s, c, f)
	_, err := s.TakeCode(t.Context(), c.Key, hash("thief"), c.ExpiresAt.Add(-time.Millisecond))
	wantError(t, "the replay", err, store.ErrReused)
	if _, err := s.Collect(t.Context(), c.ExpiresAt.Add(time.Second), 10); err != nil { // the code is over, but not forgotten
		t.Fatal(err)
	}
	wantError(t, "a family made later", s.CreateFamily(t.Context(), f, 5), store.ErrReused)
	gone(t, s, f, start)
}

func testReplayRace(t *testing.T, s store.Store) {
	for n := range 20 {
		c, f := code(t, s, n), codeFamily(n)
		take(t, s, c, f)
		together(2, func(i int) {
			if i == 0 {
				if err := s.CreateFamily(t.Context(), f, 50); err != nil {
					wantError(t, "CreateFamily", err, store.ErrReused)
				}
				return
			}
			_, err := s.TakeCode(t.Context(), c.Key, hash("thief"), start)
			wantError(t, "the replay", err, store.ErrReused)
		})
		gone(t, s, f, start)
	}
}

func testParallelCode(t *testing.T, s store.Store) {
	c := code(t, s, 1)
	var won atomic.Int64
	together(20, func(n int) {
		_, err := s.TakeCode(t.Context(), c.Key, hash("f %d", n), start)
		if err == nil {
			won.Add(1)
		} else if !errors.Is(err, store.ErrReused) {
			t.Errorf("taker %d: %v", n, err)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d takers got the code", won.Load())
	}
}
