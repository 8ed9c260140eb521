// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var sessions = map[string]func(*testing.T, store.Store){
	"session is kept as stored":                  testSessionKept,
	"owner keeps the last seen sessions":         testSessionBound,
	"session is touched while it lives":          testTouch,
	"session data is compared and swapped":       testSwap,
	"ending a session ends its families":         testEndSession,
	"ending an owner ends sessions, families":    testEndOwner,
	"upstream logout ends the sessions it names": testEndUpstream,
}

func sessionOf(owner string, n int) store.Session {
	at := start.Add(time.Duration(n) * time.Second).Local()
	return store.Session{
		Key: hash("session %d", n), Owner: owner, Provider: "ns/idp", UpstreamSession: hash("sid %d", n), UpstreamSubject: hash("sub %s", owner),
		Data: fmt.Appendf(nil, "data %d", n), Client: "Firefox", CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(lifetime),
	}
}

func session(t *testing.T, s store.Store, owner string, n int) store.Session {
	t.Helper()
	made := sessionOf(owner, n)
	if err := s.CreateSession(t.Context(), made, 50); err != nil {
		t.Fatalf("CreateSession: %v", err)
	}
	return made
}

// sessionFamily makes family n within a session.
func sessionFamily(t *testing.T, s store.Store, in store.Session, n int) store.Family {
	t.Helper()
	f := store.Family{Key: hash("family %d", n), Owner: in.Owner, Session: in.Key, Current: token(n, 0), CreatedAt: start, IssuedAt: start, ExpiresAt: start.Add(lifetime)}
	if err := s.CreateFamily(t.Context(), f, 50); err != nil {
		t.Fatalf("CreateFamily: %v", err)
	}
	return f
}

