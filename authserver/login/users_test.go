// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// changedPassword is a hash of another password, of the cost that hash has.
const changedPassword = "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// sue is a user of the store with a password.
func sue() store.User {
	return store.User{
		ID: "0b6f6d3c-0c0e-4b52-9a5c-1f0c5e2f7a01", Organization: "globex", Username: "sue", Email: "Sue@Acme.example", EmailVerified: true,
		Name: "Sue S", Groups: []string{"ops"}, PasswordHash: hash, CreatedAt: start, UpdatedAt: start,
	}
}

// disabled is another one, who may not log in.
func disabled() store.User {
	u := sue()
	u.ID, u.Username, u.Email, u.Disabled = "0b6f6d3c-0c0e-4b52-9a5c-1f0c5e2f7a02", "gone", "gone@acme.example", true
	return u
}

// put stores a user in place of the one with its ID.
func (w *world) put(t testing.TB, u store.User) {
	t.Helper()
	if err := w.store.EditUsers(t.Context(), u.Organization, func(tx store.UserTx) error { return tx.PutUser(u) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) user(t testing.TB, id string) store.User {
	t.Helper()
	u, err := w.store.User(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUsersOfTheStoreLogIn(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	w.later(time.Hour)
	for _, email := range []string{"sue@acme.example", " SUE@ACME.example", "ｓｕｅ@acme.example"} {
		got := claims(t, w.login(t, email).AccessToken)
		for name, want := range map[string]any{
			"sub": sue().ID, "organization": "globex", "preferred_username": "sue", "email": "Sue@Acme.example", "name": "Sue S", "groups": []any{"ops"},
		} {
			if diff := cmp.Diff(want, got[name]); diff != "" {
				t.Errorf("%s: claim %s (-want +got):\n%s", email, name, diff)
			}
		}
	}
	if at := w.user(t, sue().ID).LastLoginAt; !at.Equal(start.Add(time.Hour)) {
		t.Errorf("last login at %v", at)
	}
}

// TestUsersOfTheSecretWin guards that nobody takes over an address of the Secret by an account in the store.
func TestUsersOfTheSecretWin(t *testing.T) {
	for name, users := range map[string][]config.User{
		"usable":    {{Email: "sue@acme.example", Username: "secret", Hash: changedPassword}},
		"ambiguous": {{Email: "sue@acme.example", Hash: hash}, {Email: "SUE@acme.example", Hash: hash}},
		"unusable":  {{Email: "sue@acme.example", Hash: "$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.put(t, sue())
			token := w.login(t, "sue@acme.example").RefreshToken
			before := w.snapshot()
			w.base.Providers[0].Password.Users = users
			if err := w.attempt(t, "sue@acme.example", correct, client); !errors.Is(err, ErrInvalidCredentials) {
				t.Errorf("the store's password: %v", err)
			}
			w.refused(t, "a login from before", token)
			if _, err := w.Refresh(t.Context(), before, token); err != nil {
				t.Errorf("with the Secret as it was: %v", err)
			}
		})
	}
}

// lookups counts what is asked of the store, by name.
type lookups struct {
	Store
	mu     sync.Mutex
	count  map[string]int
	record func() // runs before RecordLogin
}

func (l *lookups) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count[what]++
}

func (l *lookups) PasswordUser(ctx context.Context, email string) (store.User, error) {
	l.note("PasswordUser")
	return l.Store.PasswordUser(ctx, email)
}

func (l *lookups) Counters(ctx context.Context, keys []store.CounterKey, now time.Time) ([]store.Counter, error) {
	l.note("Counters")
	return l.Store.Counters(ctx, keys, now)
}

func (l *lookups) EditCounters(ctx context.Context, keys []store.CounterKey, now time.Time, f func([]store.Counter)) error {
	l.note("EditCounters")
	return l.Store.EditCounters(ctx, keys, now, f)
}

func (l *lookups) RecordLogin(ctx context.Context, id string, at time.Time, old, hash string) error {
	l.note("RecordLogin")
	if l.record != nil {
		l.record()
	}
	return l.Store.RecordLogin(ctx, id, at, old, hash)
}

// TestRefusedAttemptsAreAlike guards that neither answer nor work tell why: one look into the store, one hash of the same
// cost, one counting, whoever is asked for.
func TestRefusedAttemptsAreAlike(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	w.put(t, disabled())
	for name, c := range map[string]Credentials{
		"user of the Secret, wrong password":   {Email: "bob@acme.example", Password: "wrong"},
		"user of the Secret, empty password":   {Email: "bob@acme.example"},
		"user of the store, wrong password":    {Email: "sue@acme.example", Password: "wrong"},
		"disabled user":                        {Email: "gone@acme.example", Password: correct},
		"disabled user, wrong password":        {Email: "gone@acme.example", Password: "wrong"},
		"unknown user":                         {Email: "mallory@acme.example", Password: correct},
		"no user":                              {Password: correct},
		"too long an address":                  {Email: strings.Repeat("m", 60<<10), Password: correct},
		"too long an address of a real user":   {Email: "sue@acme.example" + strings.Repeat("m", 60<<10), Password: correct},
		"too long a password":                  {Email: "sue@acme.example", Password: correct + strings.Repeat("x", password.MaxLength)},
		"username instead of an address":       {Email: "sue", Password: correct},
		"another user's address in a template": {Email: "%@acme.example", Password: correct},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &lookups{Store: w.store, count: map[string]int{}}
			s := &Service{Store: seen, Verifier: w.Verifier, Random: rand.Reader, Now: w.Now, Log: w.Log}
			snap := w.snapshot()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			a, err := s.Authenticate(t.Context(), snap, c)
			runtime.ReadMemStats(&after)
			if a != nil || err == nil || err.Error() != ErrInvalidCredentials.Error() {
				t.Errorf("%v, %v", a, err)
			}
			if diff := cmp.Diff(map[string]int{"PasswordUser": 1, "Counters": 1, "EditCounters": 1}, seen.count); diff != "" {
				t.Errorf("asked of the store (-want +got):\n%s", diff)
			}
			if work := after.TotalAlloc - before.TotalAlloc; work < 8<<20 || work > 12<<20 {
				t.Errorf("%d bytes of work, want those of one hash of 8 MiB", work)
			}
		})
	}
}

// TestUnknownNamesCostWhatUsersOfTheStoreDoToo guards that a Secret of other hashes does not give away who is in the store.
func TestUnknownNamesCostWhatUsersOfTheStoreDoToo(t *testing.T) {
	w := newWorld(t, "")
	cost := func() (today int) {
		for _, c := range w.unknown(t, DecoyKey{1}, listOf(2)) {
			if c == "" {
				today++
			}
		}
		return today
	}
	if n := cost(); n != 0 {
		t.Errorf("without users of the store %d of 2000 names cost what such a user does", n)
	}
	w.base.Store.Persistent = true
	if n := cost(); n < 800 || n > 1200 {
		t.Errorf("%d of 2000 unknown names cost what a user of the store does, want about half", n)
	}
}

func TestLoginRehashes(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	other := w.login(t, "sue@acme.example") // rehashes
	renewed := w.user(t, sue().ID).PasswordHash
	if cost, err := password.Cost(renewed); err != nil || cost != password.DefaultCost {
		t.Fatalf("hash of cost %q, %v", cost, err)
	}
	if ok, err := w.Verifier.Verify(t.Context(), renewed, []byte(correct)); !ok || err != nil {
		t.Fatalf("the new hash: %v, %v", ok, err)
	}
	w.refresh(t, other.RefreshToken)
	w.login(t, "sue@acme.example")
	if again := w.user(t, sue().ID).PasswordHash; again != renewed {
		t.Error("a hash of today's cost was replaced")
	}
	w.login(t, "bob@acme.example") // of the Secret, with the same old cost: nothing to write
	if err := w.attempt(t, "sue@acme.example", "wrong", client); !errors.Is(err, ErrInvalidCredentials) {
		t.Errorf("a wrong password after the rehash: %v", err)
	}
}

// TestRehashLosesARace guards what a login does whose user got another hash while it was looked at.
func TestRehashLosesARace(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*store.User)
		want   error
	}{
		"by another login":       {func(u *store.User) { u.PasswordHash = changed }, nil},
		"by a changed password":  {func(u *store.User) { u.PasswordHash = changedPassword }, ErrInvalidCredentials},
		"by a removed password":  {func(u *store.User) { u.PasswordHash = "" }, ErrInvalidCredentials},
		"by being disabled":      {func(u *store.User) { u.PasswordHash, u.Disabled = changed, true }, ErrInvalidCredentials},
		"by a hash nobody reads": {func(u *store.User) { u.PasswordHash = "$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/" }, password.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.put(t, sue())
			u := sue()
			tt.change(&u)
			w.Store = &lookups{Store: w.store, count: map[string]int{}, record: func() { w.put(t, u) }}
			g, err := w.Login(t.Context(), w.snapshot(), Credentials{Email: "sue@acme.example", Password: correct, Client: client})
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if got := w.user(t, u.ID).PasswordHash; got != u.PasswordHash {
				t.Errorf("the hash %q was overwritten", got)
			}
			if tt.want == nil {
				w.refresh(t, g.RefreshToken)
			}
		})
	}
}

