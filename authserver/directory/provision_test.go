// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

// TestFirstLoginMakesAUser guards what is kept of it, and that it is told.
func TestFirstLoginMakesAUser(t *testing.T) {
	w := newWorld(t)
	u, o := w.comes(t, "sso", bob("1"))
	if diff := cmp.Diff(Outcome{Created: true}, o); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	if _, err := uuid.Parse(u.ID); err != nil {
		t.Errorf("ID %q: %v", u.ID, err)
	}
	want := store.User{
		ID: u.ID, Organization: "acme", Username: "bob", Email: "Bob@Acme.example", EmailVerified: true, EmailProvider: "default/sso", Name: "Bob B", Phone: "+1 555",
		Comment: "likes doors", Groups: []string{"dev"}, Provider: "default/sso", CreatedAt: start, UpdatedAt: start, LastLoginAt: start,
	}
	if diff := cmp.Diff(want, u); diff != "" {
		t.Errorf("returned (-want +got):\n%s", diff)
	}
	kept, err := w.store.User(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []*time.Time{&kept.CreatedAt, &kept.UpdatedAt, &kept.LastLoginAt} {
		*at = at.UTC()
	}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"user.created"}, w.log.take(t)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	w.now = start.Add(time.Hour)
	again, o := w.comes(t, "sso", bob("1"))
	if again.ID != u.ID || !again.LastLoginAt.Equal(w.now) || !again.UpdatedAt.Equal(start) || !cmp.Equal(o, Outcome{}) {
		t.Errorf("the second login: %+v, %+v", again, o)
	}
	if told := w.log.take(t); told != nil {
		t.Errorf("the second login tells %q", told)
	}
}

// TestIdentities guards which logins are one person's: issuer and subject, in one organization.
func TestIdentities(t *testing.T) {
	w := newWorld(t)
	u, _ := w.comes(t, "sso", bob("1"))
	for _, c := range []struct {
		name, provider string
		in             Login
		same           bool
	}{
		{"another provider of that issuer", "hub", bob("1"), true},
		{"another subject", "sso", bob("2"), false},
		{"another issuer", "sso", bob("1", func(in *Login) { in.Issuer = "https://other.example" }), false},
		{"parts moved between issuer and subject", "sso", bob("", func(in *Login) { in.Issuer, in.Subject = "https://idp.example1", "x" }), false},
		{"another spelling of the subject", "sso", bob("1 "), false},
		{"another organization", "far", bob("1"), false},
		{"the first again, after the other organization", "sso", bob("1"), true},
	} {
		if got, _ := w.comes(t, c.provider, c.in); (got.ID == u.ID) != c.same {
			t.Errorf("%s: the same user is %v, want %v", c.name, got.ID == u.ID, c.same)
		}
	}
}

