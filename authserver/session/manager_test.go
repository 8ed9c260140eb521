// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// lab is a manager over a real store that can be taken away, with accounts that tests change.
type lab struct {
	*Manager
	*accounts
	provider *provider
	switched *switched
	clock    *moving
	snap     *login.Snapshot
	log      *strings.Builder
}

// moving is a clock that tests move.
type moving struct{ passed atomic.Int64 }

func (c *moving) now() time.Time {
	return time.Unix(1_700_000_000, 0).Add(time.Duration(c.passed.Load()))
}
func (c *moving) pass(d time.Duration) { c.passed.Add(int64(d)) }

// switched is a store that can be away, and that counts what it is asked.
type switched struct {
	store.Store
	away    atomic.Bool
	looks   atomic.Int64
	touches atomic.Int64
	during  func() // runs while a session is looked at
	ending  func() // runs before one is ended
}

var errAway = errors.New("the store is away")

func (s *switched) Session(ctx context.Context, key store.Hash, now time.Time) (store.Session, error) {
	s.looks.Add(1)
	if s.away.Load() {
		return store.Session{}, errAway
	}
	found, err := s.Store.Session(ctx, key, now)
	if s.during != nil {
		s.during()
	}
	return found, err
}

func (s *switched) TouchSession(ctx context.Context, key store.Hash, seen, expires time.Time) error {
	s.touches.Add(1)
	return s.Store.TouchSession(ctx, key, seen, expires)
}

func (s *switched) EndSession(ctx context.Context, key store.Hash) error {
	if s.ending != nil {
		s.ending()
	}
	return s.Store.EndSession(ctx, key)
}

// accounts know one person.
type accounts struct {
	mu     sync.Mutex
	person login.Account
	err    error
	signed int
}

func (a *accounts) Current(context.Context, *login.Snapshot, string, string, login.Ref) (*login.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.person
	return &p, a.err
}

func (a *accounts) AccessToken(snap *login.Snapshot, who *login.Account, now time.Time) (string, time.Time, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signed++
	return strings.Repeat("t", a.signed) + who.Username, now.Add(snap.AccessTokenLifetime()), nil
}

