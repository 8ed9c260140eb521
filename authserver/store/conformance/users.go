// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var users = map[string]func(*testing.T, store.Store){
	"user is kept as stored":                    testUserKept,
	"user is replaced whole":                    testUserReplaced,
	"names are compared folded":                 testFolded,
	"taken names are told and edited on":        testTaken,
	"user limits are enforced":                  testUserLimits,
	"an edit that fails changes nothing":        testEditRollsBack,
	"an edit sees its organization only":        testOrganizations,
	"one password e-mail for all organizations": testPasswordEmailRace,
	"identities belong to one user":             testIdentities,
	"identities are bounded":                    testIdentitiesBounded,
	"users are listed in pages":                 testListUsers,
	"login and rehash are recorded":             testRecordLogin,
	"a rehash is no new password":               testPasswordVersion,
	"users of providers are bounded":            testUsersBounded,
	"deleted user leaves nothing":               testDeleteUser,
	"edits of an organization come one by one":  testEditsAlone,
	"texts no database takes are not found":     testStrangeTexts,
}

// someone is user n of an organization, with a password.
func someone(organization string, n int) store.User {
	return store.User{
		ID: fmt.Sprintf("id-%03d", n), Organization: organization, Username: fmt.Sprintf("User%03d", n), Email: fmt.Sprintf("User%03d@Example.com", n),
		EmailVerified: true, EmailProvider: "ns/idp", Name: "N", Phone: "+1", Comment: "c", Groups: []string{"a", "b"}, Provider: "ns/idp",
		PasswordHash: "$argon2id$1", CreatedAt: start.Local(), UpdatedAt: start.Local(), LastLoginAt: time.Time{},
	}
}

func edit(t *testing.T, s store.Store, organization string, f func(tx store.UserTx) error) {
	t.Helper()
	if err := s.EditUsers(t.Context(), organization, f); err != nil {
		t.Fatalf("EditUsers: %v", err)
	}
}

func put(t *testing.T, s store.Store, list ...store.User) {
	t.Helper()
	for _, u := range list {
		edit(t, s, u.Organization, func(tx store.UserTx) error { return tx.PutUser(u) })
	}
}

func sameUser(t *testing.T, what string, got, want store.User) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testUserKept(t *testing.T, s store.Store) {
	want := someone("o", 1)
	put(t, s, want)
	want.PasswordVersion = 1
	got, err := s.User(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	sameUser(t, "User", got, want)
	if got, err = s.PasswordUser(t.Context(), want.Email); err != nil {
		t.Fatal(err)
	}
	sameUser(t, "PasswordUser", got, want)
	edit(t, s, "o", func(tx store.UserTx) error {
		byID, err1 := tx.User(want.ID)
		byName, err2 := tx.UserByUsername(want.Username)
		byEmail, err3 := tx.UsersByEmail(want.Email)
		byPassword, err4 := tx.PasswordUser(strings.ToUpper(want.Email))
		if err := errors.Join(err1, err2, err3, err4); err != nil || len(byEmail) != 1 {
			return fmt.Errorf("%d by e-mail address: %w", len(byEmail), err)
		}
		for _, got := range append(byEmail, byID, byName, byPassword) {
			sameUser(t, "within an edit", got, want)
		}
		return nil
	})
	_, err = s.User(t.Context(), "another")
	wantError(t, "another user", err, store.ErrNotFound)
}

func testUserReplaced(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1))
	want := store.User{ID: "id-001", Organization: "o", Username: "other", Disabled: true, UpdatedAt: start.Add(time.Hour), LastLoginAt: start}
	put(t, s, want)
	want.PasswordVersion = 2
	got, err := s.User(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Groups) == 0 {
		got.Groups = nil
	}
	sameUser(t, "User", got, want)
	_, err = s.PasswordUser(t.Context(), "user001@example.com")
	wantError(t, "the old address", err, store.ErrNotFound)
	want.Email = "user001@example.com" // without a password
	put(t, s, want)
	edit(t, s, "o", func(tx store.UserTx) error {
		for _, email := range []string{want.Email, "", "nobody@example.com"} {
			_, err := tx.PasswordUser(email)
			wantError(t, "PasswordUser within an edit", err, store.ErrNotFound)
		}
		return nil
	})
	_, err = s.PasswordUser(t.Context(), "")
	wantError(t, "no address", err, store.ErrNotFound)
}

