// SPDX-License-Identifier: Apache-2.0

package login

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	redirectURI = "https://app.example/callback?x=1"
	verifier    = "dBjftJeZ4CVP-mBc6dN2hJq8kOiNc5L1cVpS0wXyZ_k"
)

var upstreamKey = []byte("what opens the provider's tokens")

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sso is the provider that browsers log in through.
func sso() config.Provider {
	return config.Provider{Object: "IdentityProvider/default/sso", Name: "sso", Type: config.ProviderOIDC, Organization: "globex", OIDC: &config.OIDC{}}
}

// federated is a user of the store without a password.
func federated() store.User {
	u := sue()
	u.PasswordHash, u.Provider = "", "default/sso"
	return u
}

// newBrowser is a world where sue is logged in with a browser, through the provider.
func newBrowser(t testing.TB, dir string) (*world, *Account, Handoff) {
	t.Helper()
	w := newWorld(t, dir)
	w.base.Login.RedirectURIs = []string{"https://other.example/", redirectURI}
	w.base.Providers = append(w.base.Providers, sso())
	w.put(t, federated())
	session := store.Session{Key: store.Hash{7}, Owner: sue().ID, Provider: "default/sso", CreatedAt: start, SeenAt: start, ExpiresAt: start.Add(10000 * time.Hour)}
	if err := w.store.CreateSession(t.Context(), session, 10); err != nil {
		t.Fatal(err)
	}
	a := AccountOf(federated(), w.snapshot().Provider("default/sso"))
	h := Handoff{RedirectURI: redirectURI, Challenge: challengeOf(verifier), Method: "S256", Issue: Issue{Session: session.Key, Upstream: upstreamKey, ClientID: "app"}}
	return w, a, h
}

func (w *world) code(t testing.TB, a *Account, h Handoff) string {
	t.Helper()
	code, err := w.NewCode(t.Context(), w.snapshot(), a, h)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func (w *world) exchange(t testing.TB, x Exchange) (*Grant, error) {
	t.Helper()
	return w.ExchangeCode(t.Context(), w.snapshot(), x)
}

func TestACodeIsExchangedForTokens(t *testing.T) {
	w, a, h := newBrowser(t, "")
	for _, client := range []string{"", "app"} {
		g, err := w.exchange(t, Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier, ClientID: client})
		if err != nil {
			t.Fatal(err)
		}
		got := claims(t, g.AccessToken)
		if got["sub"] != sue().ID || got["organization"] != "globex" || got["client_id"] != "app" || g.RefreshExpiresIn != 720*time.Hour {
			t.Errorf("claims %v", got)
		}
		if again := claims(t, w.refresh(t, g.RefreshToken).AccessToken); again["client_id"] != "app" || again["sub"] != sue().ID {
			t.Errorf("after a refresh: %v", again)
		}
	}
}

