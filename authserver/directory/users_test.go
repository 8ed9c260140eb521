// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestAdd guards what an administrator's user is, and that the password fits.
func TestAdd(t *testing.T) {
	w := newWorld(t)
	got, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: " Bob@Acme.example ", Name: "Bob B", Groups: []string{"dev"}, Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	want := Entry{
		ID: got.ID, Organization: "acme", Username: "Bob@Acme.example", Email: "Bob@Acme.example", Name: "Bob B", Groups: []string{"dev"},
		Source: SourceAdministrator, CreatedAt: start, UpdatedAt: start,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
	u, err := w.store.PasswordUser(t.Context(), "bob@acme.example")
	if err != nil || u.ID != got.ID {
		t.Fatalf("%+v, %v", u, err)
	}
	if ok, err := password.NewVerifier(1).Verify(t.Context(), u.PasswordHash, []byte("correct horse")); !ok || err != nil {
		t.Errorf("the password does not fit: %v", err)
	}
	if told := w.log.take(t); !slices.Equal(told, []string{"user.created"}) {
		t.Errorf("told %q", told)
	}
	other, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: "eve@acme.example", Username: "eve", Organization: "globex", Password: "correct horse"})
	if err != nil || other.Organization != "globex" || other.Username != "eve" {
		t.Errorf("%+v, %v", other, err)
	}
}

// TestAddRefuses guards that each mistake is told by its field, and leaves nothing.
func TestAddRefuses(t *testing.T) {
	w := newWorld(t)
	w.add(t, "bob@acme.example")
	good := NewUser{Email: "eve@acme.example", Password: "correct horse"}
	for _, c := range []struct {
		field, words string // without words: a conflict of the field
		change       func(*NewUser)
	}{
		{"email", "no e-mail address", func(n *NewUser) { n.Email = "" }}, {"email", "no e-mail address", func(n *NewUser) { n.Email = "eve" }},
		{"email", "no e-mail address", func(n *NewUser) { n.Email = "eve smith@acme.example" }}, {"email", "no e-mail address", func(n *NewUser) { n.Email = "a@b@c" }},
		{"email", "320 bytes", func(n *NewUser) { n.Email = strings.Repeat("e", 320) + "@acme.example" }},
		{"username", "320 bytes", func(n *NewUser) { n.Username = strings.Repeat("e", 321) }},
		{"username", "control", func(n *NewUser) { n.Username = "e\tve" }},
		{"organization", "letters", func(n *NewUser) { n.Organization = "no such/name" }},
		{"groups", "empty", func(n *NewUser) { n.Groups = []string{"a", ""} }},
		{"password", "at least 10 characters (spec.password.minLength)", func(n *NewUser) { n.Password = "ééééééééé" }}, // 18 bytes
		{"password", "more than 1024 bytes", func(n *NewUser) { n.Password = logs.Secret(strings.Repeat("é", 513)) }},
		{"password", "not UTF-8", func(n *NewUser) { n.Password = "correct horse\xff" }},
		{"password", "at least", func(n *NewUser) { n.Password = "" }},
		{"email", "", func(n *NewUser) { n.Email = "BOB@acme.example"; n.Username = "eve" }},
		{"email", "", func(n *NewUser) { n.Email = "ｂob@acme.example"; n.Username = "eve"; n.Organization = "globex" }},
		{"username", "", func(n *NewUser) { n.Username = "Bob@ACME.example" }},
		{"email: a user of the Secret of IdentityProvider default/staff", "", func(n *NewUser) { n.Email = "sue@acme.example" }},
		{"username: a user of the Secret of IdentityProvider default/staff", "", func(n *NewUser) { n.Username = "SUE" }},
	} {
		n := good
		c.change(&n)
		_, err := w.Add(t.Context(), w.snapshot(), n)
		if c.words == "" && !conflicts(err, c.field) || c.words != "" && !invalid(err, c.field, c.words) {
			t.Errorf("%s %s: %v", c.field, c.words, err)
		}
		if err != nil && strings.Contains(err.Error(), "horse") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
	if page, err := w.List(t.Context(), w.snapshot(), Query{}); err != nil || len(page.Users) != 2 {
		t.Errorf("%d users, %v", len(page.Users), err)
	}
	for _, n := range []NewUser{{Email: "a@b", Password: "ééééééééé1"}, {Email: "b@b", Password: logs.Secret(strings.Repeat("é", 512))}} {
		if _, err := w.Add(t.Context(), w.snapshot(), n); err != nil {
			t.Errorf("at the bound: %v", err)
		}
	}
}

// TestAddNeedsWhatTheConfigurationSays guards users that a restart would lose, and organizations that nobody named.
func TestAddNeedsWhatTheConfigurationSays(t *testing.T) {
	n := NewUser{Email: "eve@acme.example", Password: "correct horse"}
	w := newWorld(t)
	w.base.Store.Persistent = false
	if _, err := w.Add(t.Context(), w.snapshot(), n); !errors.Is(err, ErrNotPersistent) {
		t.Errorf("without a volume: %v", err)
	}
	w.base.Store.Type = config.StorePostgreSQL
	if _, err := w.Add(t.Context(), w.snapshot(), n); err != nil {
		t.Errorf("PostgreSQL: %v", err)
	}
	w.base.Providers = nil
	n.Email = "other@acme.example"
	if _, err := w.Add(t.Context(), w.snapshot(), n); !invalid(err, "organization", "required") {
		t.Errorf("without a Password provider: %v", err)
	}
	n.Organization, n.Password = "acme", "eleven char"
	if _, err := w.Add(t.Context(), w.snapshot(), n); !invalid(err, "password", "at least 12") {
		t.Errorf("the default of minLength: %v", err)
	}
}

// TestWithoutAStore guards that a server that only verifies has no users, whatever its store would answer.
func TestWithoutAStore(t *testing.T) {
	w := newWorld(t)
	w.base.Store = config.Store{Type: config.StoreNone}
	_, add := w.Add(t.Context(), w.snapshot(), NewUser{Email: "eve@acme.example", Password: "correct horse"})
	_, list := w.List(t.Context(), w.snapshot(), Query{})
	_, show := w.Show(t.Context(), w.snapshot(), Ref{Name: "sue"})
	_, edit := w.Edit(t.Context(), w.snapshot(), Ref{Name: "sue"}, Change{})
	_, remove := w.Delete(t.Context(), w.snapshot(), Ref{Name: "sue"})
	_, _, unlock := w.Unlock(t.Context(), w.snapshot(), Ref{Name: "sue"})
	_, _, comes := w.Provision(t.Context(), w.snapshot(), w.provider("sso"), bob("1"))
	for i, err := range []error{add, list, show, edit, remove, unlock, comes} {
		if !errors.Is(err, store.ErrNoStore) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
}

// TestLockoutGroup guards that what is unlocked is what logins count.
func TestLockoutGroup(t *testing.T) {
	for _, email := range []string{"bob@acme.example", " BOB@Acme.example", "ｂob@straße.example"} {
		if got := login.NewAttempt(login.Fold(email), netip.MustParseAddr("192.0.2.1")).Name; got != LockoutGroup(email) {
			t.Errorf("%q is counted elsewhere", email)
		}
	}
}

// TestHashIsTheServers guards that passwords are hashed within the server's bounds, and that its refusal is passed on.
func TestHashIsTheServers(t *testing.T) {
	w := newWorld(t)
	w.Hash = func(context.Context, []byte) (string, error) { return "", password.ErrBusy }
	if _, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: "a@b", Password: "correct horse"}); !errors.Is(err, password.ErrBusy) {
		t.Errorf("got %v", err)
	}
}

