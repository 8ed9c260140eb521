// SPDX-License-Identifier: Apache-2.0

package session

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const lifetime = 720 * time.Hour

// applications is a manager and the service that issues tokens in its sessions, as a server has them.
type applications struct {
	*Manager
	service  *login.Service
	switched *switched
	clock    *moving
	snap     *login.Snapshot
	log      *strings.Builder
}

// oldHash is of "correct horse", of a cost that a login replaces.
const oldHash = "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$64zw4y6hGNSGW1HTKDajc74EIkJpCJ+AUBXDspyrFEU"

var sue = store.User{ID: "u1", Organization: "staff", Username: "sue", Email: "sue@acme.example", PasswordHash: oldHash}

func newApplications(t *testing.T) *applications {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := &applications{switched: &switched{Store: s}, clock: &moving{}, log: &strings.Builder{}}
	key, err := issue.Generate("ES256", a.clock.now())
	if err != nil {
		t.Fatal(err)
	}
	signer, err := issue.NewSigner(&config.Keys{Version: config.Version, Keys: []config.SigningKey{key}})
	if err != nil {
		t.Fatal(err)
	}
	a.snap = login.NewSnapshot(&config.Base{
		ExternalURL: origin, Store: config.Store{Type: config.StoreEmbedded},
		Tokens:    config.Tokens{AccessTokenLifetime: config.Duration(15 * time.Minute), RefreshTokenLifetime: config.Duration(lifetime), Audience: []string{origin}},
		Providers: []config.Provider{{Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, Organization: "staff", Password: &config.Password{}}},
	}, signer, login.DecoyKey{})
	log := slog.New(slog.NewTextHandler(&lockedWriter{b: a.log}, nil))
	a.service = &login.Service{Store: a.switched, Verifier: password.NewVerifier(2), Now: a.clock.now, Random: rand.Reader, Log: log}
	a.Manager = New(Options{Store: a.switched, Accounts: a.service, Now: a.clock.now, Random: rand.Reader, Log: log})
	a.service.Sessions = a.Manager
	a.put(t, sue)
	return a
}

func (a *applications) put(t *testing.T, u store.User) {
	t.Helper()
	if err := a.switched.EditUsers(t.Context(), u.Organization, func(tx store.UserTx) error { return tx.PutUser(u) }); err != nil {
		t.Fatal(err)
	}
}

// begin logs a browser in, and an application in its session. The hash of the password stays as it is.
func (a *applications) begin(t *testing.T) (cookie, refresh string) {
	t.Helper()
	a.service.Random = broken{}
	account, err := a.service.Authenticate(t.Context(), a.snap, login.Credentials{Email: sue.Email, Password: "correct horse"})
	a.service.Random = rand.Reader
	if err != nil {
		t.Fatal(err)
	}
	cookie, s, err := a.Begin(t.Context(), a.snap, account, Begin{})
	if err != nil {
		t.Fatal(err)
	}
	grant, err := a.service.Issue(t.Context(), a.snap, account, login.Issue{Session: s.Key})
	if err != nil {
		t.Fatal(err)
	}
	return cookie, grant.RefreshToken
}

// broken is a source of randomness that fails.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("no randomness") }

// refresh uses a refresh token and returns the next.
func (a *applications) refresh(t *testing.T, token string) string {
	t.Helper()
	grant, err := a.service.Refresh(t.Context(), a.snap, token)
	if err != nil {
		t.Fatalf("refreshing: %v", err)
	}
	return grant.RefreshToken
}

// TestAnApplicationThatOnlyRefreshesStaysLoggedIn guards that its refreshes keep the session in use, and how seldom they write.
func TestAnApplicationThatOnlyRefreshesStaysLoggedIn(t *testing.T) {
	a := newApplications(t)
	cookie, token := a.begin(t)
	for range 30 {
		a.clock.pass(10 * time.Second)
		token = a.refresh(t, token)
	}
	if n := a.switched.touches.Load(); n != 5 {
		t.Errorf("%d writes in five minutes of refreshes", n)
	}
	for range 5 {
		a.clock.pass(lifetime - time.Hour)
		token = a.refresh(t, token)
	}
	if _, err := a.Token(t.Context(), a.snap, cookie); err != nil {
		t.Errorf("the session: %v", err)
	}
	a.switched.away.Store(true)
	if _, err := a.service.Refresh(t.Context(), a.snap, token); !errors.Is(err, errAway) {
		t.Errorf("while nobody can tell whether the session lasts: %v", err)
	}
	a.switched.away.Store(false)
	a.refresh(t, token)
}