// TestACodeIsRefused goes through what may be wrong; the last one shows that nothing else was.
func TestACodeIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*testing.T, *world, *Exchange)
		want   error
	}{
		"another verifier":           {func(_ *testing.T, _ *world, x *Exchange) { x.Verifier = strings.ToLower(verifier) }, ErrInvalidGrant},
		"the challenge as verifier":  {func(_ *testing.T, _ *world, x *Exchange) { x.Verifier = challengeOf(verifier) }, ErrInvalidGrant},
		"no verifier":                {func(_ *testing.T, _ *world, x *Exchange) { x.Verifier = "" }, ErrInvalidGrant},
		"another redirect URI":       {func(_ *testing.T, _ *world, x *Exchange) { x.RedirectURI = "https://other.example/" }, ErrInvalidGrant},
		"a redirect URI cut short":   {func(_ *testing.T, _ *world, x *Exchange) { x.RedirectURI = "https://app.example/callback" }, ErrInvalidGrant},
		"no redirect URI":            {func(_ *testing.T, _ *world, x *Exchange) { x.RedirectURI = "" }, ErrInvalidGrant},
		"another client":             {func(_ *testing.T, _ *world, x *Exchange) { x.ClientID = "another" }, ErrInvalidGrant},
		"another code":               {func(_ *testing.T, _ *world, x *Exchange) { x.Code = strings.Repeat("A", 43) }, ErrInvalidGrant},
		"a padded code":              {func(_ *testing.T, _ *world, x *Exchange) { x.Code += "=" }, ErrInvalidGrant},
		"a code with a line break":   {func(_ *testing.T, _ *world, x *Exchange) { x.Code += "\n" }, ErrInvalidGrant},
		"no code":                    {func(_ *testing.T, _ *world, x *Exchange) { x.Code = "" }, ErrInvalidGrant},
		"after a minute":             {func(_ *testing.T, w *world, _ *Exchange) { w.later(time.Minute) }, ErrInvalidGrant},
		"the provider is disabled":   {func(_ *testing.T, w *world, _ *Exchange) { w.base.Providers = w.base.Providers[:1] }, ErrInvalidGrant},
		"the provider moved":         {func(_ *testing.T, w *world, _ *Exchange) { w.base.Providers[1].Organization = "acme" }, ErrInvalidGrant},
		"the user is disabled":       {func(t *testing.T, w *world, _ *Exchange) { u := federated(); u.Disabled = true; w.put(t, u) }, ErrInvalidGrant},
		"the session has ended":      {func(t *testing.T, w *world, _ *Exchange) { end(t, w) }, ErrInvalidGrant},
		"the server has no store":    {func(_ *testing.T, w *world, _ *Exchange) { w.base.Store.Type = config.StoreNone }, ErrDisabled},
		"nothing":                    {func(*testing.T, *world, *Exchange) {}, nil},
		"59 seconds":                 {func(_ *testing.T, w *world, _ *Exchange) { w.later(59 * time.Second) }, nil},
		"the redirect URI was taken": {func(_ *testing.T, w *world, _ *Exchange) { w.base.Login.RedirectURIs = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, a, h := newBrowser(t, "")
			right := Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier, ClientID: "app"}
			x := right
			tt.change(t, w, &x)
			if g, err := w.exchange(t, x); !errors.Is(err, tt.want) || (err == nil) != (g != nil) {
				t.Fatalf("got %v, %v, want %v", g, err, tt.want)
			}
			if x.Code == right.Code && tt.want == ErrInvalidGrant { //nolint:errorlint // of this table
				if _, err := w.exchange(t, right); !errors.Is(err, ErrInvalidGrant) {
					t.Errorf("a refused exchange did not use the code up: %v", err)
				}
			}
		})
	}
}

// end ends sue's session.
func end(t *testing.T, w *world) {
	t.Helper()
	if err := w.store.EndSession(t.Context(), store.Hash{7}); err != nil {
		t.Fatal(err)
	}
}

func TestAReplayedCodeRevokesItsTokens(t *testing.T) {
	w, a, h := newBrowser(t, "")
	x := Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier}
	g, err := w.exchange(t, x)
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.exchange(t, Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	token := w.refresh(t, g.RefreshToken).RefreshToken
	if _, err := w.exchange(t, Exchange{Code: x.Code, RedirectURI: "https://evil.example/", Verifier: "guess"}); !errors.Is(err, ErrInvalidGrant) {
		t.Errorf("a replay: %v", err)
	}
	w.refused(t, "the tokens of the first exchange", token)
	w.refresh(t, other.RefreshToken)
}