func testFolded(t *testing.T, s store.Store) {
	u := someone("o", 1)
	u.Username, u.Email = "Straße", "Bob@EXAMPLE.com"
	put(t, s, u)
	if got, err := s.PasswordUser(t.Context(), " ｂob@example.COM"); err != nil || got.ID != u.ID || got.Email != u.Email {
		t.Errorf("another spelling of the address: %+v, %v", got, err)
	}
	edit(t, s, "o", func(tx store.UserTx) error {
		_, err := tx.UserByUsername("STRASSE")
		return err
	})
}

func testTaken(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1), someone("elsewhere", 2))
	edit(t, s, "o", func(tx store.UserTx) error {
		u := someone("o", 3)
		u.Username = "USER001"
		wantTaken(t, tx.PutUser(u), "username")
		u.Username, u.Email = "bob", "user002@example.COM"
		wantTaken(t, tx.PutUser(u), "email") // of another organization, with a password too
		u.PasswordHash = ""
		return tx.PutUser(u) // without one the address may be shared, and the transaction still works
	})
	edit(t, s, "elsewhere", func(tx store.UserTx) error {
		u := someone("elsewhere", 4)
		u.Username = "User001" // taken in another organization only
		return tx.PutUser(u)
	})
	edit(t, s, "o", func(tx store.UserTx) error {
		u, err := tx.User("id-003")
		if err != nil {
			return err
		}
		u.PasswordHash = "$now"
		wantTaken(t, tx.PutUser(u), "email")
		return nil
	})
}

func wantTaken(t *testing.T, err error, field string) {
	t.Helper()
	var taken *store.TakenError
	if !errors.As(err, &taken) || taken.Field != field || !errors.Is(err, store.ErrTaken) {
		t.Errorf("got %v, want that %s is taken", err, field)
	}
}

func testIdentities(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1), someone("o", 2))
	first := store.Identity{Key: store.IdentityKey{Issuer: "https://a", Subject: "bc"}, User: "id-001", Provider: "ns/a", CreatedAt: start.Local(), LastLoginAt: start.Local()}
	second := store.Identity{Key: store.IdentityKey{Issuer: "https://ab", Subject: "c"}, User: "id-001", Provider: "ns/b", CreatedAt: start.Add(-time.Hour).Local()}
	edit(t, s, "o", func(tx store.UserTx) error { return errors.Join(tx.PutIdentity(first), tx.PutIdentity(second)) })
	got, err := s.Identities(t.Context(), "id-001")
	if diff := cmp.Diff([]store.Identity{second, first}, got, cmp.Comparer(time.Time.Equal)); diff != "" || err != nil {
		t.Errorf("Identities: %v (-want +got):\n%s", err, diff)
	}
	first.User, first.Provider = "id-002", "ns/moved"
	edit(t, s, "o", func(tx store.UserTx) error {
		if err := tx.PutIdentity(first); err != nil {
			return err
		}
		got, err := tx.Identity(first.Key)
		if diff := cmp.Diff(first, got, cmp.Comparer(time.Time.Equal)); diff != "" {
			t.Errorf("Identity (-want +got):\n%s", diff)
		}
		list, err2 := tx.Identities("id-001")
		if len(list) != 1 {
			t.Errorf("the first user has %d identities left", len(list))
		}
		return errors.Join(err, err2)
	})
}