func (a *accounts) change(f func(a *accounts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(a)
}

// provider answers when it is asked again.
type provider struct {
	asked   atomic.Int64
	err     atomic.Pointer[error]
	rotates atomic.Bool // it gives a new refresh token before it fails
}

func (p *provider) Renew(_ context.Context, _, _ string, u idp.Upstream) (idp.Upstream, error) {
	p.asked.Add(1)
	if err := p.err.Load(); err != nil {
		if p.rotates.Load() {
			u.RefreshToken += "-"
		}
		return u, *err
	}
	u.RefreshToken += "+"
	return u, nil
}

// lockedWriter is a log.
type lockedWriter struct {
	mu sync.Mutex
	b  *strings.Builder
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

const issuer = "https://op.example"

// another gives the provider another issuer.
func another(b *config.Base) { b.Providers[0].OIDC = &config.OIDC{Issuer: "https://new.example"} }

func newLab(t testing.TB) *lab {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	l := &lab{switched: &switched{Store: s}, clock: &moving{}, provider: &provider{}, log: &strings.Builder{}}
	l.accounts = &accounts{person: login.Account{Subject: "u1", Provider: "default/sso", Organization: "staff", Username: "jane", Ref: login.Ref{Issuer: issuer}}}
	l.Manager = New(Options{
		Store: l.switched, Accounts: l.accounts, Renewer: l.provider, Now: l.clock.now, Random: rand.Reader,
		Log: slog.New(slog.NewTextHandler(&lockedWriter{b: l.log}, nil)),
	})
	l.snap = newSnapshot(t)
	return l
}

func newSnapshot(t testing.TB, changes ...func(*config.Base)) *login.Snapshot {
	t.Helper()
	signer, err := issue.NewSigner(nil)
	if err != nil {
		t.Fatal(err)
	}
	base := &config.Base{
		ExternalURL: origin, Store: config.Store{Type: config.StoreEmbedded},
		Tokens:    config.Tokens{AccessTokenLifetime: config.Duration(15 * time.Minute), RefreshTokenLifetime: config.Duration(720 * time.Hour)},
		Providers: []config.Provider{{Object: "IdentityProvider/default/sso", Name: "sso", Type: config.ProviderOIDC, Organization: "staff", OIDC: &config.OIDC{Issuer: issuer}}},
	}
	for _, change := range changes {
		change(base)
	}
	return login.NewSnapshot(base, signer, login.DecoyKey{})
}

func (l *lab) begin(t testing.TB, b Begin) string {
	t.Helper()
	value, _, err := l.Begin(t.Context(), l.snap, &l.person, b)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (l *lab) token(t testing.TB, value string) (string, error) {
	t.Helper()
	return l.Token(t.Context(), l.snap, value)
}

// want fails the test unless the session's token is want, "" for a session that is over.
func (l *lab) want(t testing.TB, value, want string) {
	t.Helper()
	got, err := l.token(t, value)
	if got != want || (want == "") != errors.Is(err, ErrNoSession) {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

func TestSessionsAreLookedAtEveryTenSeconds(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{Client: strings.Repeat("x", 1000)})
	if other := l.begin(t, Begin{}); !wellFormed(value) || !wellFormed(other) || value == other {
		t.Fatalf("values %q and %q", value, other)
	}
	for range 5 {
		l.want(t, value, "tjane")
		l.clock.pass(2 * time.Second)
	}
	if n := l.switched.looks.Load(); n != 1 {
		t.Errorf("looked at %d times within ten seconds", n)
	}
	l.want(t, value, "tjane")
	if n := l.switched.looks.Load(); n != 2 {
		t.Errorf("looked at %d times", n)
	}
	// What another replica does counts after ten seconds.
	if err := l.switched.EndSession(t.Context(), Key(value)); err != nil {
		t.Fatal(err)
	}
	l.want(t, value, "tjane")
	l.clock.pass(CheckInterval)
	l.want(t, value, "")
}

func TestEndedHereIsEndedAtOnce(t *testing.T) {
	sid, sub := store.Hash{1}, store.Hash{2}
	for name, end := range map[string]func(l *lab, value string) error{
		"End": func(l *lab, value string) error { return l.End(context.Background(), Key(value)) },
		"EndByID": func(l *lab, value string) error {
			_, err := l.EndByID(context.Background(), "u1", ID(Key(value)), false)
			return err
		},
		"others": func(l *lab, _ string) error { _, err := l.EndByID(context.Background(), "u1", "", true); return err },
		"upstream session": func(l *lab, _ string) error {
			_, err := l.EndUpstream(context.Background(), "default/sso", sid, store.Hash{})
			return err
		},
		"upstream subject": func(l *lab, _ string) error {
			_, err := l.EndUpstream(context.Background(), "default/sso", store.Hash{}, sub)
			return err
		},
		"upstream session and subject": func(l *lab, _ string) error {
			_, err := l.EndUpstream(context.Background(), "default/sso", sid, sub)
			return err
		},
		"account is gone": func(l *lab, _ string) error {
			l.change(func(a *accounts) { a.err = &login.EndedError{Reason: "the user is disabled", Final: true} })
			l.clock.pass(CheckInterval)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			value := l.begin(t, Begin{UpstreamSession: sid, UpstreamSubject: sub})
			l.want(t, value, "tjane")
			if err := end(l, value); err != nil {
				t.Fatal(err)
			}
			l.want(t, value, "")
			l.change(func(a *accounts) { a.err = nil })
			l.want(t, value, "")
			if list, err := l.List(t.Context(), "u1"); err != nil || len(list) != 0 {
				t.Errorf("left in the store: %d, %v", len(list), err)
			}
		})
	}
	for name, end := range map[string]func(l *lab) (int, error){
		"another's":          func(l *lab) (int, error) { return l.EndByID(context.Background(), "u2", "", true) },
		"another provider's": func(l *lab) (int, error) { return l.EndUpstream(context.Background(), "default/x", sid, store.Hash{}) },
		"another session's of the subject": func(l *lab) (int, error) {
			return l.EndUpstream(context.Background(), "default/sso", store.Hash{3}, sub)
		},
		"another session's": func(l *lab) (int, error) {
			return l.EndUpstream(context.Background(), "default/sso", sub, store.Hash{})
		},
	} {
		l := newLab(t)
		value := l.begin(t, Begin{UpstreamSession: sid, UpstreamSubject: sub})
		if n, err := end(l); n != 0 || err != nil {
			t.Errorf("%s: ended %d, %v", name, n, err)
		}
		l.want(t, value, "tjane")
	}
}

// TestALogoutOfAllThatItNames guards that a logout token with sid and sub also ends the sessions of that sub for which the provider gave no sid.
func TestALogoutOfAllThatItNames(t *testing.T) {
	l := newLab(t)
	sub := store.Hash{2}
	named, unnamed := l.begin(t, Begin{UpstreamSession: store.Hash{1}, UpstreamSubject: sub}), l.begin(t, Begin{UpstreamSubject: sub})
	other, foreign := l.begin(t, Begin{UpstreamSession: store.Hash{3}, UpstreamSubject: sub}), l.begin(t, Begin{UpstreamSubject: store.Hash{4}})
	for _, value := range []string{named, unnamed, other, foreign} {
		if _, err := l.token(t, value); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := l.EndUpstream(t.Context(), "default/sso", store.Hash{1}, sub); n != 2 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	for value, gone := range map[string]bool{named: true, unnamed: true, other: false, foreign: false} {
		if _, err := l.token(t, value); errors.Is(err, ErrNoSession) != gone {
			t.Errorf("%v, gone: %v", err, gone)
		}
	}
}

// TestALookThatAnEndOvertakes guards that a session which ends while it is looked at is not remembered.
func TestALookThatAnEndOvertakes(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.switched.during = func() {
		l.switched.during = nil
		if err := l.End(context.Background(), Key(value)); err != nil {
			t.Error(err)
		}
	}
	_, _ = l.token(t, value) // either answer is true at some moment
	l.want(t, value, "")
}

// TestAProviderThatMayComeBack guards that a session which may come back is refused and kept.
func TestAProviderThatMayComeBack(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.want(t, value, "tjane")
	l.change(func(a *accounts) { a.err = &login.EndedError{Reason: "the provider is gone or disabled"} })
	l.snap = newSnapshot(t) // another configuration counts at once
	l.want(t, value, "")
	l.change(func(a *accounts) { a.err = nil })
	l.want(t, value, "ttjane")
}

// TestAProviderThatIsRemoved guards that its sessions are refused at once, and end for good as soon as nothing else can be meant:
// they do not count again when a provider of that name returns.
func TestAProviderThatIsRemoved(t *testing.T) {
	gone := func(b *config.Base) { b.Providers = nil }
	for name, c := range map[string]struct {
		change func(*config.Base)
		unused time.Duration
		want   string // once the provider is back
	}{
		"for good":              {gone, removalPatience, ""},
		"for a moment":          {gone, removalPatience - time.Second, "ttjane"},
		"another issuer":        {another, removalPatience, ""},
		"another for a moment":  {another, removalPatience - time.Second, "ttjane"},
		"while nothing is said": {func(b *config.Base) { b.Store.Type = config.StoreNone }, removalPatience, "ttjane"},
		"refused, but not gone": {func(*config.Base) {}, removalPatience, "ttjane"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			before := l.snap
			value := l.begin(t, Begin{})
			l.want(t, value, "tjane")
			l.clock.pass(c.unused)
			l.change(func(a *accounts) { a.err = &login.EndedError{Reason: "the provider is gone or disabled"} })
			l.snap = newSnapshot(t, c.change)
			l.want(t, value, "")
			l.change(func(a *accounts) { a.err = nil })
			l.snap = before
			l.clock.pass(CheckInterval)
			l.want(t, value, c.want)
			if ended := strings.Contains(l.log.String(), "event=session.revoked"); ended != (c.want == "") {
				t.Errorf("logged:\n%s", l.log)
			}
		})
	}
}

// TestAStoreThatIsAway guards how long a session goes on without: as long as the token of the last look, and no longer.
func TestAStoreThatIsAway(t *testing.T) {
	l := newLab(t)
	value, never := l.begin(t, Begin{}), l.begin(t, Begin{})
	l.want(t, value, "tjane")
	l.switched.away.Store(true)
	if _, err := l.token(t, never); !errors.Is(err, errAway) {
		t.Errorf("a session that was never looked at: %v", err)
	}
	for range 89 {
		l.clock.pass(10 * time.Second)
		l.want(t, value, "tjane")
	}
	l.snap = newSnapshot(t, another)
	if _, err := l.token(t, value); !errors.Is(err, errAway) {
		t.Errorf("at a provider that has become another: %v", err)
	}
	l.snap = newSnapshot(t)
	l.want(t, value, "tjane")
	looks := l.switched.looks.Load()
	for range 100 {
		l.want(t, value, "tjane")
	}
	if n := l.switched.looks.Load() - looks; n != 0 {
		t.Errorf("a store that is away is asked %d times at once", n)
	}
	l.clock.pass(10 * time.Second)
	if _, err := l.token(t, value); !errors.Is(err, errAway) {
		t.Errorf("after accessTokenLifetime: %v", err)
	}
	l.switched.away.Store(false)
	l.want(t, value, "ttjane")
}

// TestTokensSayWhatIsTrue guards that a token is signed again when the account changes or its life is half over, and only then.
func TestTokensSayWhatIsTrue(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	l.want(t, value, "tjane")
	l.clock.pass(7 * time.Minute)
	l.want(t, value, "tjane")
	l.clock.pass(time.Minute)
	l.want(t, value, "ttjane")
	l.change(func(a *accounts) { a.person.Username = "janet" })
	l.clock.pass(CheckInterval)
	l.want(t, value, "tttjanet")
	if a, s, err := l.Account(t.Context(), l.snap, value); err != nil || a.Username != "janet" || s.Owner != "u1" {
		t.Errorf("%+v, %v", a, err)
	}
}

// TestSessionsLastWhileTheyAreUsed guards the sliding end, and that use is written down once a minute at most.
func TestSessionsLastWhileTheyAreUsed(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	for range 60 {
		l.clock.pass(CheckInterval)
		if _, err := l.token(t, value); err != nil {
			t.Fatal(err)
		}
	}
	if n := l.switched.touches.Load(); n != 10 {
		t.Errorf("%d writes in ten minutes", n)
	}
	for range 4 {
		l.clock.pass(700 * time.Hour)
		if _, err := l.token(t, value); err != nil {
			t.Fatal(err)
		}
	}
	l.clock.pass(720 * time.Hour)
	l.want(t, value, "")
}

// TestUpstreamTokensAreSealed guards that the store holds nothing that opens them, nor the cookie's value.
func TestUpstreamTokensAreSealed(t *testing.T) {
	l := newLab(t)
	upstream := idp.Upstream{IDToken: "the-id-token", RefreshToken: "the-refresh-token", ExpiresAt: l.clock.now().UTC()}
	value := l.begin(t, Begin{Upstream: upstream})
	list, err := l.List(t.Context(), "u1")
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	for _, secret := range []string{"the-id-token", "the-refresh-token", value} {
		if strings.Contains(string(list[0].Data), secret) {
			t.Errorf("the store holds %s", secret)
		}
	}
	if got, err := l.Upstream(t.Context(), value); err != nil || !reflect.DeepEqual(got, upstream) {
		t.Errorf("opened as %#v, %v", got, err)
	}
	d, err := decode(&list[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := UpstreamKey(l.begin(t, Begin{}))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := openUpstream(key, d.Upstream); !errors.Is(err, errSealed) || !got.Zero() {
		t.Errorf("another session's key opens it: %v", err)
	}
}

// TestRenewals guards how often a provider is asked, that one replica asks, and what its answers do.
func TestRenewals(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{Upstream: idp.Upstream{RefreshToken: "r"}})
	plain := l.begin(t, Begin{Upstream: idp.Upstream{IDToken: "i"}})
	key, err := UpstreamKey(value)
	if err != nil {
		t.Fatal(err)
	}
	replica := New(l.Options)
	renew := func(m *Manager) error { return m.Renew(t.Context(), l.snap, Key(value), key) }
	if err := errors.Join(renew(l.Manager), renew(replica)); err != nil || l.provider.asked.Load() != 0 {
		t.Fatalf("asked %d times right after the login, %v", l.provider.asked.Load(), err)
	}
	l.clock.pass(15 * time.Minute)
	var group, read sync.WaitGroup
	read.Add(20)
	l.switched.during = func() { read.Done(); read.Wait() } // all have seen that it is time before one takes the turn
	for i := range 20 {
		m := l.Manager
		if i%2 == 0 {
			m = replica
		}
		group.Go(func() {
			if err := renew(m); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	l.switched.during = nil
	if n := l.provider.asked.Load(); n != 1 {
		t.Fatalf("asked %d times by twenty at once", n)
	}
	if u, err := l.Upstream(t.Context(), value); err != nil || u.RefreshToken != "r+" {
		t.Errorf("kept %#v, %v", u.RefreshToken, err)
	}
	if err := l.Renew(t.Context(), l.snap, Key(plain), key); err != nil || l.provider.asked.Load() != 1 {
		t.Errorf("a session without a refresh token: %v", err)
	}
	away := error(&idp.Error{Reason: idp.ReasonUnavailable})
	l.provider.answer(away)
	l.clock.pass(15 * time.Minute)
	if err := renew(replica); err != nil || l.provider.asked.Load() != 2 {
		t.Errorf("a provider that is away: %v", err)
	}
	if u, err := l.Upstream(t.Context(), value); err != nil || u.RefreshToken != "r+" {
		t.Errorf("then kept %#v, %v", u.RefreshToken, err)
	}
	l.provider.rotates.Store(true)
	l.clock.pass(15 * time.Minute)
	if err := renew(l.Manager); err != nil || l.provider.asked.Load() != 3 {
		t.Errorf("a provider that goes away halfway: %v", err)
	}
	if u, err := l.Upstream(t.Context(), value); err != nil || u.RefreshToken != "r+-" {
		t.Errorf("the new refresh token is lost: %#v, %v", u.RefreshToken, err)
	}
	l.provider.answer(idp.ErrEnded)
	l.clock.pass(15 * time.Minute)
	if err := renew(replica); !errors.Is(err, login.ErrEnded) {
		t.Errorf("a provider that says no: %v", err)
	}
	if err := renew(l.Manager); !errors.Is(err, login.ErrEnded) {
		t.Errorf("afterwards: %v", err)
	}
	l.want(t, value, "")
	if strings.Contains(l.log.String(), value) {
		t.Error("the log holds the cookie")
	}
}

// answer sets what the provider answers with.
func (p *provider) answer(err error) { p.err.Store(&err) }

func TestCacheIsBounded(t *testing.T) {
	c := newCache(10, 1000)
	for i := range 100 {
		c.put(store.Hash{byte(i)}, &entry{token: strings.Repeat("t", 30)}, 0)
		if len(c.entries) > 10 || c.bytes > 1000 || c.get(store.Hash{byte(i)}) == nil {
			t.Fatalf("%d entries of %d bytes", len(c.entries), c.bytes)
		}
	}
	c.put(store.Hash{200}, &entry{token: strings.Repeat("t", 450)}, 0)
	if c.bytes > 1000 || c.get(store.Hash{200}) == nil {
		t.Errorf("%d bytes", c.bytes)
	}
	c.drop(func(store.Hash, *entry) bool { return true })
	if len(c.entries) != 0 || c.bytes != 0 {
		t.Errorf("%d entries of %d bytes", len(c.entries), c.bytes)
	}
}

// TestParallelRequestsLookOnce guards the store against a page with a hundred images.
func TestParallelRequestsLookOnce(t *testing.T) {
	l := newLab(t)
	value := l.begin(t, Begin{})
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if got, err := l.token(t, value); err != nil || !strings.HasSuffix(got, "jane") {
				t.Error(got, err)
			}
		})
	}
	group.Wait()
	if n := l.switched.looks.Load(); n > 10 {
		t.Errorf("%d looks of 50 at once", n)
	}
}
