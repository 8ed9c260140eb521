// SPDX-License-Identifier: Apache-2.0

package login

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestFailuresOfAKnownPairCountForItAlone guards people whose browser tries an old password for days: neither the name nor the network is locked
// for others by it.
func TestFailuresOfAKnownPairCountForItAlone(t *testing.T) {
	l, now := newLockoutLab(t), start
	l.LockoutSettings = LockoutSettings{MaxFailures: 3, Window: 24 * time.Hour, Duration: time.Second, MaxDuration: time.Second}
	own := NewAttempt("bob@acme.example", client)
	l.report(own, now, true)
	for n := range 100 {
		now = now.Add(2 * time.Second) // beyond the lock of the pair itself
		l.report(own, now, false)
		for what, a := range map[string]Attempt{
			"the name elsewhere": NewAttempt("bob@acme.example", netip.MustParseAddr("203.0.113.1")), "another name there": NewAttempt("eve@acme.example", client),
		} {
			if wait := l.wait(a, now); wait != 0 {
				t.Fatalf("after %d failures: %s waits %v", n+1, what, wait)
			}
		}
	}
}

// TestFailuresDoNotKeepAnAddressKnown guards that an address is known for thirty days after a success, although failures keep its counter longer.
func TestFailuresDoNotKeepAnAddressKnown(t *testing.T) {
	l, own := newLockoutLab(t), NewAttempt("bob@acme.example", client)
	l.report(own, start, true)
	end := start.Add(knownFor)
	l.fails(10, own, end.Add(-time.Minute))
	for i := range 100 {
		l.report(NewAttempt("bob@acme.example", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})), end.Add(10*time.Second), false)
	}
	if wait := l.wait(own, end.Add(30*time.Second)); wait != 40*time.Second {
		t.Errorf("wait %v, want that of the name", wait)
	}
}

// TestFailuresOfAKnownAddressAreForgotten guards the window where the counter outlives it.
func TestFailuresOfAKnownAddressAreForgotten(t *testing.T) {
	l, own := newLockoutLab(t), NewAttempt("bob@acme.example", client)
	l.report(own, start, true)
	l.fails(9, own, start)
	if v := l.report(own, start.Add(l.Window), false); v.Locked != "" {
		t.Errorf("locked by failures of another window: %+v", v)
	}
}

// TestALockedNameCostsNoHash guards the processor against guesses that are refused anyway.
func TestALockedNameCostsNoHash(t *testing.T) {
	w := newWorld(t, "")
	for range 10 {
		_ = w.attempt(t, "bob@acme.example", "wrong", client)
	}
	w.Verifier = nil
	if err := w.attempt(t, "bob@acme.example", correct, client); wait(err) != time.Minute {
		t.Errorf("got %v", err)
	}
}

