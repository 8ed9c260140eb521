// SPDX-License-Identifier: Apache-2.0

package login

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// The users' password is "correct horse", hashed at the cheapest cost that is accepted.
const (
	correct = "correct horse"
	hash    = "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$64zw4y6hGNSGW1HTKDajc74EIkJpCJ+AUBXDspyrFEU"
	changed = "$argon2id$v=19$m=8192,t=1,p=1$ZmVkY2JhOTg3NjU0MzIxMA$CJDqAYNRiROmRSeuyX24ceZsFHGFitloDSceBb8UD2s" // the same password, another hash
)

var (
	start  = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	client = netip.MustParseAddr("192.0.2.1")
)

// world is a service with its clock, its log and the configuration that tests change.
type world struct {
	*Service
	store  store.Store // what Service.Store is, all of it
	mu     sync.Mutex
	now    time.Time
	log    bytes.Buffer
	base   config.Base
	signer *issue.Signer
}

func newWorld(t testing.TB, dir string) *world {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return newWorldOver(t, s)
}

func newWorldOver(t testing.TB, s store.Store) *world {
	t.Helper()
	key, err := issue.Generate("ES256", start)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: s, now: start, base: config.Base{
		Version: config.Version, Server: "default/default", ExternalURL: "https://auth.example", Store: config.Store{Type: config.StoreEmbedded},
		Tokens: config.Tokens{AccessTokenLifetime: config.Duration(15 * time.Minute), RefreshTokenLifetime: config.Duration(720 * time.Hour), Audience: []string{"https://api.example"}},
		Providers: []config.Provider{{
			Object: "IdentityProvider/default/staff", Name: "staff", Type: config.ProviderPassword, Organization: "acme",
			Password: &config.Password{Users: []config.User{
				{Email: "Bob@Acme.example", Username: "bob", Name: "Bob B", Groups: []string{"dev"}, Hash: hash},
				{Email: "eve@acme.example", Username: "eve@acme.example", Hash: hash},
			}},
		}},
	}}
	if w.signer, err = issue.NewSigner(&config.Keys{Version: config.Version, Keys: []config.SigningKey{key}}); err != nil {
		t.Fatal(err)
	}
	w.Service = &Service{
		Store: s, Verifier: password.NewVerifier(8), Random: rand.Reader,
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
		Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	w.Verifier.Wait = 5 * time.Minute // the machine may be busy with other suites
	return w
}

func (w *world) later(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.now = w.now.Add(d) }

func (w *world) snapshot() *Snapshot { return NewSnapshot(&w.base, w.signer, DecoyKey{1}) }

func (w *world) users() []config.User { return w.base.Providers[0].Password.Users }

func (w *world) login(t testing.TB, email string) *Grant {
	t.Helper()
	g, err := w.Login(t.Context(), w.snapshot(), Credentials{Email: email, Password: correct, Client: client})
	if err != nil {
		t.Fatalf("Login: %v", err)
	}
	return g
}

func (w *world) refresh(t testing.TB, token string) *Grant {
	t.Helper()
	g, err := w.Refresh(t.Context(), w.snapshot(), token)
	if err != nil {
		t.Fatalf("Refresh: %v", err)
	}
	return g
}

// refused checks that a refresh token gets invalid_grant.
func (w *world) refused(t testing.TB, what, token string) {
	t.Helper()
	if g, err := w.Refresh(t.Context(), w.snapshot(), token); !errors.Is(err, ErrInvalidGrant) {
		t.Errorf("%s: %v, %v, want ErrInvalidGrant", what, g, err)
	}
}

