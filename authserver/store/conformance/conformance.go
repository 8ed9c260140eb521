// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// start is the suite's clock: no test reads the real one.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const lifetime = 720 * time.Hour

// An Open returns an empty store.
type Open func(t *testing.T, options ...store.Option) store.Store

// small are bounds that a test can reach.
var small = store.Limits{UsesOfScope: 128, Counters: 5, UsersOfOrganization: 10}

// Run runs the suite. What open returns is closed when a test ends.
func Run(t *testing.T, open Open) {
	for _, tests := range []map[string]func(*testing.T, store.Store){families, users, sessions, codes, uses, counters, lasting, general} {
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				s := open(t, store.WithLimits(small))
				t.Cleanup(func() { _ = s.Close() })
				test(t, s)
			})
		}
	}
	t.Run("one connection is enough for many callers", func(t *testing.T) {
		s := open(t, store.WithLimits(store.Limits{Connections: 1}))
		t.Cleanup(func() { _ = s.Close() })
		testParallelUse(t, s)
		testEverythingAtOnce(t, s)
	})
}

var families = map[string]func(*testing.T, store.Store){
	"family is kept as stored":               testFamilyKept,
	"family ends at its time":                testFamilyExpires,
	"family limits are enforced":             testFamilyLimits,
	"owner keeps the newest families":        testOwnerBound,
	"rotation replaces the current token":    testRotate,
	"repeat in the grace gets the same":      testRepeat,
	"repeat after the grace revokes":         testReuse,
	"foreign token revokes":                  testForeign,
	"uses within the grace are bounded":      testUsesBounded,
	"rotation of an expired family fails":    testRotateExpired,
	"twenty uses at once give one successor": testParallelUse,
	"rotations of many families interleave":  testParallelFamilies,
	"family is revoked alone":                testRevokeFamily,
	"owner's families are revoked":           testRevokeOwner,
	"family begins in a living session only": testFamilySession,
}

var general = map[string]func(*testing.T, store.Store){
	"collection removes what is over, only":   testCollect,
	"collection keeps to its limit":           testCollectLimit,
	"collection reaches every kind of record": testCollectEverything,
	"a cancelled caller gets its error":       testCancelled,
	"a closed store says so":                  testClosed,
	"calls of all kinds run side by side":     testEverythingAtOnce,
}

func hash(format string, args ...any) store.Hash {
	return sha256.Sum256(fmt.Appendf(nil, format, args...))
}

// family makes and stores family n of owner, issued n seconds after the start; its token is "token <n>.0".
func family(t *testing.T, s store.Store, owner string, n int) store.Family {
	t.Helper()
	at := start.Add(time.Duration(n) * time.Second)
	f := store.Family{
		Key: hash("family %d", n), Owner: owner, Data: fmt.Appendf(nil, "data %d", n), Current: token(n, 0),
		CreatedAt: at, IssuedAt: at, ExpiresAt: at.Add(lifetime),
	}
	if err := s.CreateFamily(t.Context(), f, 50); err != nil {
		t.Fatalf("CreateFamily: %v", err)
	}
	return f
}

func token(family, n int) store.Hash { return hash("token %d.%d", family, n) }

// rotation uses token n of a family; the successor is token n+1.
func rotation(f store.Family, familyNumber, n int, now time.Time) store.Rotation {
	return store.Rotation{
		Family: f.Key, Used: token(familyNumber, n), Successor: token(familyNumber, n+1), Sealed: fmt.Appendf(nil, "sealed %d", n+1),
		Now: now, ExpiresAt: now.Add(lifetime),
	}
}

func rotate(t *testing.T, s store.Store, r store.Rotation) store.Rotated {
	t.Helper()
	got, err := s.Rotate(t.Context(), r)
	if err != nil {
		t.Fatalf("Rotate: %v", err)
	}
	return got
}

func wantError(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// gone checks that a family cannot be read or used any more.
func gone(t *testing.T, s store.Store, f store.Family, now time.Time) {
	t.Helper()
	_, err := s.Family(t.Context(), f.Key, now)
	wantError(t, "reading a family that is gone", err, store.ErrNotFound)
	_, err = s.Rotate(t.Context(), store.Rotation{Family: f.Key, Used: f.Current, Now: now, ExpiresAt: now.Add(lifetime)})
	wantError(t, "using a family that is gone", err, store.ErrNotFound)
}