// TestAnAccountThatIsAnothersByNow guards what a session or a refresh token is held against: the reason is final only where nothing can bring
// the account back.
func TestAnAccountThatIsAnothersByNow(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	a, err := w.Authenticate(t.Context(), w.snapshot(), Credentials{Email: "sue@acme.example", Password: correct, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	staff := w.base.Providers[0]
	oidc := config.Provider{Object: staff.Object, Name: staff.Name, Type: config.ProviderOIDC, Organization: a.Organization, OIDC: &config.OIDC{}}
	passwords := staff
	passwords.Object, passwords.Name = "IdentityProvider/default/passwords", "passwords"
	gone := a.Ref
	gone.User = "0b6f6d3c-0c0e-4b52-9a5c-1f0c5e2f7aff"
	for name, row := range map[string]struct {
		providers []config.Provider
		subject   string
		ref       Ref
		final     bool
	}{
		"user is gone":                         {[]config.Provider{staff}, gone.User, gone, true},
		"another user's":                       {[]config.Provider{staff}, "somebody else", a.Ref, true},
		"provider is gone":                     {nil, a.Subject, a.Ref, false},
		"provider has no passwords any more":   {[]config.Provider{oidc}, a.Subject, a.Ref, false},
		"another provider has the passwords":   {[]config.Provider{oidc, passwords}, a.Subject, a.Ref, false},
		"only another provider with passwords": {[]config.Provider{passwords}, a.Subject, a.Ref, false},
	} {
		w.base.Providers = row.providers
		got, err := w.Current(t.Context(), w.snapshot(), a.Provider, row.subject, row.ref)
		if ended, ok := errors.AsType[*EndedError](err); got != nil || !ok || ended.Final != row.final {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	w.base.Providers = []config.Provider{staff}
	if _, err := w.Current(t.Context(), w.snapshot(), a.Provider, a.Subject, a.Ref); err != nil {
		t.Errorf("nothing of it: %v", err)
	}
}

// TestAUserWhoGoesDuringTheLogin is refused like any unknown one.
func TestAUserWhoGoesDuringTheLogin(t *testing.T) {
	w := newWorld(t, "")
	w.put(t, sue())
	w.Store = &lookups{Store: w.store, count: map[string]int{}, record: func() {
		if err := w.store.EditUsers(t.Context(), sue().Organization, func(tx store.UserTx) error { return tx.DeleteUser(sue().ID) }); err != nil {
			t.Error(err)
		}
	}}
	if err := w.attempt(t, "sue@acme.example", correct, client); !errors.Is(err, ErrInvalidCredentials) {
		t.Errorf("got %v", err)
	}
}

// TestAHashNobodyReadsIsNoFault guards that a user whose hash cannot be used is refused like an unknown one, and told to administrators.
func TestAHashNobodyReadsIsNoFault(t *testing.T) {
	w := newWorld(t, "")
	u := sue()
	u.PasswordHash = "$1$O3JMY.Tw$AdLnLjQ/5jXF9.MTp3gHv/"
	w.put(t, u)
	if err := w.attempt(t, "sue@acme.example", correct, client); !errors.Is(err, ErrInvalidCredentials) {
		t.Errorf("got %v", err)
	}
	if told := w.log.String(); !strings.Contains(told, "set a new password") || !strings.Contains(told, u.ID) {
		t.Errorf("told %s", told)
	}
}

// TestTokensOfOwnKeysThatAreNoAccessTokens guards typ and sub: what else the server may sign one day, or a token of nobody.
func TestTokensOfOwnKeysThatAreNoAccessTokens(t *testing.T) {
	w := newWorld(t, "")
	key, err := issue.Generate("ES256", start)
	if err != nil {
		t.Fatal(err)
	}
	if w.signer, err = issue.NewSigner(&config.Keys{Version: config.Version, Keys: []config.SigningKey{key}}); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(key.PrivateKey))
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		typ, sub any
		good     bool
	}{
		"an access token": {issue.Type, "s", true}, "no typ": {nil, "s", false}, "typ JWT": {"JWT", "s", false}, "typ logout+jwt": {"logout+jwt", "s", false},
		"no sub": {issue.Type, nil, false}, "sub is empty": {issue.Type, "", false},
	} {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": w.base.ExternalURL, "aud": w.base.Tokens.Audience, "iat": start.Unix(), "exp": start.Add(time.Minute).Unix(),
		})
		delete(token.Header, "typ")
		if token.Header["kid"] = key.KeyID; row.typ != nil {
			token.Header["typ"] = row.typ
		}
		if row.sub != nil {
			token.Claims.(jwt.MapClaims)["sub"] = row.sub
		}
		raw, err := token.SignedString(private)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := w.snapshot().ReadAccessToken(raw, start); (err == nil) != row.good || (a != nil) != row.good {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}

// TestSealedValues guards that each code has a key of its own, and that what is too short to be sealed is told so.
func TestSealedValues(t *testing.T) {
	one, err := codeKey([]byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := codeKey([]byte("two"))
	if err != nil || bytes.Equal(one, two) {
		t.Errorf("two codes have one key: %v", err)
	}
	for n := range 28 {
		if _, err := unseal(one, make([]byte, n)); !errors.Is(err, errSealed) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