// TestABusyServerRehashesLater guards that a login does not fail for want of a slot for the new hash.
func TestABusyServerRehashesLater(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	w.Random = broken{}
	a, err := w.Authenticate(t.Context(), w.snapshot(), Credentials{Email: "sue@acme.example", Password: correct, Client: client})
	if err != nil || a.Subject != sue().ID || w.user(t, sue().ID).PasswordHash != hash {
		t.Errorf("%v, %v", a, err)
	}
}

// broken is a source of randomness that fails.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

// TestChangesOfAStoredUserReachTheFamily goes through what may happen to a user of the store; after it, all but the user is
// restored.
func TestChangesOfAStoredUserReachTheFamily(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*testing.T, *world)
		back   bool // the family survives, once the configuration is as it was
	}{
		"disabled": {func(t *testing.T, w *world) { u := w.user(t, sue().ID); u.Disabled = true; w.put(t, u) }, false},
		"password changed": {func(t *testing.T, w *world) {
			u := w.user(t, sue().ID)
			u.PasswordHash = changedPassword
			w.put(t, u)
		}, false},
		"password removed": {func(t *testing.T, w *world) { u := w.user(t, sue().ID); u.PasswordHash = ""; w.put(t, u) }, false},
		"deleted": {func(t *testing.T, w *world) {
			if err := w.store.EditUsers(t.Context(), "globex", func(tx store.UserTx) error { return tx.DeleteUser(sue().ID) }); err != nil {
				t.Fatal(err)
			}
		}, false},
		"lifetime shortened": {func(_ *testing.T, w *world) { w.base.Tokens.RefreshTokenLifetime = config.Duration(time.Hour) }, false},
		"provider removed":   {func(_ *testing.T, w *world) { w.base.Providers = nil }, true},
		"provider replaced": {func(_ *testing.T, w *world) {
			w.base.Providers = slices.Clone(w.base.Providers)
			w.base.Providers[0].Object = "IdentityProvider/default/other"
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			w.put(t, sue())
			token := w.login(t, "sue@acme.example").RefreshToken
			w.later(time.Hour)
			before := w.snapshot()
			tt.change(t, w)
			w.refused(t, "after the change", token)
			if _, err := w.Refresh(t.Context(), before, token); tt.back != (err == nil) || err != nil && !errors.Is(err, ErrInvalidGrant) {
				t.Errorf("with the configuration as it was: %v, want usable %v", err, tt.back)
			}
		})
	}
}

