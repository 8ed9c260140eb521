// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
		if err := errors.Join(err1, err2, err3); err != nil || len(byEmail) != 1 {
			return fmt.Errorf("%d by e-mail address: %w", len(byEmail), err)
		}
		for _, got := range append(byEmail, byID, byName) {
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

func testUserLimits(t *testing.T, s store.Store) {
	for want, change := range map[string]func(*store.User){
		"ID":                func(u *store.User) { u.ID = "" },
		"organization":      func(u *store.User) { u.Organization = "another" },
		"username":          func(u *store.User) { u.Username = "" },
		"folded username":   func(u *store.User) { u.Username = strings.Repeat("\ufdfa", 100) }, // 18 letters each
		"email":             func(u *store.User) { u.Email = strings.Repeat("e", store.MaxText+1) },
		"name":              func(u *store.User) { u.Name = "\xff" },
		"comment":           func(u *store.User) { u.Comment = "a\x00b" },
		"groups":            func(u *store.User) { u.Groups = make([]string, store.MaxGroups+1) },
		"a group of a user": func(u *store.User) { u.Groups = []string{strings.Repeat("g", store.MaxText+1)} },
	} {
		err := s.EditUsers(t.Context(), "o", func(tx store.UserTx) error {
			u := someone("o", 1)
			change(&u)
			return tx.PutUser(u)
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	largest := someone("o", 1)
	largest.Username, largest.Email = strings.Repeat("u", store.MaxText), strings.Repeat("e", store.MaxText)
	for i := range store.MaxGroups {
		largest.Groups = append(largest.Groups[:i:i], fmt.Sprintf("%0*d", store.MaxText, i))
	}
	put(t, s, largest)
}

func testEditRollsBack(t *testing.T, s store.Store) {
	mine := errors.New("mine")
	err := s.EditUsers(t.Context(), "o", func(tx store.UserTx) error {
		if err := tx.PutUser(someone("o", 1)); err != nil {
			return err
		}
		return mine
	})
	wantError(t, "the edit", err, mine)
	_, err = s.User(t.Context(), "id-001")
	wantError(t, "the user", err, store.ErrNotFound)
	func() {
		defer func() {
			if recover() != "oh" {
				t.Error("the panic of an edit did not reach its caller")
			}
		}()
		_ = s.EditUsers(t.Context(), "o", func(tx store.UserTx) error {
			_ = tx.PutUser(someone("o", 1))
			panic("oh")
		})
	}()
	_, err = s.User(t.Context(), "id-001")
	wantError(t, "the user of an edit that panicked", err, store.ErrNotFound)
}

func testOrganizations(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1))
	key := store.IdentityKey{Issuer: "https://idp", Subject: "1"}
	edit(t, s, "o", func(tx store.UserTx) error {
		return tx.PutIdentity(store.Identity{Key: key, User: "id-001", CreatedAt: start})
	})
	edit(t, s, "elsewhere", func(tx store.UserTx) error {
		_, err := tx.User("id-001")
		wantError(t, "User", err, store.ErrNotFound)
		_, err = tx.UserByUsername("user001")
		wantError(t, "UserByUsername", err, store.ErrNotFound)
		if list, err := tx.UsersByEmail("user001@example.com"); len(list) != 0 || err != nil {
			t.Errorf("UsersByEmail: %v, %v", list, err)
		}
		_, err = tx.Identity(key)
		wantError(t, "Identity", err, store.ErrNotFound)
		if list, err := tx.Identities("id-001"); len(list) != 0 || err != nil {
			t.Errorf("Identities: %v, %v", list, err)
		}
		wantError(t, "PutIdentity", tx.PutIdentity(store.Identity{Key: key, User: "id-001"}), store.ErrNotFound)
		wantError(t, "DeleteUser", tx.DeleteUser("id-001"), store.ErrNotFound)
		stolen := someone("elsewhere", 1)
		stolen.Email = ""
		if err := tx.PutUser(stolen); err == nil {
			t.Error("a user moved to another organization")
		}
		return nil
	})
	if u, err := s.User(t.Context(), "id-001"); err != nil || u.Organization != "o" {
		t.Errorf("%+v, %v", u, err)
	}
}

// testPasswordEmailRace lets editors of several organizations want one address at once. One gets it, the others hear that it is taken.
func testPasswordEmailRace(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	results := make([]error, 8)
	for n := range results {
		wg.Go(func() {
			u := someone(fmt.Sprintf("o%d", n), n)
			u.Email = "one@example.com"
			results[n] = s.EditUsers(t.Context(), u.Organization, func(tx store.UserTx) error { return tx.PutUser(u) })
		})
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else {
			wantTaken(t, err, "email")
		}
	}
	if won != 1 {
		t.Errorf("%d users have the address", won)
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

func testIdentitiesBounded(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1))
	edit(t, s, "o", func(tx store.UserTx) error {
		for n := range store.MaxIdentities {
			if err := tx.PutIdentity(store.Identity{Key: store.IdentityKey{Issuer: "i", Subject: fmt.Sprint(n)}, User: "id-001"}); err != nil {
				return err
			}
		}
		wantError(t, "one more", tx.PutIdentity(store.Identity{Key: store.IdentityKey{Issuer: "i", Subject: "more"}, User: "id-001"}), store.ErrFull)
		return tx.PutIdentity(store.Identity{Key: store.IdentityKey{Issuer: "i", Subject: "0"}, User: "id-001", Provider: "again"})
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

// testUsersBounded guards that the count is right after each kind of change, failed ones included.
func testUsersBounded(t *testing.T, s store.Store) {
	most := small.UsersOfOrganization
	for n := range most {
		put(t, s, someone("o", n))
	}
	full := func(what string) {
		t.Helper()
		edit(t, s, "o", func(tx store.UserTx) error {
			wantError(t, what, tx.PutUser(someone("o", most)), store.ErrFull)
			return nil // and what else this edit did would be kept
		})
		_, err := s.User(t.Context(), someone("o", most).ID)
		wantError(t, what+": the user", err, store.ErrNotFound)
	}
	full("one more")
	put(t, s, someone("o", 0))
	full("one more after one was replaced")
	administrators := someone("o", most+1)
	administrators.Provider = ""
	put(t, s, administrators, someone("elsewhere", most+2))
	edit(t, s, "o", func(tx store.UserTx) error { return tx.DeleteUser(administrators.ID) })
	full("one more after an administrator's came and went")
	mine := errors.New("mine")
	err := s.EditUsers(t.Context(), "o", func(tx store.UserTx) error { return errors.Join(tx.DeleteUser("id-000"), mine) })
	wantError(t, "an edit that fails", err, mine)
	full("one more after a removal that was undone")
	edit(t, s, "elsewhere", func(tx store.UserTx) error {
		stolen := someone("elsewhere", 1)
		stolen.Username, stolen.Email = "stolen", ""
		if err := tx.PutUser(stolen); err == nil {
			t.Error("a user moved to another organization")
		}
		return nil
	})
	for n := range most - 1 { // with the one that is there, and none for the failure
		put(t, s, someone("elsewhere", 100+n))
	}
	edit(t, s, "o", func(tx store.UserTx) error { return tx.DeleteUser("id-000") })
	put(t, s, someone("o", most))
	moved := someone("o", 1)
	moved.Provider = ""
	put(t, s, moved, someone("o", 0))
	moved.Provider = "ns/idp"
	err = s.EditUsers(t.Context(), "o", func(tx store.UserTx) error { return tx.PutUser(moved) })
	wantError(t, "an administrator's user who becomes a provider's", err, store.ErrFull)
}

func testDeleteUser(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1), someone("o", 2))
	f, bystander := family(t, s, "id-001", 1), family(t, s, "id-002", 2)
	kept, gonner := session(t, s, "id-002", 2), session(t, s, "id-001", 1)
	key := store.IdentityKey{Issuer: "i", Subject: "s"}
	edit(t, s, "o", func(tx store.UserTx) error { return tx.PutIdentity(store.Identity{Key: key, User: "id-001"}) })
	edit(t, s, "o", func(tx store.UserTx) error { return tx.DeleteUser("id-001") })
	_, err := s.User(t.Context(), "id-001")
	wantError(t, "the user", err, store.ErrNotFound)
	_, err = s.Session(t.Context(), gonner.Key, start)
	wantError(t, "the session", err, store.ErrNotFound)
	gone(t, s, f, start)
	edit(t, s, "o", func(tx store.UserTx) error {
		_, err := tx.Identity(key)
		wantError(t, "the identity", err, store.ErrNotFound)
		wantError(t, "again", tx.DeleteUser("id-001"), store.ErrNotFound)
		return tx.PutUser(someone("o", 1)) // the names are free again
	})
	_, err1 := s.Session(t.Context(), kept.Key, start)
	_, err2 := s.Family(t.Context(), bystander.Key, start)
	if err := errors.Join(err1, err2); err != nil {
		t.Errorf("the other user: %v", err)
	}
}

// testEditsAlone has editors read, then write what they read and one more: none may be lost.
func testEditsAlone(t *testing.T, s store.Store) {
	u := someone("o", 1)
	u.Groups = nil
	put(t, s, u)
	var wg sync.WaitGroup
	for n := range 10 {
		wg.Go(func() {
			err := s.EditUsers(t.Context(), "o", func(tx store.UserTx) error {
				u, err := tx.User("id-001")
				if err != nil {
					return err
				}
				u.Groups = append(u.Groups, fmt.Sprint(n))
				return tx.PutUser(u)
			})
			if err != nil {
				t.Errorf("edit %d: %v", n, err)
			}
		})
	}
	wg.Wait()
	got, err := s.User(t.Context(), "id-001")
	slices.Sort(got.Groups)
	if fmt.Sprint(got.Groups) != "[0 1 2 3 4 5 6 7 8 9]" || err != nil {
		t.Errorf("%v, %v", got.Groups, err)
	}
}

func testStrangeTexts(t *testing.T, s store.Store) {
	put(t, s, someone("o", 1))
	for _, text := range []string{"\xff", "a\x00b", strings.Repeat("x", 1<<20), "' OR ''='", "$1", "?"} {
		_, err := s.User(t.Context(), text)
		wantError(t, "User", err, store.ErrNotFound)
		_, err = s.PasswordUser(t.Context(), text)
		wantError(t, "PasswordUser", err, store.ErrNotFound)
		list, err := s.ListUsers(t.Context(), store.UserQuery{Search: text, Organization: text})
		if len(list) != 0 || err != nil {
			t.Errorf("ListUsers: %d, %v", len(list), err)
		}
		if n, err := s.EndOwner(t.Context(), text); n != 0 || err != nil {
			t.Errorf("EndOwner: %d, %v", n, err)
		}
		edit(t, s, "o", func(tx store.UserTx) error {
			_, err := tx.UserByUsername(text)
			wantError(t, "UserByUsername", err, store.ErrNotFound)
			_, err = tx.Identity(store.IdentityKey{Issuer: text, Subject: text})
			wantError(t, "Identity", err, store.ErrNotFound)
			return nil
		})
	}
}
