// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

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