// TestOneCodeIsExchangedOnce sends one code twenty times at once: nobody keeps what it yields, as somebody has stolen it.
func TestOneCodeIsExchangedOnce(t *testing.T) {
	w, a, h := newBrowser(t, "")
	x := Exchange{Code: w.code(t, a, h), RedirectURI: redirectURI, Verifier: verifier}
	snap := w.snapshot()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	var granted atomic.Int64
	tokens := make([]string, 20)
	for i := range tokens {
		wg.Go(func() {
			g, err := w.ExchangeCode(ctx, snap, x)
			switch {
			case err == nil:
				granted.Add(1)
				tokens[i] = g.RefreshToken
			case !errors.Is(err, ErrInvalidGrant):
				t.Errorf("exchange %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if granted.Load() > 1 {
		t.Errorf("%d exchanges of one code", granted.Load())
	}
	for _, token := range tokens {
		if token != "" {
			w.refused(t, "what the replayed code yielded", token)
		}
	}
}

func TestHandoffsAreChecked(t *testing.T) {
	w, a, right := newBrowser(t, "")
	for name, tt := range map[string]struct {
		change func(*Handoff)
		want   error
	}{
		"as it should be":            {func(*Handoff) {}, nil},
		"another path":               {func(h *Handoff) { h.RedirectURI = "https://app.example/callback2?x=1" }, ErrRedirectURI},
		"a longer query":             {func(h *Handoff) { h.RedirectURI += "&y=2" }, ErrRedirectURI},
		"another case":               {func(h *Handoff) { h.RedirectURI = "https://APP.example/callback?x=1" }, ErrRedirectURI},
		"a fragment":                 {func(h *Handoff) { h.RedirectURI += "#" }, ErrRedirectURI},
		"a port":                     {func(h *Handoff) { h.RedirectURI = "https://app.example:443/callback?x=1" }, ErrRedirectURI},
		"no URI":                     {func(h *Handoff) { h.RedirectURI = "" }, ErrRedirectURI},
		"a bad URI comes first":      {func(h *Handoff) { h.RedirectURI, h.Method = "https://evil.example/", "" }, ErrRedirectURI},
		"no method":                  {func(h *Handoff) { h.Method = "" }, ErrChallenge},
		"plain":                      {func(h *Handoff) { h.Method, h.Challenge = "plain", verifier }, ErrChallenge},
		"plain under S256's name":    {func(h *Handoff) { h.Challenge = "short" }, ErrChallenge},
		"no challenge":               {func(h *Handoff) { h.Challenge = "" }, ErrChallenge},
		"a padded challenge":         {func(h *Handoff) { h.Challenge += "=" }, ErrChallenge},
		"a challenge in hex":         {func(h *Handoff) { h.Challenge = strings.Repeat("ab", 32) }, ErrChallenge},
		"a challenge cut in two":     {func(h *Handoff) { h.Challenge = h.Challenge[:20] + "\n" + h.Challenge[20:] }, ErrChallenge},
		"bits that stand for none":   {func(h *Handoff) { h.Challenge = strings.Repeat("A", 42) + "B" }, ErrChallenge},
		"lower case in the method":   {func(h *Handoff) { h.Method = "s256" }, ErrChallenge},
		"the server has none at all": {func(h *Handoff) { h.RedirectURI = "https://app.example" }, ErrRedirectURI},
	} {
		h := right
		tt.change(&h)
		if err := w.snapshot().CheckHandoff(h); !errors.Is(err, tt.want) {
			t.Errorf("%s: CheckHandoff: %v, want %v", name, err, tt.want)
		}
		if code, err := w.NewCode(t.Context(), w.snapshot(), a, h); !errors.Is(err, tt.want) || (err == nil) != (code != "") {
			t.Errorf("%s: NewCode: %v, want %v", name, err, tt.want)
		}
	}
}

func TestCodesOfOneUserAreBounded(t *testing.T) {
	w, a, h := newBrowser(t, "")
	oldest := w.code(t, a, h)
	for range MaxCodes {
		w.later(time.Millisecond)
		w.code(t, a, h)
	}
	if _, err := w.exchange(t, Exchange{Code: oldest, RedirectURI: redirectURI, Verifier: verifier}); !errors.Is(err, ErrInvalidGrant) {
		t.Errorf("the oldest code: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	w := newWorld(t, "")
	first, other := w.login(t, "bob@acme.example"), w.login(t, "bob@acme.example")
	second := w.refresh(t, first.RefreshToken)
	for _, text := range []string{"", "x", first.AccessToken, strings.Repeat("A", 64), first.RefreshToken, first.RefreshToken} {
		if err := w.Revoke(t.Context(), w.snapshot(), text); err != nil {
			t.Errorf("Revoke: %v", err)
		}
	}
	w.refused(t, "the revoked login", second.RefreshToken)
	w.refresh(t, other.RefreshToken)
	w.base.Store.Type = config.StoreNone
	if err := w.Revoke(t.Context(), w.snapshot(), other.RefreshToken); !errors.Is(err, ErrDisabled) {
		t.Errorf("without a store: %v", err)
	}
}

// TestACopyOfTheDatabaseYieldsNoCode reads the database's files while a code waits to be exchanged, and after it was.
func TestACopyOfTheDatabaseYieldsNoCode(t *testing.T) {
	dir := t.TempDir()
	w, a, h := newBrowser(t, dir)
	code := w.code(t, a, h)
	check := func() {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		var database []byte
		for _, f := range files {
			content, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			database = append(database, content...)
		}
		raw, err := base64.RawURLEncoding.DecodeString(code)
		if err != nil || !bytes.Contains(database, []byte(sue().ID)) {
			t.Fatal("the code is not in the files that were read", err)
		}
		for name, secret := range map[string][]byte{"code": []byte(code), "code's bytes": raw, "provider's key": upstreamKey, "key in base64": []byte(base64.StdEncoding.EncodeToString(upstreamKey))} {
			if bytes.Contains(database, secret) {
				t.Errorf("the %s is in the database", name)
			}
		}
	}
	check()
	if _, err := w.exchange(t, Exchange{Code: code, RedirectURI: redirectURI, Verifier: verifier}); err != nil {
		t.Fatal(err)
	}
	check()
}
