// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

func testFamilyKept(t *testing.T, s store.Store) {
	want := family(t, s, "owner", 1)
	got, err := s.Family(t.Context(), want.Key, start)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("differs from what was stored (-want +got):\n%s", diff)
	}
	_, err = s.Family(t.Context(), hash("another"), start)
	wantError(t, "another key", err, store.ErrNotFound)
	if err := s.CreateFamily(t.Context(), want, 50); err == nil {
		t.Error("a second family with the same key was stored")
	}
}

func testFamilyExpires(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 0)
	if _, err := s.Family(t.Context(), f.Key, f.ExpiresAt.Add(-time.Millisecond)); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	gone(t, s, f, f.ExpiresAt)
}

func testFamilyLimits(t *testing.T, s store.Store) {
	good := store.Family{Key: hash("k"), Owner: "o", Data: make([]byte, store.MaxData), Current: hash("c"), CreatedAt: start, IssuedAt: start, ExpiresAt: start.Add(lifetime)}
	for name, change := range map[string]func(*store.Family){
		"no owner":       func(f *store.Family) { f.Owner = "" },
		"owner too long": func(f *store.Family) { f.Owner = strings.Repeat("o", 1025) },
		"data too long":  func(f *store.Family) { f.Data = make([]byte, store.MaxData+1) },
	} {
		bad := good
		change(&bad)
		if err := s.CreateFamily(t.Context(), bad, 50); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if err := s.CreateFamily(t.Context(), good, 50); err != nil {
		t.Errorf("the largest data: %v", err)
	}
}

func testOwnerBound(t *testing.T, s store.Store) {
	other := family(t, s, "other", 100)
	used := family(t, s, "owner", 0)
	rotate(t, s, rotation(used, 0, 0, start.Add(time.Minute))) // the oldest, but the last one used
	for n := 1; n <= 3; n++ {
		family(t, s, "owner", n)
	}
	f := store.Family{Key: hash("family 4"), Owner: "owner", Current: token(4, 0), CreatedAt: start, IssuedAt: start.Add(2 * time.Minute), ExpiresAt: start.Add(lifetime)}
	if err := s.CreateFamily(t.Context(), f, 3); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[store.Hash]bool{other.Key: true, used.Key: true, hash("family 1"): false, hash("family 2"): false, hash("family 3"): true, f.Key: true} {
		if _, err := s.Family(t.Context(), key, start); (err == nil) != want {
			t.Errorf("family %x: kept %v, want %v", key[:4], err == nil, want)
		}
	}
}

func testRotate(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 1)
	now := start.Add(time.Hour)
	for n := range 3 {
		r := rotation(f, 1, n, now)
		if got := rotate(t, s, r); got.Sealed != nil || !got.ExpiresAt.Equal(r.ExpiresAt) {
			t.Errorf("first use: %+v", got)
		}
		got, err := s.Family(t.Context(), f.Key, now)
		if err != nil || got.Current != r.Successor || !got.IssuedAt.Equal(now) || !got.ExpiresAt.Equal(r.ExpiresAt) || !got.CreatedAt.Equal(f.CreatedAt) {
			t.Errorf("after use %d: %+v, %v", n, got, err)
		}
		now = now.Add(time.Hour)
	}
}

func testRepeat(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 1)
	first := rotation(f, 1, 0, start)
	rotate(t, s, first)
	rotate(t, s, rotation(f, 1, 1, start.Add(time.Second))) // the successor being used changes nothing for the repeat
	again := first
	again.Now, again.Successor, again.Sealed = start.Add(store.Grace-time.Millisecond), hash("never"), []byte("never")
	if got := rotate(t, s, again); !bytes.Equal(got.Sealed, first.Sealed) {
		t.Errorf("repeat: got %q, want %q", got.Sealed, first.Sealed)
	}
	got, err := s.Family(t.Context(), f.Key, start)
	if err != nil || got.Current != token(1, 2) {
		t.Errorf("the repeat changed the family: %+v, %v", got, err)
	}
}

func testReuse(t *testing.T, s store.Store) {
	f, bystander := family(t, s, "owner", 1), family(t, s, "owner", 2)
	first := rotation(f, 1, 0, start)
	rotate(t, s, first)
	first.Now = start.Add(store.Grace)
	_, err := s.Rotate(t.Context(), first)
	wantError(t, "reuse", err, store.ErrReused)
	f.Current = token(1, 1)
	gone(t, s, f, first.Now)
	if _, err := s.Family(t.Context(), bystander.Key, start); err != nil {
		t.Errorf("another family of the owner is gone too: %v", err)
	}
}

