// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// testParallelUse lets twenty callers use one token at once, each with a successor of its own.
func testParallelUse(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 1)
	const callers = 20
	got := make([]string, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			r := rotation(f, 1, 0, start)
			r.Successor, r.Sealed = hash("successor %d", i), fmt.Appendf(nil, "%d", i)
			result, err := s.Rotate(t.Context(), r)
			switch {
			case err != nil:
				t.Errorf("caller %d: %v", i, err)
			case result.Sealed == nil:
				got[i] = string(r.Sealed) // the first use: the caller keeps its own
			default:
				got[i] = string(result.Sealed)
			}
		})
	}
	wg.Wait()
	for i := range got {
		if got[i] != got[0] {
			t.Errorf("caller %d has successor %q, caller 0 has %q", i, got[i], got[0])
		}
	}
	current, err := s.Family(t.Context(), f.Key, start)
	if err != nil || current.Current != hash("successor %s", got[0]) {
		t.Errorf("the family's current token is not what every caller got: %v", err)
	}
}

// together runs f for 0 to n-1 at once, and waits.
func together(n int, f func(int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

// testEverythingAtOnce has callers of all kinds change records of the same owners. None may fail, or wait for ever.
func testEverythingAtOnce(t *testing.T, s store.Store) {
	u := someone("o", 1)
	put(t, s, u)
	together(8, func(n int) {
		for round := range 5 {
			id := 1000 + 100*n + round
			in := session(t, s, u.ID, id)
			f := sessionFamily(t, s, in, id)
			rotate(t, s, rotation(f, id, 0, start))
			edit(t, s, "o", func(tx store.UserTx) error {
				u, err := tx.User(u.ID)
				if err != nil {
					return err
				}
				return tx.PutUser(u)
			})
			for what, err := range map[string]error{
				"Use":            s.Use(t.Context(), "scope", hash("id %d", id), start, start.Add(time.Minute)),
				"RecordLogin":    s.RecordLogin(t.Context(), u.ID, start, "", ""),
				"PutCode":        s.PutCode(t.Context(), codeOf(u.ID, id), 5),
				"TouchSession":   s.TouchSession(t.Context(), in.Key, start, start.Add(lifetime)),
				"RevokeFamily":   s.RevokeFamily(t.Context(), f.Key),
				"EndSession":     s.EndSession(t.Context(), in.Key),
				"ForgetCounters": second(s.ForgetCounters(t.Context(), hash("g"))),
				"Collect":        second(s.Collect(t.Context(), start, 10)),
			} {
				wantError(t, what, err, nil)
			}
			set(t, s, start.Add(time.Minute), 1, counterKey(1, "a"), counterKey(n, "b"))
		}
	})
}

func second(_ int, err error) error { return err }

// testParallelFamilies rotates ten families at once while expired rows are removed.
func testParallelFamilies(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	for n := range 10 {
		f := family(t, s, fmt.Sprintf("owner %d", n), n)
		wg.Go(func() {
			for use := range 20 {
				now := start.Add(time.Duration(use) * time.Minute)
				if _, err := s.Rotate(t.Context(), rotation(f, n, use, now)); err != nil {
					t.Errorf("family %d, use %d: %v", n, use, err)
				}
				if got, err := s.Family(t.Context(), f.Key, now); err != nil || got.Current != token(n, use+1) {
					t.Errorf("family %d after use %d: an older token is current: %v", n, use, err)
				}
				if _, err := s.Collect(t.Context(), now, 5); err != nil {
					t.Errorf("collecting: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func testCollect(t *testing.T, s store.Store) {
	over, live := family(t, s, "owner", 1), family(t, s, "owner", 2)
	rotate(t, s, rotation(live, 2, 0, start))
	now := start.Add(store.Grace - time.Millisecond)
	if n, err := s.Collect(t.Context(), now, 10); n != 0 || err != nil {
		t.Errorf("within the grace: %d, %v", n, err)
	}
	if got := rotate(t, s, rotation(live, 2, 0, now)); string(got.Sealed) != "sealed 1" {
		t.Errorf("the repeat got %q", got.Sealed)
	}
	if n, err := s.Collect(t.Context(), start.Add(store.Grace), 10); n != 1 || err != nil {
		t.Errorf("after the grace: %d, %v, want the one use", n, err)
	}
	rotate(t, s, rotation(live, 2, 1, over.ExpiresAt.Add(-time.Hour))) // prolongs it
	if n, err := s.Collect(t.Context(), over.ExpiresAt, 10); n != 2 || err != nil {
		t.Errorf("when one family is over: %d, %v, want it and the other's use", n, err)
	}
	if _, err := s.Family(t.Context(), live.Key, over.ExpiresAt); err != nil {
		t.Errorf("the family that was prolonged: %v", err)
	}
}

func testCollectLimit(t *testing.T, s store.Store) {
	for n := range 7 {
		f := family(t, s, fmt.Sprintf("owner %d", n), n)
		if n < 2 {
			rotate(t, s, rotation(f, n, 0, start))
		}
	}
	var removed []int
	for {
		n, err := s.Collect(t.Context(), start.Add(2*lifetime), 3)
		if err != nil {
			t.Fatal(err)
		}
		removed = append(removed, n)
		if n < 3 {
			break
		}
	}
	if fmt.Sprint(removed) != "[3 3 3 0]" { // two uses, seven families
		t.Errorf("removed %v in batches of three", removed)
	}
}

// testCollectEverything puts one record of each kind that ends, and expects that a sweep after their end leaves none of them.
func testCollectEverything(t *testing.T, s store.Store) {
	in := session(t, s, "owner", 0)
	f := family(t, s, "owner", 0)
	rotate(t, s, rotation(f, 0, 0, start))
	code(t, s, 1)
	take(t, s, code(t, s, 2), codeFamily(2))
	set(t, s, start.Add(time.Minute), 1, counterKey(1, "a"))
	if err := s.Use(t.Context(), "scope", hash("x"), start, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   time.Time
		want int
	}{
		{start.Add(store.Grace), 1},
		{start.Add(time.Minute), 3}, // a counter, a use, the code that nobody took
		{start.Add(time.Minute + store.CodeMemory), 1},
		{in.ExpiresAt, 2},
	} {
		if n, err := s.Collect(t.Context(), c.at, 10); n != c.want || err != nil {
			t.Errorf("%v after the start: removed %d, %v, want %d", c.at.Sub(start), n, err, c.want)
		}
	}
}