func testSessionKept(t *testing.T, s store.Store) {
	want := session(t, s, "owner", 1)
	got, err := s.Session(t.Context(), want.Key, start)
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = s.Session(t.Context(), want.Key, want.ExpiresAt)
	wantError(t, "at its end", err, store.ErrNotFound)
	_, err = s.Session(t.Context(), hash("another"), start)
	wantError(t, "another key", err, store.ErrNotFound)
	for name, change := range map[string]func(*store.Session){
		"the same key": func(*store.Session) {}, "no owner": func(s *store.Session) { s.Key, s.Owner = hash("x"), "" },
		"data too long": func(s *store.Session) { s.Key, s.Data = hash("x"), make([]byte, store.MaxSessionData+1) },
		"client":        func(s *store.Session) { s.Key, s.Client = hash("x"), string(make([]byte, 257)) },
	} {
		bad := want
		change(&bad)
		if err := s.CreateSession(t.Context(), bad, 50); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
}

func testSessionBound(t *testing.T, s store.Store) {
	for n := range 4 {
		session(t, s, "owner", n)
	}
	session(t, s, "other", 9)
	if err := s.TouchSession(t.Context(), hash("session 0"), start.Add(time.Minute), start.Add(lifetime)); err != nil {
		t.Fatal(err)
	}
	last := sessionOf("owner", 5)
	if err := s.CreateSession(t.Context(), last, 3); err != nil {
		t.Fatal(err)
	}
	list, err := s.OwnerSessions(t.Context(), "owner", start)
	got := ""
	for _, s := range list {
		got += string(s.Data) + ", "
	}
	if got != "data 0, data 5, data 3, " || err != nil { // the last seen first
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := s.Session(t.Context(), hash("session 9"), start); err != nil {
		t.Errorf("another owner's: %v", err)
	}
}

func testTouch(t *testing.T, s store.Store) {
	made := session(t, s, "owner", 0)
	seen, end := start.Add(time.Hour), start.Add(2*lifetime)
	if err := s.TouchSession(t.Context(), made.Key, seen, end); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Session(t.Context(), made.Key, start.Add(lifetime)); err != nil || !got.SeenAt.Equal(seen) || !got.ExpiresAt.Equal(end) {
		t.Errorf("%+v, %v", got, err)
	}
	wantError(t, "one that is over", s.TouchSession(t.Context(), made.Key, end, end.Add(time.Hour)), store.ErrNotFound)
	wantError(t, "another", s.TouchSession(t.Context(), hash("x"), seen, end), store.ErrNotFound)
}

func testSwap(t *testing.T, s store.Store) {
	made := session(t, s, "owner", 0)
	var won atomic.Int64
	together(8, func(n int) {
		switch ok, err := s.ReplaceSessionData(t.Context(), made.Key, made.Data, fmt.Appendf(nil, "new %d", n)); {
		case err != nil:
			t.Errorf("caller %d: %v", n, err)
		case ok:
			won.Add(1)
		}
	})
	if won.Load() != 1 {
		t.Errorf("%d callers replaced the same data", won.Load())
	}
	if ok, err := s.ReplaceSessionData(t.Context(), hash("x"), nil, nil); ok || err != nil {
		t.Errorf("another: %v, %v", ok, err)
	}
}

func testEndSession(t *testing.T, s store.Store) {
	ended, other := session(t, s, "owner", 1), session(t, s, "owner", 2)
	f, bystander, apart := sessionFamily(t, s, ended, 1), sessionFamily(t, s, other, 2), family(t, s, "owner", 3)
	rotate(t, s, rotation(f, 1, 0, start))
	for range 2 {
		if err := s.EndSession(t.Context(), ended.Key); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Session(t.Context(), ended.Key, start)
	wantError(t, "the session", err, store.ErrNotFound)
	gone(t, s, f, start)
	for _, f := range []store.Family{bystander, apart} {
		if got, err := s.Family(t.Context(), f.Key, start); err != nil || got.Session != f.Session {
			t.Errorf("a bystander: %+v, %v", got, err)
		}
	}
	if err := s.CreateSession(t.Context(), sessionOf("owner", 4), 1); err != nil { // which evicts the other
		t.Fatal(err)
	}
	gone(t, s, bystander, start)
}

func testFamilySession(t *testing.T, s store.Store) {
	in := session(t, s, "owner", 0)
	f := store.Family{Key: hash("f"), Owner: "owner", Session: in.Key, Current: hash("t"), CreatedAt: start, IssuedAt: in.ExpiresAt, ExpiresAt: start.Add(2 * lifetime)}
	wantError(t, "in a session that is over", s.CreateFamily(t.Context(), f, 5), store.ErrNotFound)
	f.IssuedAt = start
	if err := s.CreateFamily(t.Context(), f, 5); err != nil {
		t.Fatal(err)
	}
	if err := s.EndSession(t.Context(), in.Key); err != nil {
		t.Fatal(err)
	}
	wantError(t, "in a session that was ended", s.CreateFamily(t.Context(), f, 5), store.ErrNotFound)
	for round := range 10 { // a session that ends while families begin in it leaves none
		in := session(t, s, "owner", 10+round)
		together(4, func(n int) {
			if n == 0 {
				if err := s.EndSession(t.Context(), in.Key); err != nil {
					t.Errorf("EndSession: %v", err)
				}
				return
			}
			f := f
			f.Key, f.Session = hash("f %d.%d", round, n), in.Key
			if err := s.CreateFamily(t.Context(), f, 50); err != nil {
				wantError(t, "CreateFamily", err, store.ErrNotFound)
			}
		})
	}
	if n, err := s.RevokeOwner(t.Context(), "owner"); n != 0 || err != nil {
		t.Errorf("%d families outlived their session, %v", n, err)
	}
}

func testEndOwner(t *testing.T, s store.Store) {
	in := session(t, s, "owner", 1)
	session(t, s, "owner", 2)
	f, g := sessionFamily(t, s, in, 1), family(t, s, "owner", 2)
	kept, keptFamily := session(t, s, "other", 3), family(t, s, "other", 3)
	if err := s.PutCode(t.Context(), codeOf("owner", 1), 5); err != nil {
		t.Fatal(err)
	}
	if n, err := s.EndOwner(t.Context(), "owner"); n != 4 || err != nil {
		t.Errorf("EndOwner = %d, %v, want 4", n, err)
	}
	gone(t, s, f, start)
	gone(t, s, g, start)
	_, err := s.TakeCode(t.Context(), codeOf("owner", 1).Key, hash("f"), start)
	wantError(t, "the owner's code", err, store.ErrNotFound)
	if _, err := s.Session(t.Context(), kept.Key, start); err != nil {
		t.Errorf("another owner's session: %v", err)
	}
	if _, err := s.Family(t.Context(), keptFamily.Key, start); err != nil {
		t.Errorf("another owner's family: %v", err)
	}
}

func testEndUpstream(t *testing.T, s store.Store) {
	for n := range 3 {
		session(t, s, "owner", n)
	}
	local := sessionOf("owner", 3)
	local.UpstreamSession, local.UpstreamSubject = store.Hash{}, store.Hash{}
	if err := s.CreateSession(t.Context(), local, 50); err != nil {
		t.Fatal(err)
	}
	unnamed := sessionOf("owner", 4)
	unnamed.UpstreamSession = store.Hash{}
	if err := s.CreateSession(t.Context(), unnamed, 50); err != nil {
		t.Fatal(err)
	}
	f := sessionFamily(t, s, sessionOf("owner", 0), 1)
	for _, c := range []struct {
		provider         string
		session, subject store.Hash
		want             int
	}{
		{"ns/another", hash("sid 0"), store.Hash{}, 0},
		{"ns/idp", store.Hash{}, store.Hash{}, 0},       // names nobody, not those without
		{"ns/idp", hash("sid 0"), hash("sub owner"), 2}, // and the one without a session hash
		{"ns/idp", hash("sid of another"), hash("sub owner"), 0},
		{"ns/idp", hash("sid 0"), store.Hash{}, 0},
		{"ns/another", store.Hash{}, hash("sub owner"), 0},
		{"ns/idp", store.Hash{}, hash("sub owner"), 2},
	} {
		if n, err := s.EndUpstream(t.Context(), c.provider, c.session, c.subject); n != c.want || err != nil {
			t.Errorf("%+v: %d, %v", c, n, err)
		}
	}
	gone(t, s, f, start)
	if list, err := s.OwnerSessions(t.Context(), "owner", start); len(list) != 1 || err != nil {
		t.Errorf("%d sessions left, %v, want the local one", len(list), err)
	}
}