// TestSync guards what a later login changes, by userSync.
func TestSync(t *testing.T) {
	changed := bob("1", func(in *Login) {
		in.Username, in.Name, in.Email, in.Phone, in.Comment, in.Groups = "robert", "Robert", "robert@acme.example", "", "new", []string{"admins"}
	})
	for _, c := range []struct {
		sync   string
		want   func(*store.User)
		synced []string
	}{
		{config.SyncAlways, func(u *store.User) {
			u.Username, u.Name, u.Email, u.Phone, u.Comment, u.UpdatedAt = "robert", "Robert", "robert@acme.example", "", "new", start.Add(time.Hour)
		}, []string{"name", "phone", "comment", "email", "username"}},
		{config.SyncFirstLogin, func(*store.User) {}, nil},
	} {
		t.Run(c.sync, func(t *testing.T) {
			w := newWorld(t)
			w.provider("sso").UserSync = c.sync
			want, _ := w.comes(t, "sso", bob("1"))
			w.now = start.Add(time.Hour)
			c.want(&want)
			want.LastLoginAt = w.now
			got, o := w.comes(t, "sso", changed)
			if diff := cmp.Diff(want, got, cmp.Transformer("UTC", time.Time.UTC)); diff != "" {
				t.Errorf("user (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.synced, o.Synced); diff != "" {
				t.Errorf("synced (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSyncLeavesWhatIsNotMapped guards that a provider that says nothing of an attribute does not empty it, and that one that maps it does.
func TestSyncLeavesWhatIsNotMapped(t *testing.T) {
	w := newWorld(t)
	w.comes(t, "sso", bob("1"))
	empty := bob("1", func(in *Login) { in.Email, in.EmailVerified, in.Name, in.Phone, in.Comment = "", false, "", "", "" })
	got, _ := w.comes(t, "sso", empty)
	if got.Email != "" || got.EmailVerified || got.EmailProvider != "" || got.Name != "" || got.Phone != "" || got.Comment != "likes doors" {
		t.Errorf("got %+v", got)
	}
}

// TestAPartialLoginEmptiesNothing guards what is known of somebody whose provider could not be asked for all of it.
func TestAPartialLoginEmptiesNothing(t *testing.T) {
	for _, c := range []struct {
		name     string
		in       func(*Login)
		email    string
		verified bool
	}{
		{"nothing but the username", func(in *Login) { in.Email, in.EmailVerified = "", false }, "Bob@Acme.example", true},
		{"the address, and not whether it is verified", func(in *Login) { in.EmailVerified = false }, "Bob@Acme.example", true},
		{"another address", func(in *Login) { in.Email, in.EmailVerified = "rob@acme.example", false }, "rob@acme.example", false},
	} {
		w := newWorld(t)
		before, _ := w.comes(t, "sso", bob("1"))
		got, _ := w.comes(t, "sso", bob("1", func(in *Login) {
			in.Partial, in.Name, in.Phone = true, "", ""
			c.in(in)
		}))
		if got.Name != before.Name || got.Phone != before.Phone || got.Email != c.email || got.EmailVerified != c.verified || (got.EmailProvider != "") != c.verified {
			t.Errorf("%s: got %+v, had %+v", c.name, got, before)
		}
	}
}

// TestSyncOfTheAddress guards that an address is verified only as long as the provider says so.
func TestSyncOfTheAddress(t *testing.T) {
	w := newWorld(t)
	w.comes(t, "sso", bob("1"))
	got, o := w.comes(t, "sso", bob("1", func(in *Login) { in.EmailVerified = false }))
	if got.EmailVerified || got.EmailProvider != "" || !slices.Equal(o.Synced, []string{"email"}) {
		t.Errorf("%+v %+v", got, o)
	}
	if got, _ = w.comes(t, "sso", bob("1")); !got.EmailVerified || got.EmailProvider != "default/sso" {
		t.Errorf("verified again: %+v", got)
	}
}

// TestGroupsAreTheProvidersOnce guards that administrators' groups stay.
func TestGroupsAreTheProvidersOnce(t *testing.T) {
	w := newWorld(t)
	u, _ := w.comes(t, "sso", bob("1"))
	if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: u.ID}, Change{Groups: &[]string{"ops"}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.comes(t, "sso", bob("1")); !slices.Equal(got.Groups, []string{"ops"}) {
		t.Errorf("groups %q", got.Groups)
	}
}

func TestDisabledUsersAreRefused(t *testing.T) {
	w := newWorld(t)
	w.linking("sso", "hub")
	u, _ := w.comes(t, "sso", bob("1"))
	yes := true
	if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: u.ID}, Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	w.log.take(t)
	for _, c := range []struct{ provider, subject string }{{"sso", "1"}, {"hub", "77"}} { // known, and one that would be linked
		got, o, err := w.Provision(t.Context(), w.snapshot(), w.provider(c.provider), bob(c.subject))
		if !errors.Is(err, ErrUserDisabled) || got.ID != "" || !cmp.Equal(o, Outcome{}) {
			t.Errorf("%s: %+v, %+v, %v", c.provider, got, o, err)
		}
	}
	page, err := w.List(t.Context(), w.snapshot(), Query{Search: "bob"})
	if err != nil || len(page.Users) != 1 {
		t.Errorf("a refused login left %+v, %v", page.Users, err)
	}
	if told := w.log.take(t); told != nil {
		t.Errorf("told %q", told)
	}
}

// TestRenew guards that a session that goes on is no login: it synchronises, but makes and links nobody, and does not bring back who was removed.
func TestRenew(t *testing.T) {
	w := newWorld(t)
	w.linking("sso", "hub")
	u, _ := w.comes(t, "sso", bob("1"))
	w.now = start.Add(time.Hour)
	got, o, err := w.Renew(t.Context(), w.snapshot(), w.provider("sso"), bob("1", func(in *Login) { in.Name = "Robert" }))
	if err != nil || got.ID != u.ID || got.Name != "Robert" || !got.LastLoginAt.Equal(start) || !slices.Equal(o.Synced, []string{"name"}) {
		t.Errorf("%+v, %+v, %v", got, o, err)
	}
	if _, _, err := w.Renew(t.Context(), w.snapshot(), w.provider("hub"), bob("77")); !errors.Is(err, ErrUserNotFound) {
		t.Errorf("an identity that would be linked: %v", err)
	}
	yes := true
	if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: u.ID}, Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Renew(t.Context(), w.snapshot(), w.provider("sso"), bob("1")); !errors.Is(err, ErrUserDisabled) {
		t.Errorf("disabled: %v", err)
	}
	if _, err := w.Delete(t.Context(), w.snapshot(), Ref{Name: u.ID}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Renew(t.Context(), w.snapshot(), w.provider("sso"), bob("1")); !errors.Is(err, ErrUserNotFound) {
		t.Errorf("removed: %v", err)
	}
	if page, err := w.List(t.Context(), w.snapshot(), Query{Search: "bob"}); err != nil || len(page.Users) != 0 {
		t.Errorf("came back: %+v, %v", page.Users, err)
	}
}

// TestBounds guards that no attribute of a provider is kept that the directory is not made for, and that the field is named.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", store.MaxText+1)
	for _, c := range []struct {
		field  string
		change func(*Login)
	}{
		{"issuer", func(in *Login) { in.Issuer = "" }}, {"issuer", func(in *Login) { in.Issuer = long }},
		{"subject", func(in *Login) { in.Subject = "1\x00" }}, {"issuer", func(in *Login) { in.Issuer = "\xff" }},
		{"subject", func(in *Login) { in.Subject = "" }}, {"subject", func(in *Login) { in.Subject = long }},
		{"username", func(in *Login) { in.Username = "" }}, {"username", func(in *Login) { in.Username = " \u2003" }},
		{"username", func(in *Login) { in.Username = long[:MaxUsername+1] }}, {"username", func(in *Login) { in.Username = "bob\nroot" }},
		{"username", func(in *Login) { in.Username = "bob\u202etoor" }}, {"username", func(in *Login) { in.Username = "bob\xff" }},
		{"username", func(in *Login) { in.Username = strings.Repeat("\ufdfa", 80) }},
		{"email", func(in *Login) { in.Email = long[:MaxEmail+1] }}, {"email", func(in *Login) { in.Email = "a\x00b@c" }},
		{"name", func(in *Login) { in.Name = long }}, {"phone", func(in *Login) { in.Phone = long }}, {"comment", func(in *Login) { in.Comment = long }},
		{"groups", func(in *Login) { in.Groups = make([]string, store.MaxGroups+1) }}, {"groups", func(in *Login) { in.Groups = []string{""} }},
		{"groups", func(in *Login) { in.Groups = []string{long} }},
	} {
		if _, _, err := w.Provision(t.Context(), w.snapshot(), w.provider("sso"), bob("1", c.change)); !invalid(err, c.field, "") {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	page, err := w.List(t.Context(), w.snapshot(), Query{})
	if err != nil || len(page.Users) != 1 { // the Secret's
		t.Errorf("refused logins left %d users, %v", len(page.Users), err)
	}
	// The longest of everything passes, also where a suffix is added.
	most := bob("1", func(in *Login) {
		in.Username, in.Email, in.Name, in.Comment = long[:MaxUsername], long[:MaxEmail], long[:store.MaxText], long[:store.MaxText]
		in.Groups = []string{long[:MaxGroup]}
	})
	w.comes(t, "sso", most)
	most.Subject = "2"
	w.comes(t, "sso", most)
}

// TestParallelFirstLogins guards that one identity is one user, and that two people of one name get two names, whoever is first. On PostgreSQL the
// logins reach two replicas.
func TestParallelFirstLogins(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		w := newWorld(t)
		loginsAtOnce(t, w, w)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		dsn := postgres.Start(t)
		var replicas [2]*world
		for i := range replicas {
			s, err := store.OpenPostgreSQL(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			replicas[i] = newWorldOn(s)
		}
		loginsAtOnce(t, replicas[0], replicas[1])
	})
}

func loginsAtOnce(t *testing.T, replicas ...*world) {
	ids, names := map[string]int{}, map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 40 {
		w, provider, in := replicas[i/2%2], "sso", bob("1")
		if i%2 == 1 {
			provider, in = "hub", bob("1", func(in *Login) { in.Issuer = "https://hub.example" })
		}
		snap := w.snapshot()
		all.Go(func() {
			u, _, err := w.Provision(t.Context(), snap, w.provider(provider), in)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[u.ID]++
			names[u.Username]++
		})
	}
	all.Wait()
	if len(ids) != 2 || len(names) != 2 || names["bob"] != 20 || names["bob.sso"]+names["bob.hub"] != 20 {
		t.Errorf("users %v, names %v", ids, names)
	}
	told := replicas[0].log.take(t)
	if replicas[1] != replicas[0] {
		told = append(told, replicas[1].log.take(t)...)
	}
	if len(told) != 3 { // two are made, one of them with a suffix
		t.Errorf("told %q", told)
	}
}

// again is a store that loses each transaction once, as one that meets a conflict does, and what happens between its two runs.
type again struct {
	store.Store
	between func()
}

func (a again) EditUsers(ctx context.Context, organization string, f func(store.UserTx) error) error {
	lost := errors.New("lost")
	err := a.Store.EditUsers(ctx, organization, func(tx store.UserTx) error {
		if err := f(tx); err != nil {
			return err
		}
		return lost
	})
	if !errors.Is(err, lost) {
		return err
	}
	a.between()
	return a.Store.EditUsers(ctx, organization, f)
}

// TestALostTransactionLeavesNothing guards that what is told and returned is what the transaction that counted did.
func TestALostTransactionLeavesNothing(t *testing.T) {
	w := newWorld(t)
	nothing := func() {}
	w.Store = again{w.store, nothing}
	w.linking("sso", "hub")
	u, o := w.comes(t, "sso", bob("1"))
	if diff := cmp.Diff(Outcome{Created: true}, o); diff != "" {
		t.Errorf("a first login (-want +got):\n%s", diff)
	}
	if got, o := w.comes(t, "hub", bob("2", called("rob"))); got.ID != u.ID || !cmp.Equal(o, Outcome{Linked: true}) {
		t.Errorf("a linked one: %+v, %+v", got, o)
	}
	_, o = w.comes(t, "sso", bob("1", called("rob"), func(in *Login) { in.Name = "Rob" }))
	if diff := cmp.Diff(Outcome{Synced: []string{"name", "username"}, RenamedFrom: "bob"}, o); diff != "" {
		t.Errorf("a changed one (-want +got):\n%s", diff)
	}
	want := []string{"user.created", "user.linked", "user.renamed bob>rob", "user.changed name username"}
	if diff := cmp.Diff(want, w.log.take(t)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	rival := newWorldOn(w.store)
	var first store.User
	w.Store = again{w.store, func() { first, _ = rival.comes(t, "sso", bob("9", called("zoe"))) }}
	if got, o := w.comes(t, "sso", bob("9", called("zoe"))); got.ID != first.ID || !cmp.Equal(o, Outcome{}) || w.log.take(t) != nil {
		t.Errorf("a first login that another replica was quicker with: %+v, %+v", got, o)
	}
	w.Store = again{w.store, nothing}
	w.sessions(t, u.ID)
	yes := true
	if _, err := w.Edit(t.Context(), w.snapshot(), Ref{Name: u.ID}, Change{Disabled: &yes, Groups: &[]string{"x"}}); err != nil || w.alive(t, u.ID) != 0 {
		t.Errorf("an administrator's change: %v", err)
	}
	if diff := cmp.Diff([]string{"user.changed groups", "user.disabled"}, w.log.take(t)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// TestAFaultOfTheStoreIsNoUser guards that nobody is let in when nothing can be asked.
func TestAFaultOfTheStoreIsNoUser(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	u, _, err := w.Provision(t.Context(), w.snapshot(), w.provider("sso"), bob("1"))
	if !errors.Is(err, store.ErrClosed) || u.ID != "" || strings.Contains(fmt.Sprint(err), "bob") {
		t.Errorf("%+v, %v", u, err)
	}
}
