// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

func denied(in *Login)     { in.EmailVerified, in.EmailDenied = false, true }
func unspoken(in *Login)   { in.EmailVerified = false }
func partially(in *Login)  { in.Partial = true }
func unverified(in *Login) { unspoken(in); partially(in) }

// TestDeniedAddresses guards that the directory keeps an address that the provider speaks against, and what it says, until it says something else.
func TestDeniedAddresses(t *testing.T) {
	w := newWorld(t)
	for i, c := range []struct {
		change           func(*Login)
		denied, verified bool
		synced           int
	}{
		{denied, true, false, 0}, {denied, true, false, 0}, {unverified, true, false, 0}, {unspoken, false, false, 1},
		{denied, true, false, 1}, {func(*Login) {}, false, true, 1}, {unverified, false, true, 0},
		{func(in *Login) { denied(in); partially(in) }, true, false, 1},
	} {
		u, o := w.comes(t, "sso", bob("1", c.change))
		if u.Email != "Bob@Acme.example" || u.EmailDenied() != c.denied || u.EmailVerified != c.verified || len(o.Synced) != c.synced {
			t.Errorf("login %d: denied %v, verified %v, synced %v", i, u.EmailDenied(), u.EmailVerified, o.Synced)
		}
	}
	w.linking("sso", "hub")
	w.comes(t, "sso", bob("2", denied, called("rob")))
	if _, o := w.comes(t, "hub", bob("3")); o.Linked {
		t.Error("an address that is denied was linked by")
	}
}

// TestUsernamesAreNobodysLogin guards that nobody gets the e-mail address with which another logs in by password as a username, and loses it once another does.
func TestUsernamesAreNobodysLogin(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: "Boss@Acme.example", Username: "boss", Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	for i := range 20 { // whose address it is, too, but who do not log in with it
		w.comes(t, "sso", bob(string(rune('a'+i)), func(in *Login) { in.Email = "boss@acme.example" }))
	}
	for provider, want := range map[string]string{"sso": "boss@acme.example.sso", "far": "boss@acme.example"} {
		if u, _ := w.comes(t, provider, bob("1", called("boss@acme.example"))); u.Username != want {
			t.Errorf("beside a user of the store, at %s: %q", provider, u.Username)
		}
	}
	if u, _ := w.comes(t, "sso", bob("2", called("SUE@acme.example"))); u.Username != "SUE@acme.example.sso" {
		t.Errorf("beside a user of the Secret: %q", u.Username)
	}
	for _, sync := range []string{config.SyncAlways, config.SyncFirstLogin} {
		w.provider("hub").UserSync = sync
		name := sync + "@acme.example"
		if u, _ := w.comes(t, "hub", bob(sync, called(name))); u.Username != name {
			t.Fatal(u.Username)
		}
		if _, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: name, Username: sync, Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
		if u, o := w.comes(t, "hub", bob(sync, called(name))); u.Username != name+".hub" || o.RenamedFrom != name {
			t.Errorf("%s: %q, %+v", sync, u.Username, o)
		}
	}
	// One who has a password is called by the own address.
	own := store.User{ID: subject("own"), Organization: "acme", Username: "own@acme.example", Email: "own@acme.example", PasswordHash: "x"}
	err := w.store.EditUsers(t.Context(), "acme", func(tx store.UserTx) error {
		if err := tx.PutUser(own); err != nil {
			return err
		}
		ok, err := free(tx, w.snapshot(), &own, own.Username)
		if !ok {
			t.Error("the own address is not free")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
