// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

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
		_, err = tx.PasswordUser("user001@example.com")
		wantError(t, "PasswordUser", err, store.ErrNotFound)
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