func TestRefreshReadsAStoredUserAgain(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	first := w.login(t, "sue@acme.example")
	u := w.user(t, sue().ID)
	u.Username, u.Name, u.Groups = "susan", "Susan S", []string{"dev"}
	w.put(t, u)
	got := claims(t, w.refresh(t, first.RefreshToken).AccessToken)
	if got["sub"] != u.ID || got["preferred_username"] != "susan" || got["name"] != "Susan S" || !cmp.Equal(got["groups"], []any{"dev"}) {
		t.Errorf("claims are those of the login: %v", got)
	}
}

// failing is a store that is away.
type failing struct{ Store }

var errAway = errors.New("the database is away")

func (failing) PasswordUser(context.Context, string) (store.User, error) {
	return store.User{}, errAway
}
func (failing) User(context.Context, string) (store.User, error) { return store.User{}, errAway }

// TestAStoreThatIsAwayRefusesNobody guards that a fault is told as one, for users of the Secret too, and takes nothing from
// anybody.
func TestAStoreThatIsAwayRefusesNobody(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	token := w.login(t, "sue@acme.example").RefreshToken
	var results []Result
	w.Observe = func(r Result) { results = append(results, r) }
	w.Store = failing{w.store}
	for _, email := range []string{"bob@acme.example", "sue@acme.example", "unknown@acme.example"} {
		if err := w.attempt(t, email, correct, client); !errors.Is(err, errAway) || errors.Is(err, ErrInvalidCredentials) {
			t.Errorf("%s: %v", email, err)
		}
	}
	if _, err := w.Refresh(t.Context(), w.snapshot(), token); !errors.Is(err, errAway) {
		t.Errorf("refresh: %v", err)
	}
	w.Store = w.store
	w.refresh(t, token)
	if diff := cmp.Diff([]Result{Unavailable, Unavailable, Unavailable}, results); diff != "" {
		t.Error(diff)
	}
}

// TestResultsAreObserved guards what the metric counts, one attempt after the other.
func TestResultsAreObserved(t *testing.T) {
	w := newWorld(t, "")
	var got []Result
	w.Observe = func(r Result) { got = append(got, r) }
	w.base.Login.Lockout = config.Lockout{MaxFailures: 1}
	_ = w.attempt(t, "bob@acme.example", correct, client)
	_ = w.attempt(t, "bob@acme.example", "wrong", client)
	if err := w.attempt(t, "bob@acme.example", correct, client); wait(err) != time.Minute {
		t.Errorf("during the lock: %v", err)
	}
	w.Verifier.Wait = -1 // no slot comes free in time
	if err := w.attempt(t, "eve@acme.example", correct, client); !errors.Is(err, password.ErrBusy) {
		t.Errorf("without a slot: %v", err)
	}
	w.base.Providers = nil
	if err := w.attempt(t, "eve@acme.example", correct, client); !errors.Is(err, ErrDisabled) {
		t.Errorf("without a provider: %v", err)
	}
	if diff := cmp.Diff([]Result{Succeeded, Failed, Locked, Busy}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
