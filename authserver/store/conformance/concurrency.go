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
