// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestNoAddressIsNotVerified, whatever a provider says: linking and applications go by that word.
func TestNoAddressIsNotVerified(t *testing.T) {
	w := newWorld(t)
	nothing := func(in *Login) { in.Email = " " }
	for range 2 { // made, and synchronised
		if u, _ := w.comes(t, "sso", bob("1", nothing)); u.Email != "" || u.EmailVerified || u.EmailProvider != "" {
			t.Errorf("%+v", u)
		}
	}
}

// TestAFullUserIsNotLinked guards somebody who has as many accounts at providers as can be kept: another login makes another user, and is not refused.
func TestAFullUserIsNotLinked(t *testing.T) {
	w := newWorld(t)
	w.linking("sso", "hub")
	known, _ := w.comes(t, "sso", bob("1"))
	err := w.store.EditUsers(t.Context(), "acme", func(tx store.UserTx) error {
		for n := 1; n < store.MaxIdentities; n++ {
			i := store.Identity{Key: store.IdentityKey{Issuer: fmt.Sprintf("https://%d.example", n), Subject: "b"}, User: known.ID, Provider: fmt.Sprintf("default/p%d", n)}
			if err := tx.PutIdentity(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if u, o := w.comes(t, "hub", hubs()); u.ID == known.ID || !o.Created {
		t.Errorf("%+v, %+v", u, o)
	}
}
