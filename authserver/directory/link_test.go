// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// hubs is Bob's account at another provider, of another username.
func hubs(changes ...func(*Login)) Login {
	return bob("h1", append([]func(*Login){func(in *Login) {
		in.Issuer, in.Username, in.Email, in.Name, in.Groups = "https://hub.example", "bobby", "BOB@acme.example", "Bobby", []string{"hubbers"}
	}}, changes...)...)
}

// TestLinking guards every condition of DESIGN §4: one that does not hold makes another user.
func TestLinking(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(t *testing.T, w *world) // the second login comes after it
		in     Login
		at     string
		linked bool
	}{
		{name: "both link and say verified", linked: true},
		{name: "the new provider does not link", before: func(_ *testing.T, w *world) { w.provider("hub").Linking = config.LinkingNone }},
		{name: "nor says nothing of linking", before: func(_ *testing.T, w *world) { w.provider("hub").Linking = "" }},
		{name: "the known provider does not link", before: func(_ *testing.T, w *world) { w.provider("sso").Linking = config.LinkingNone }},
		{name: "the known provider is gone", before: func(_ *testing.T, w *world) {
			w.base.Providers = slices.DeleteFunc(w.base.Providers, func(p config.Provider) bool { return p.Name == "sso" })
		}},
		{name: "the known provider is of another organization by now", before: func(_ *testing.T, w *world) { w.provider("sso").Organization = "globex" }},
		{name: "the new address is not verified", in: hubs(func(in *Login) { in.EmailVerified = false })},
		{name: "the known address is not verified", before: func(t *testing.T, w *world) {
			w.comes(t, "sso", bob("1", func(in *Login) { in.EmailVerified = false }))
		}},
		{name: "another address", in: hubs(func(in *Login) { in.Email = "rob@acme.example" })},
		{name: "no address", in: hubs(func(in *Login) { in.Email = "" })},
		{name: "another organization", at: "far", before: func(_ *testing.T, w *world) { w.linking("far") }},
		{name: "the address is an administrator's word", before: func(t *testing.T, w *world) {
			w.provider("sso").UserSync = config.SyncFirstLogin
			email := "other@acme.example"
			for range 2 { // there and back
				if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: "bob"}, Change{Email: &email}); err != nil {
					t.Fatal(err)
				}
				email = "bob@acme.example"
			}
		}},
		{name: "the user has an account at that provider", before: func(t *testing.T, w *world) { w.comes(t, "hub", hubs(func(in *Login) { in.Subject = "h0" })) }},
		{name: "there are two such users", before: func(t *testing.T, w *world) {
			w.comes(t, "lab", bob("l1", func(in *Login) { in.Issuer = "https://lab.example" }))
			w.linking("lab")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.linking("sso", "hub")
			known, _ := w.comes(t, "sso", bob("1"))
			if c.before != nil {
				c.before(t, w)
			}
			in, at := c.in, c.at
			if in.Subject == "" {
				in = hubs()
			}
			if at == "" {
				at = "hub"
			}
			w.log.take(t)
			u, o := w.comes(t, at, in)
			if (u.ID == known.ID) != c.linked || o.Linked != c.linked || o.Created == c.linked {
				t.Errorf("%+v, outcome %+v, linked should be %v", u, o, c.linked)
			}
			if told := w.log.take(t); slices.Contains(told, "user.linked") != c.linked {
				t.Errorf("told %q", told)
			}
		})
	}
}