// TestTokensEndWithTheirSession guards that no token outlives the session that it began in, also before its row is swept.
func TestTokensEndWithTheirSession(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, a *applications, cookie string){
		"logout": func(t *testing.T, a *applications, cookie string) {
			if err := a.End(t.Context(), Key(cookie)); err != nil {
				t.Fatal(err)
			}
		},
		"idle expiry": func(_ *testing.T, a *applications, _ string) { a.clock.pass(lifetime - 20*time.Second) },
		"an expiry of the session's own": func(t *testing.T, a *applications, cookie string) {
			now := a.clock.now()
			if err := a.switched.Store.TouchSession(t.Context(), Key(cookie), now, now.Add(time.Second)); err != nil {
				t.Fatal(err)
			}
			a.clock.pass(time.Second)
		},
		"out of use for longer than is allowed": func(t *testing.T, a *applications, cookie string) {
			now := a.clock.now()
			if err := a.switched.Store.TouchSession(t.Context(), Key(cookie), now.Add(-lifetime), now.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApplications(t)
			cookie, token := a.begin(t)
			a.clock.pass(30 * time.Second)
			token = a.refresh(t, token) // so that it lasts longer than the session, were it alone
			end(t, a, cookie)
			if _, err := a.service.Refresh(t.Context(), a.snap, token); !errors.Is(err, login.ErrInvalidGrant) {
				t.Fatalf("after the end of the session: %v", err)
			}
			if n, err := a.switched.RevokeOwner(t.Context(), sue.ID); n != 0 || err != nil {
				t.Errorf("%d families are left, %v", n, err)
			}
		})
	}
}

// TestALoginWithoutABrowserHasNoSession guards that it lasts by itself, whatever becomes of the user's browsers.
func TestALoginWithoutABrowserHasNoSession(t *testing.T) {
	a := newApplications(t)
	cookie, _ := a.begin(t)
	grant, err := a.service.Login(t.Context(), a.snap, login.Credentials{Email: sue.Email, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.End(t.Context(), Key(cookie)); err != nil {
		t.Fatal(err)
	}
	a.switched.looks.Store(0)
	token := a.refresh(t, grant.RefreshToken)
	a.clock.pass(lifetime - time.Second)
	a.refresh(t, token)
	if n := a.switched.looks.Load(); n != 0 {
		t.Errorf("%d looks at a session", n)
	}
}

// TestARehashEndsNothing has one of two browsers log in again after the costs of hashes were raised, and then changes the password.
func TestARehashEndsNothing(t *testing.T) {
	a := newApplications(t)
	first, token := a.begin(t)
	second, other := a.begin(t)
	account, err := a.service.Authenticate(t.Context(), a.snap, login.Credentials{Email: sue.Email, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := a.switched.User(t.Context(), sue.ID)
	if err != nil || u.PasswordHash == oldHash {
		t.Fatalf("the hash was not replaced: %v", err)
	}
	third, _, err := a.Begin(t.Context(), a.snap, account, Begin{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		a.clock.pass(CheckInterval)
		for i, cookie := range []string{first, second, third} {
			if _, err := a.Token(t.Context(), a.snap, cookie); err != nil {
				t.Errorf("session %d: %v", i, err)
			}
		}
		token, other = a.refresh(t, token), a.refresh(t, other)
	}
	u.PasswordHash = oldHash
	a.put(t, u) // and ends nothing by itself, as an administrator's change would
	a.clock.pass(CheckInterval)
	for i, cookie := range []string{first, second, third} {
		if _, err := a.Token(t.Context(), a.snap, cookie); !errors.Is(err, ErrNoSession) {
			t.Errorf("session %d after another password: %v", i, err)
		}
	}
	for i, token := range []string{token, other} {
		if _, err := a.service.Refresh(t.Context(), a.snap, token); !errors.Is(err, login.ErrInvalidGrant) {
			t.Errorf("tokens %d after another password: %v", i, err)
		}
	}
}