// sessions gives a user a browser's session and a family of refresh tokens.
func (w *world) sessions(t testing.TB, owner string) {
	t.Helper()
	key := store.Hash(sha256.Sum256([]byte(owner)))
	err := w.store.CreateSession(t.Context(), store.Session{
		Key: key, Owner: owner, Provider: "default/sso", Data: []byte("{}"), Client: "Firefox on Linux, 203.0.113.7", CreatedAt: w.now, SeenAt: w.now, ExpiresAt: w.now.Add(time.Hour),
	}, 9)
	if err != nil {
		t.Fatal(err)
	}
	key[0]++
	err = w.store.CreateFamily(t.Context(), store.Family{Key: key, Owner: owner, Current: key, CreatedAt: w.now, IssuedAt: w.now, ExpiresAt: w.now.Add(time.Hour)}, 9)
	if err != nil {
		t.Fatal(err)
	}
}

// alive counts a user's sessions and families.
func (w *world) alive(t testing.TB, owner string) int {
	t.Helper()
	sessions, err := w.store.OwnerSessions(t.Context(), owner, w.now)
	if err != nil {
		t.Fatal(err)
	}
	key := store.Hash(sha256.Sum256([]byte(owner)))
	key[0]++
	n := len(sessions)
	if _, err := w.store.Family(t.Context(), key, w.now); err == nil {
		n++
	}
	return n
}