func testListUsers(t *testing.T, s store.Store) {
	for n := range 6 {
		u := someone([]string{"even", "odd"}[n%2], n)
		if n == 5 {
			u.Username, u.Email = "Zed", "zed@100%_example.com"
		}
		put(t, s, u)
	}
	for name, c := range map[string]struct {
		q    store.UserQuery
		want string
	}{
		"all":             {store.UserQuery{}, "0 1 2 3 4 5"},
		"organization":    {store.UserQuery{Organization: "odd"}, "1 3 5"},
		"page":            {store.UserQuery{Limit: 2, After: "id-001"}, "2 3"},
		"search":          {store.UserQuery{Search: "USER00"}, "0 1 2 3 4"},
		"search there":    {store.UserQuery{Search: "user00", Organization: "even"}, "0 2 4"},
		"search page":     {store.UserQuery{Search: "user00", After: "id-002", Limit: 1}, "3"},
		"by e-mail":       {store.UserQuery{Search: "zed@100%_"}, "5"},
		"no wildcards":    {store.UserQuery{Search: "%"}, ""},
		"nothing such":    {store.UserQuery{Search: "user006"}, ""},
		"no organization": {store.UserQuery{Organization: "none"}, ""},
	} {
		list, err := s.ListUsers(t.Context(), c.q)
		got := []string{}
		for _, u := range list {
			got = append(got, strings.TrimLeft(strings.TrimPrefix(u.ID, "id-00"), ""))
		}
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: got %v, %v, want %s", name, got, err, c.want)
		}
	}
}

func testRecordLogin(t *testing.T, s store.Store) {
	u := someone("o", 1)
	put(t, s, u)
	for _, c := range []struct {
		after           time.Duration
		old, hash, want string
	}{
		{time.Hour, "", "", "$argon2id$1"},
		{time.Minute, "$argon2id$1", "$argon2id$2", "$argon2id$2"}, // late: the time stays
		{time.Hour, "$argon2id$1", "$argon2id$3", "$argon2id$2"},   // changed meanwhile
		{time.Hour, "$argon2id$2", "", "$argon2id$2"},
	} {
		if err := s.RecordLogin(t.Context(), u.ID, start.Add(c.after), c.old, c.hash); err != nil {
			t.Fatal(err)
		}
		if got, err := s.User(t.Context(), u.ID); err != nil || got.PasswordHash != c.want || !got.LastLoginAt.Equal(start.Add(time.Hour)) {
			t.Errorf("%+v: hash %q, last login %v, %v", c, got.PasswordHash, got.LastLoginAt, err)
		}
	}
	wantError(t, "nobody", s.RecordLogin(t.Context(), "nobody", start, "", ""), store.ErrNotFound)
}

func testPasswordVersion(t *testing.T, s store.Store) {
	u := someone("o", 1)
	put(t, s, u)
	for _, c := range []struct {
		what   string
		change func() error
		want   int64
	}{
		{"a rehash", func() error { return s.RecordLogin(t.Context(), u.ID, start, "$argon2id$1", "$argon2id$2") }, 1},
		{"another name, by an editor who read before", func() error { u.Name, u.PasswordHash = "M", "$argon2id$2"; return nil }, 1},
		{"another password", func() error { u.PasswordHash = "$argon2id$3"; return nil }, 2},
		{"a version of the caller's", func() error { u.PasswordVersion = 1; return nil }, 2},
		{"no password", func() error { u.PasswordHash = ""; return nil }, 3},
		{"a rehash of none", func() error { return s.RecordLogin(t.Context(), u.ID, start, "", "$argon2id$4") }, 3},
		{"the first password again", func() error { u.PasswordHash = "$argon2id$1"; return nil }, 4},
	} {
		before := u
		if err := c.change(); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if !cmp.Equal(before, u) {
			put(t, s, u)
		}
		if got, err := s.User(t.Context(), u.ID); err != nil || got.PasswordVersion != c.want {
			t.Errorf("%s: version %d, %v; want %d", c.what, got.PasswordVersion, err, c.want)
		}
	}
}