func testForeign(t *testing.T, s store.Store) {
	f, other := family(t, s, "owner", 1), family(t, s, "owner", 2)
	rotate(t, s, rotation(other, 2, 0, start))
	r := rotation(f, 1, 0, start)
	r.Used = token(2, 0) // used within the grace, but in another family
	_, err := s.Rotate(t.Context(), r)
	wantError(t, "a token of another family", err, store.ErrReused)
	gone(t, s, f, start)
}

func testUsesBounded(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 1)
	for n := range store.MaxUses + 1 {
		rotate(t, s, rotation(f, 1, n, start.Add(time.Duration(n)*time.Millisecond)))
	}
	now := start.Add(time.Second)
	if got := rotate(t, s, rotation(f, 1, 1, now)); string(got.Sealed) != "sealed 2" {
		t.Errorf("the oldest remembered use: %q", got.Sealed)
	}
	_, err := s.Rotate(t.Context(), rotation(f, 1, 0, now))
	wantError(t, "a use beyond the bound", err, store.ErrReused)
}

func testRotateExpired(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 0)
	_, err := s.Rotate(t.Context(), rotation(f, 0, 0, f.ExpiresAt))
	wantError(t, "use at the end", err, store.ErrNotFound)
	rotate(t, s, rotation(f, 0, 0, f.ExpiresAt.Add(-time.Millisecond)))
}

func testRevokeFamily(t *testing.T, s store.Store) {
	f, bystander := family(t, s, "owner", 1), family(t, s, "owner", 2)
	rotate(t, s, rotation(f, 1, 0, start))
	for range 2 { // the second finds nothing, which is no error
		if err := s.RevokeFamily(t.Context(), f.Key); err != nil {
			t.Fatal(err)
		}
	}
	gone(t, s, f, start)
	if _, err := s.Family(t.Context(), bystander.Key, start); err != nil {
		t.Errorf("bystander: %v", err)
	}
	if n, err := s.Collect(t.Context(), start.Add(store.Grace), 10); n != 0 || err != nil {
		t.Errorf("the family left %d rows behind, %v", n, err)
	}
}

func testRevokeOwner(t *testing.T, s store.Store) {
	f, g, bystander := family(t, s, "owner", 1), family(t, s, "owner", 2), family(t, s, "other", 3)
	if n, err := s.RevokeOwner(t.Context(), "owner"); n != 2 || err != nil {
		t.Errorf("RevokeOwner = %d, %v, want 2", n, err)
	}
	gone(t, s, f, start)
	gone(t, s, g, start)
	if _, err := s.Family(t.Context(), bystander.Key, start); err != nil {
		t.Errorf("bystander: %v", err)
	}
}

func testCancelled(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Rotate(ctx, rotation(f, 1, 0, start))
	wantError(t, "Rotate", err, context.Canceled)
	_, err = s.Family(ctx, f.Key, start)
	wantError(t, "Family", err, context.Canceled)
	rotate(t, s, rotation(f, 1, 0, start)) // nothing was used up, and the store still works
}

func testClosed(t *testing.T, s store.Store) {
	f := family(t, s, "owner", 1)
	wantError(t, "Ping before", s.Ping(t.Context()), nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Rotate(t.Context(), rotation(f, 1, 0, start))
	wantError(t, "Rotate", err, store.ErrClosed)
	_, err = s.Family(t.Context(), f.Key, start)
	wantError(t, "Family", err, store.ErrClosed)
	_, err = s.Collect(t.Context(), start, 1)
	wantError(t, "Collect", err, store.ErrClosed)
	wantError(t, "Ping", s.Ping(t.Context()), store.ErrClosed)
	wantError(t, "Use", s.Use(t.Context(), "a", hash("x"), start, start), store.ErrClosed)
	_, err = s.Used(t.Context(), "a", hash("x"), start)
	wantError(t, "Used", err, store.ErrClosed)
	wantError(t, "EditUsers", s.EditUsers(t.Context(), "o", func(store.UserTx) error { return nil }), store.ErrClosed)
}
