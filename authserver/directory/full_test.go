// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"errors"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestAFullOrganization guards that strangers cannot make users without end, and that nobody else notices.
func TestAFullOrganization(t *testing.T) {
	s, err := store.OpenSQLite(t.Context(), "", store.WithLimits(store.Limits{UsersOfOrganization: 2}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := newWorldOn(s)
	known, _ := w.comes(t, "sso", bob("1"))
	w.comes(t, "hub", bob("2", func(in *Login) { in.Username, in.Email = "ann", "ann@acme.example" }))
	third := bob("3", func(in *Login) { in.Username, in.Email = "eve", "eve@acme.example" })
	for _, provider := range []string{"sso", "hub"} {
		u, o, err := w.Provision(t.Context(), w.snapshot(), w.provider(provider), third)
		if !errors.Is(err, ErrOrganizationFull) || u.ID != "" || o.Created {
			t.Errorf("a third user, at %s: %+v, %+v, %v", provider, u, o, err)
		}
	}
	if u, _ := w.comes(t, "sso", bob("1")); u.ID != known.ID {
		t.Error("who is known has become another user")
	}
	w.comes(t, "far", third) // another organization
	if _, err := w.Add(t.Context(), w.snapshot(), NewUser{Email: "max@acme.example", Organization: "acme", Password: "correct horse"}); err != nil {
		t.Errorf("an administrator's user: %v", err)
	}
	if _, err := w.Delete(t.Context(), w.snapshot(), Ref{Name: known.ID}); err != nil {
		t.Fatal(err)
	}
	w.comes(t, "sso", third)
}