// TestEdit guards what each change does to the account, to its sessions and refresh tokens, and to the audit log.
func TestEdit(t *testing.T) {
	text := func(s string) *string { return &s }
	yes, no, secret := true, false, logs.Secret("battery staple")
	for _, c := range []struct {
		name   string
		change Change
		want   func(*Entry)
		alive  int
		told   string
	}{
		{"disable", Change{Disabled: &yes}, func(e *Entry) { e.Disabled = true }, 0, "user.disabled"},
		{"enable", Change{Disabled: &no}, func(*Entry) {}, 2, "user.enabled"},
		{"password", Change{Password: &secret}, func(*Entry) {}, 0, "user.password"},
		{"name", Change{Name: text("Robert")}, func(e *Entry) { e.Name = "Robert" }, 2, "user.changed name"},
		{"username", Change{Username: text(" rob ")}, func(e *Entry) { e.Username = "rob" }, 2, "user.changed username"},
		{"another spelling", Change{Username: text("BOB@acme.example")}, func(e *Entry) { e.Username = "BOB@acme.example" }, 2, "user.changed username"},
		{"email", Change{Email: text("rob@acme.example")}, func(e *Entry) { e.Email = "rob@acme.example" }, 2, "user.changed email"},
		{"groups", Change{Groups: &[]string{"a", "b"}}, func(e *Entry) { e.Groups = []string{"a", "b"} }, 2, "user.changed groups"},
		{"no groups", Change{Groups: &[]string{}}, func(*Entry) {}, 2, ""},
		{"all", Change{Name: text("R"), Password: &secret, Disabled: &yes}, func(e *Entry) { e.Name, e.Disabled = "R", true }, 0, "user.changed name, user.password, user.disabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			want := w.add(t, "bob@acme.example")
			before, err := w.store.User(t.Context(), want.ID)
			if err != nil {
				t.Fatal(err)
			}
			w.sessions(t, want.ID)
			w.log.take(t)
			w.now = start.Add(time.Minute)
			c.want(&want)
			want.UpdatedAt = w.now
			got, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: "BOB@acme.example"}, c.change)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if n := w.alive(t, want.ID); n != c.alive {
				t.Errorf("%d of session and family are left, want %d", n, c.alive)
			}
			if told := strings.Join(w.log.take(t), ", "); told != c.told {
				t.Errorf("told %q, want %q", told, c.told)
			}
			after, err := w.store.User(t.Context(), want.ID)
			if err != nil || (after.PasswordHash != before.PasswordHash) != (c.change.Password != nil) {
				t.Errorf("the hash changed: %v, %v", after.PasswordHash != before.PasswordHash, err)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	text := func(s string) *string { return &s }
	short, long, yes := logs.Secret("short"), logs.Secret("correct horse"), true
	w := newWorld(t)
	w.add(t, "bob@acme.example")
	w.add(t, "eve@acme.example")
	w.comes(t, "sso", bob("1", called("ann"), func(in *Login) { in.Email = "ann@acme.example" }))
	w.log.take(t)
	for _, c := range []struct {
		name, ref string
		change    Change
		refused   func(error) bool
	}{
		{"a short password", "bob@acme.example", Change{Password: &short}, func(err error) bool { return invalid(err, "password", "at least 10") }},
		{"a password of a provider's user", "ann", Change{Password: &long}, func(err error) bool { return conflicts(err, "logs in at default/sso") }},
		{"a taken address", "bob@acme.example", Change{Email: text("EVE@acme.example")}, func(err error) bool { return conflicts(err, "email: another user") }},
		{"the Secret's address", "bob@acme.example", Change{Email: text(secretEmail)}, func(err error) bool { return conflicts(err, "email: a user of the Secret") }},
		{"no address", "bob@acme.example", Change{Email: text("")}, func(err error) bool { return invalid(err, "email", "no e-mail address") }},
		{"a taken username", "ann", Change{Username: text("bob@acme.example")}, func(err error) bool { return conflicts(err, "username: another user") }},
		{"the Secret's username", "ann", Change{Username: text("Sue")}, func(err error) bool { return conflicts(err, "username: a user of the Secret") }},
		{"no username", "ann", Change{Username: text(" ")}, func(err error) bool { return invalid(err, "username", "empty") }},
		{"a user of the Secret", "sue", Change{Disabled: &yes}, func(err error) bool {
			return conflicts(err, "spec.password.usersSecretRef of IdentityProvider default/staff")
		}},
		{"nobody", "mallory", Change{Disabled: &yes}, func(err error) bool { return errors.Is(err, ErrUserNotFound) }},
		{"no name", "", Change{Disabled: &yes}, func(err error) bool { return errors.Is(err, ErrUserNotFound) }},
	} {
		if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: c.ref}, c.change); !c.refused(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if told := w.log.take(t); told != nil {
		t.Errorf("told %q", told)
	}
	if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: "ann"}, Change{Email: text(secretEmail)}); err != nil {
		t.Errorf("an address that ann does not log in with: %v", err)
	}
}

