// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"testing"
)

// TestOrganization guards that the organization of an own token is a name that a tenant could have: it becomes the
// tenant, and part of headers.
func TestOrganization(t *testing.T) {
	s := setOf(t, Outbound{})
	sign := func(organization any) string {
		return cast().own.sign(t, ownHeader, ownClaims.with(obj{"organization": organization}))
	}
	if d := ask(t, s, "", sign("engineering")); d.Status != http.StatusOK || d.Identity.Tenant != "engineering" {
		t.Errorf("a name: %d %s", d.Status, d.Reason)
	}
	for _, organization := range []any{nil, "", "a/b", "../acme", "acme%2f", "-", "acme ", "\u0430cme", 5, true, []string{"acme"}} {
		if d := ask(t, s, "", sign(organization)); d.Status != http.StatusUnauthorized || d.Reason != ReasonOrganization {
			t.Errorf("%#v: %d %s", organization, d.Status, d.Reason)
		}
	}
}