func claims(t testing.TB, token string) map[string]any {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoginGrantsWhatTheConfigurationSays(t *testing.T) {
	w := newWorld(t, "")
	for _, email := range []string{"bob@acme.example", "BOB@ACME.EXAMPLE", " Bob@acme.example ", "ｂｏｂ@acme.example"} {
		g := w.login(t, email)
		if g.ExpiresIn != 15*time.Minute || g.RefreshExpiresIn != 720*time.Hour {
			t.Errorf("lifetimes %v and %v", g.ExpiresIn, g.RefreshExpiresIn)
		}
		got := claims(t, g.AccessToken)
		if id, ok := got["jti"].(string); !ok || len(id) != 22 {
			t.Errorf("jti %v", got["jti"])
		}
		delete(got, "jti")
		want := map[string]any{
			"iss": "https://auth.example", "aud": []any{"https://api.example"}, "client_id": "gatehouse",
			"sub": "5a98379d-35e3-5cd9-a8d6-e9bfd31f1237", "iat": float64(start.Unix()), "exp": float64(start.Unix() + 900),
			"organization": "acme", "preferred_username": "bob", "email": "Bob@Acme.example", "name": "Bob B", "groups": []any{"dev"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: claims (-want +got):\n%s", email, diff)
		}
	}
}

func TestWrongPasswordAndUnknownUserAreAlike(t *testing.T) {
	w := newWorld(t, "")
	for name, c := range map[string]Credentials{
		"wrong password":       {Email: "bob@acme.example", Password: "wrong"},
		"unknown user":         {Email: "mallory@acme.example", Password: correct},
		"no user":              {Password: correct},
		"too long an address":  {Email: strings.Repeat("m", 60<<10), Password: correct},
		"too long a password":  {Email: "bob@acme.example", Password: correct + strings.Repeat("x", password.MaxLength)},
		"no password":          {Email: "bob@acme.example"},
		"another user's space": {Email: "b ob@acme.example", Password: correct},
	} {
		if g, err := w.Login(t.Context(), w.snapshot(), c); !errors.Is(err, ErrInvalidCredentials) || g != nil {
			t.Errorf("%s: %v, %v", name, g, err)
		}
	}
}

func TestLoginIsOffWithoutProviderOrStore(t *testing.T) {
	w := newWorld(t, "")
	token := w.login(t, "bob@acme.example").RefreshToken
	w.base.Store.Type = config.StoreNone
	snap := w.snapshot()
	if _, err := w.Login(t.Context(), snap, Credentials{Email: "bob@acme.example", Password: correct}); !errors.Is(err, ErrDisabled) {
		t.Errorf("login without a store: %v", err)
	}
	if _, err := w.Refresh(t.Context(), snap, token); !errors.Is(err, ErrDisabled) {
		t.Errorf("refresh without a store: %v", err)
	}
	w.base.Store.Type, w.base.Providers = config.StoreEmbedded, nil
	if _, err := w.Login(t.Context(), w.snapshot(), Credentials{Email: "bob@acme.example", Password: correct}); !errors.Is(err, ErrDisabled) {
		t.Errorf("login without a provider: %v", err)
	}
}

func TestUsersThatCannotLogInAreToldWithoutTheirNames(t *testing.T) {
	w := newWorld(t, "")
	w.base.Providers[0].Password.Users = append(w.users(),
		config.User{Email: "EVE@acme.example", Username: "eve2", Hash: hash},
		config.User{Email: "", Hash: hash},
		config.User{Email: "old@acme.example", Hash: "$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/"})
	snap := w.snapshot()
	all := strings.Join(snap.Problems(), "\n")
	for _, want := range []string{"users[2]: email equals another", "users[3]: email is empty", "users[4]: unusable password hash: md5-crypt"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among the problems:\n%s", want, all)
		}
	}
	if strings.Contains(all, "acme.example") || strings.Contains(all, "O3JMY") {
		t.Errorf("problems tell names or hashes:\n%s", all)
	}
	if _, err := w.Login(t.Context(), snap, Credentials{Email: "eve@acme.example", Password: correct}); !errors.Is(err, ErrInvalidCredentials) {
		t.Errorf("an ambiguous user logged in: %v", err)
	}
	w.login(t, "bob@acme.example")
}

func TestFamiliesOfOneUserAreBounded(t *testing.T) {
	w := newWorld(t, "")
	oldest := w.login(t, "bob@acme.example").RefreshToken
	other := w.login(t, "eve@acme.example").RefreshToken
	for range MaxFamilies {
		w.later(time.Second)
		w.login(t, "bob@acme.example")
	}
	w.refused(t, "the oldest login", oldest)
	w.refresh(t, other)
}

// open is a lockout that counts nothing.
type open struct{}

func (open) Check(context.Context, LockoutSettings, Attempt, time.Time) (time.Duration, error) {
	return 0, nil
}

func (open) Report(context.Context, LockoutSettings, Attempt, time.Time, bool) (Verdict, error) {
	return Verdict{}, nil
}

func TestConfigurationsMayChangeUnderLogins(t *testing.T) {
	w := newWorld(t, "")
	w.Lockout = open{}
	with := w.snapshot()
	w.base.Providers = nil
	without := w.snapshot()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			snap, want := with, error(nil)
			if i%2 == 1 {
				snap, want = without, ErrDisabled
			}
			g, err := w.Login(t.Context(), snap, Credentials{Email: "bob@acme.example", Password: correct, Client: client})
			if !errors.Is(err, want) {
				t.Errorf("login %d: %v, want %v", i, err, want)
			}
			if want == nil {
				if _, err := w.Refresh(t.Context(), without, g.RefreshToken); !errors.Is(err, ErrInvalidGrant) {
					t.Errorf("refresh without a provider: %v", err)
				}
				if _, err := w.Refresh(t.Context(), with, g.RefreshToken); err != nil {
					t.Errorf("refresh with it again: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