// TestLinkingTakesOneMailboxOnly guards addresses that the store finds under one folded name, and that are mailboxes of different people: whoever registers
// the second at a provider that checks it well must not get the account of the first.
func TestLinkingTakesOneMailboxOnly(t *testing.T) {
	for _, c := range []struct {
		known, comes string
		linked       bool
	}{
		{"strasse@acme.example", "strasse@acme.example", true},
		{"strasse@acme.example", "Strasse@ACME.example", true},
		{"straße@acme.example", "straße@Acme.Example", true},
		{"strasse@acme.example", "straße@acme.example", false},
		{"straße@acme.example", "STRASSE@acme.example", false},
		{"straße@acme.example", "stra\u1e9ee@acme.example", false}, // the capital ß
		{"bob@acme.example", "Ｂob@acme.example", false},
		{"fin@acme.example", "ﬁn@acme.example", false},
		{"kim@acme.example", "\u212aim@acme.example", false}, // the Kelvin sign, which simple case folding makes a k
		{"ren\u00e9@acme.example", "rene\u0301@acme.example", false},
		{"\u00e9va@acme.example", "\u00c9va@acme.example", false}, // case, but not of ASCII
		{"bob@strasse.example", "bob@straße.example", false},
		{"bob@acme.example", "bob@acme\uff0eexample", false}, // a full-width dot
	} {
		if fold.Name(c.known) != fold.Name(c.comes) {
			t.Errorf("%q and %q are not found as one: the row guards nothing", c.known, c.comes)
		}
		w := newWorld(t)
		w.linking("sso", "hub")
		known, _ := w.comes(t, "sso", bob("1", func(in *Login) { in.Email = c.known }))
		u, o := w.comes(t, "hub", hubs(func(in *Login) { in.Email = c.comes }))
		if (u.ID == known.ID) != c.linked || o.Linked != c.linked || o.Created == c.linked {
			t.Errorf("%q comes where %q is known: %+v, linked should be %v", c.comes, c.known, o, c.linked)
		}
	}
}

// TestNobodyIsLinkedToAnAdministratorsUser guards against taking over an account with a password, here or in the Secret, by an address alone.
func TestNobodyIsLinkedToAnAdministratorsUser(t *testing.T) {
	w := newWorld(t)
	w.linking("sso", "hub")
	added := w.add(t, "bob@acme.example")
	if u, o := w.comes(t, "sso", bob("1")); u.ID == added.ID || !o.Created {
		t.Errorf("linked to %+v", u)
	}
	if u, o := w.comes(t, "hub", hubs(func(in *Login) { in.Email, in.Username = secretEmail, secretName })); u.ID == subject(secretEmail) || !o.Created || u.Username != "sue.hub" {
		t.Errorf("linked to the Secret's user: %+v", u)
	}
	// Not even if a row claimed more than it can: each of these lacks one thing.
	dave := w.add(t, "dave@acme.example")
	err := w.store.EditUsers(t.Context(), "acme", func(tx store.UserTx) error {
		u, err := tx.User(dave.ID)
		if err != nil {
			return err
		}
		hash := u.PasswordHash
		for _, row := range []struct {
			id, name, provider, hash string
			verified                 bool
		}{
			{dave.ID, "dave", "", "", true},                                              // no provider
			{"0b4f61ae-44a1-4f0e-9d0c-5f7e5f3d0a01", "carol", "default/sso", hash, true}, // a password
			{"0b4f61ae-44a1-4f0e-9d0c-5f7e5f3d0a02", "erin", "default/sso", "", false},   // an address that is not verified
		} {
			u.ID, u.Username, u.Email, u.Provider, u.PasswordHash = row.id, row.name, row.name+"@acme.example", row.provider, row.hash
			u.EmailVerified, u.EmailProvider = row.verified, "default/sso"
			if err := tx.PutUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"dave@acme.example", "carol@acme.example", "erin@acme.example"} {
		in := hubs(func(in *Login) { in.Subject, in.Email = email, email })
		if u, o := w.comes(t, "hub", in); !o.Created || o.Linked {
			t.Errorf("%s was linked: %+v, %+v", email, u, o)
		}
	}
}

// TestALinkedProvider guards what a linked login changes: with Always all but username and groups, with FirstLogin nothing.
func TestALinkedProvider(t *testing.T) {
	for sync, want := range map[string]string{config.SyncAlways: "Bobby", config.SyncFirstLogin: "Bob B"} {
		w := newWorld(t)
		w.linking("sso", "hub")
		w.provider("hub").UserSync = sync
		known, _ := w.comes(t, "sso", bob("1"))
		for range 2 {
			u, _ := w.comes(t, "hub", hubs())
			if u.ID != known.ID || u.Name != want || u.Username != "bob" || !slices.Equal(u.Groups, []string{"dev"}) || u.Provider != "default/sso" {
				t.Errorf("%s: %+v", sync, u)
			}
		}
		d, err := w.Show(t.Context(), w.snapshot(), Ref{Name: known.ID})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range d.Identities {
			got = append(got, i.Provider+" "+i.Issuer+" "+i.Subject)
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"default/hub https://hub.example h1", "default/sso https://idp.example 1"}, got); diff != "" {
			t.Errorf("identities (-want +got):\n%s", diff)
		}
	}
}
