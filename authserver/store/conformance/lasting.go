// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// lasting is what has to outlive something else, and what must not.
var lasting = map[string]func(*testing.T, store.Store){
	"taken codes outlive their owner's end": testCodesOutliveTheEnd,
	"sessions that are over are not listed": testListedSessions,
	"an e-mail alone is no password's":      testEmailWithoutPassword,
	"one subject at two issuers is two":     testTwoIssuers,
}

func testCodesOutliveTheEnd(t *testing.T, s store.Store) {
	taken, waiting := code(t, s, 1), code(t, s, 2)
	take(t, s, taken, codeFamily(1))
	if _, err := s.EndOwner(t.Context(), "owner"); err != nil {
		t.Fatal(err)
	}
	_, err := s.TakeCode(t.Context(), taken.Key, hash("again"), start)
	wantError(t, "a replay after the end", err, store.ErrReused)
	wantError(t, "its family", s.CreateFamily(t.Context(), codeFamily(1), 50), store.ErrReused)
	_, err = s.TakeCode(t.Context(), waiting.Key, hash("late"), start)
	wantError(t, "a code that waited", err, store.ErrNotFound)
}

func testListedSessions(t *testing.T, s store.Store) {
	over, lasts := session(t, s, "owner", 1), session(t, s, "owner", 2)
	list, err := s.OwnerSessions(t.Context(), "owner", over.ExpiresAt)
	if err != nil || len(list) != 1 || list[0].Key != lasts.Key {
		t.Errorf("%d sessions, %v", len(list), err)
	}
}

func testEmailWithoutPassword(t *testing.T, s store.Store) {
	u := someone("acme", 1)
	u.PasswordHash = ""
	put(t, s, u)
	_, err := s.PasswordUser(t.Context(), u.Email)
	wantError(t, "somebody without a password", err, store.ErrNotFound)
}

func testTwoIssuers(t *testing.T, s store.Store) {
	put(t, s, someone("acme", 1), someone("acme", 2))
	var found []string
	edit(t, s, "acme", func(tx store.UserTx) error {
		found = nil
		issuers := map[string]string{"https://one.example": "id-001", "https://two.example": "id-002"}
		for issuer, user := range issuers {
			if err := tx.PutIdentity(store.Identity{Key: store.IdentityKey{Issuer: issuer, Subject: "1"}, User: user, Provider: "ns/idp"}); err != nil {
				return err
			}
		}
		for _, issuer := range []string{"https://one.example", "https://two.example"} {
			i, err := tx.Identity(store.IdentityKey{Issuer: issuer, Subject: "1"})
			if err != nil {
				return err
			}
			found = append(found, i.User)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"id-001", "id-002"}, found); diff != "" {
		t.Error(diff)
	}
}