func TestDelete(t *testing.T) {
	w := newWorld(t)
	u, _ := w.comes(t, "sso", bob("1"))
	w.sessions(t, u.ID)
	w.log.take(t)
	if e, err := w.Delete(t.Context(), w.snapshot(), Ref{Name: u.ID}); err != nil || e.Username != "bob" {
		t.Fatalf("%+v, %v", e, err)
	}
	if n := w.alive(t, u.ID); n != 0 {
		t.Errorf("%d of session and family are left", n)
	}
	if told := w.log.take(t); !slices.Equal(told, []string{"user.deleted"}) {
		t.Errorf("told %q", told)
	}
	if _, err := w.Delete(t.Context(), w.snapshot(), Ref{Name: u.ID}); !errors.Is(err, ErrUserNotFound) {
		t.Errorf("again: %v", err)
	}
	if _, err := w.Delete(t.Context(), w.snapshot(), Ref{Name: secretEmail}); !conflicts(err, "change the Secret") {
		t.Errorf("a user of the Secret: %v", err)
	}
	if back, o := w.comes(t, "sso", bob("1")); back.ID == u.ID || !o.Created {
		t.Errorf("came back as %+v, %+v", back, o)
	}
}

// TestUnlock guards that the counters of that address are forgotten, of Secret users too, and nobody else's.
func TestUnlock(t *testing.T) {
	w := newWorld(t)
	w.add(t, "Bob@Acme.example")
	count := func(email string) {
		t.Helper()
		err := w.store.EditCounters(t.Context(), []store.CounterKey{{Group: LockoutGroup(email), Part: "198.51.100.0/32"}, {Group: LockoutGroup(email), Part: "all"}}, w.now, func(c []store.Counter) {
			for i := range c {
				c[i] = store.Counter{Failures: 10, Since: w.now, ExpiresAt: w.now.Add(time.Hour)}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	count("bob@acme.example")
	count("sue@acme.example")
	for _, c := range []struct {
		ref  string
		want int
	}{{"BOB@acme.example", 2}, {"bob@acme.example", 0}, {"sue", 2}} {
		if e, n, err := w.Unlock(t.Context(), w.snapshot(), Ref{Name: c.ref}); err != nil || n != c.want || e.ID == "" {
			t.Errorf("%s: %+v, %d, %v", c.ref, e, n, err)
		}
	}
	if _, _, err := w.Unlock(t.Context(), w.snapshot(), Ref{Name: "mallory"}); !errors.Is(err, ErrUserNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// TestList guards that pages of any size hold everybody once, by ID, the Secret's users among them.
func TestList(t *testing.T) {
	w := newWorld(t)
	var want []string
	for i := range 23 {
		u, _ := w.comes(t, []string{"sso", "far"}[i%2], bob(fmt.Sprint(i), called(fmt.Sprintf("user%02d", i)), func(in *Login) { in.Email = "" }))
		want = append(want, u.ID)
	}
	staff := w.provider("staff").Password
	for i := range 5 {
		staff.Users = append(staff.Users, config.User{Email: fmt.Sprintf("Listed%d@acme.example", i), Username: fmt.Sprintf("listed%d", i)})
	}
	for _, u := range staff.Users {
		want = append(want, subject(u.Email))
	}
	slices.Sort(want)
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		q := Query{Limit: limit}
		for {
			page, err := w.List(t.Context(), w.snapshot(), q)
			if err != nil || len(page.Users) > limit || len(got) > len(want) {
				t.Fatalf("limit %d: %d users, %v", limit, len(page.Users), err)
			}
			for _, e := range page.Users {
				got = append(got, e.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	for _, c := range []struct {
		q    Query
		want int
	}{
		{Query{Organization: "acme"}, 18}, {Query{Organization: "globex"}, 11}, {Query{Organization: "nobody"}, 0}, {Query{Search: "USER0"}, 10},
		{Query{Search: "listed"}, 5}, {Query{Search: "sue@"}, 1}, {Query{Search: "ue@"}, 0}, {Query{Search: "listed", Organization: "globex"}, 0}, {Query{Search: "%"}, 0},
	} {
		if page, err := w.List(t.Context(), w.snapshot(), c.q); err != nil || len(page.Users) != c.want || page.Next != "" {
			t.Errorf("%+v: %d users, next %q, %v; want %d", c.q, len(page.Users), page.Next, err, c.want)
		}
	}
	for _, limit := range []int{-1, store.MaxListed + 1} {
		if _, err := w.List(t.Context(), w.snapshot(), Query{Limit: limit}); !invalid(err, "limit", "1 to 500") {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// TestWhoIsMeant guards that no command reaches another user than the one named.
func TestWhoIsMeant(t *testing.T) {
	w := newWorld(t)
	eve := w.add(t, "eve@acme.example")
	far, _ := w.comes(t, "far", bob("1"))
	near, _ := w.comes(t, "sso", bob("2"))
	w.comes(t, "sso", bob("3", called("bobby"), func(in *Login) { in.Email = "bobby@acme.example" })) // begins like another
	w.comes(t, "sso", bob("4", called("EVE@acme.example"), func(in *Login) { in.Email = "" }))        // gets a suffix in acme
	w.comes(t, "sso", bob("5", called(near.ID), func(in *Login) { in.Email = "" }))
	for _, c := range []struct {
		ref  Ref
		want string // the ID; or words of a conflict; "" for nobody
	}{
		{Ref{Name: "eve@acme.example"}, eve.ID}, {Ref{Name: "Eve@ACME.example"}, eve.ID}, {Ref{Name: eve.ID}, eve.ID},
		{Ref{Name: strings.ToUpper(near.ID)}, near.ID}, {Ref{Name: near.ID, Organization: "globex"}, ""},
		{Ref{Name: "bob"}, "several users go by that name"}, {Ref{Name: "bob", Organization: "acme"}, near.ID}, {Ref{Name: "bob", Organization: "globex"}, far.ID},
		{Ref{Name: "bo"}, ""}, {Ref{Name: "sue"}, subject(secretEmail)}, {Ref{Name: subject(secretEmail)}, subject(secretEmail)},
		{Ref{Name: "sue", Organization: "globex"}, ""}, {Ref{Name: "00000000-0000-4000-8000-000000000000"}, ""}, {Ref{Name: strings.Repeat("b", 2000)}, ""},
	} {
		d, err := w.Show(t.Context(), w.snapshot(), c.ref)
		switch {
		case c.want == "" && !errors.Is(err, ErrUserNotFound), err != nil && c.want != "" && !conflicts(err, c.want), err == nil && d.ID != c.want:
			t.Errorf("%+v: %s, %v", c.ref, d.ID, err)
		}
	}
	// Somebody's username elsewhere is Eve's address: who disables her must not hit him.
	w.comes(t, "far", bob("6", called("eve@acme.example"), func(in *Login) { in.Email = "" }))
	if _, err := w.Show(t.Context(), w.snapshot(), Ref{Name: "eve@acme.example"}); !conflicts(err, eve.ID) {
		t.Errorf("two of one name: %v", err)
	}
}

// TestShow guards what administrators see of a user, and that it holds no hash.
func TestShow(t *testing.T) {
	w := newWorld(t)
	u, _ := w.comes(t, "sso", bob("1"))
	w.sessions(t, u.ID)
	got, err := w.Show(t.Context(), w.snapshot(), Ref{Name: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	want := Details{
		Entry: Entry{
			ID: u.ID, Organization: "acme", Username: "bob", Email: "Bob@Acme.example", EmailVerified: true, EmailProvider: "default/sso", Name: "Bob B", Phone: "+1 555",
			Comment: "likes doors", Groups: []string{"dev"}, Source: SourceProvider, Provider: "default/sso", CreatedAt: start, UpdatedAt: start, LastLoginAt: start,
		},
		Identities: []Identity{{Provider: "default/sso", Issuer: "https://idp.example", Subject: "1", CreatedAt: start, LastLoginAt: start}},
		Sessions:   []Session{{Provider: "default/sso", Client: "Firefox on Linux, 203.0.113.7", CreatedAt: start, SeenAt: start, ExpiresAt: start.Add(time.Hour)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a provider's user (-want +got):\n%s", diff)
	}
	listed, err := w.Show(t.Context(), w.snapshot(), Ref{Name: "sue"})
	want = Details{Entry: Entry{
		ID: subject(secretEmail), Organization: "acme", Username: "sue", Email: secretEmail, Name: "Sue S", Groups: []string{"boss"}, Source: SourceSecret, Provider: "default/staff",
	}, Identities: []Identity{}, Sessions: []Session{}}
	if diff := cmp.Diff(want, listed); diff != "" || err != nil {
		t.Errorf("a user of the Secret: %v (-want +got):\n%s", err, diff)
	}
}
