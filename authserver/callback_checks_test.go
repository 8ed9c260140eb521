// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestErrorsAreOfTheProvider guards mix-up by an error (RFC 9207 §2.4): what another server says of a login is not told as this provider's word.
func TestErrorsAreOfTheProvider(t *testing.T) {
	w := newWorld(t, nil)
	for iss, reason := range map[string]string{"": "access_denied", "https://evil.example": "issuer_mismatch"} {
		v := w.visitor(t)
		u := must(url.Parse(v.callback("sso", "")))
		q := u.Query()
		q.Del("code")
		q.Set("error", "access_denied")
		if iss != "" {
			q.Set("iss", iss)
		}
		u.RawQuery = q.Encode()
		w.log.take()
		status := v.get(u.String()).StatusCode
		if told := w.log.take(); status/100 != 4 || !strings.Contains(told, `"reason":"`+reason+`"`) {
			t.Errorf("iss %q: %d, told %s", iss, status, told)
		}
	}
}

// TestARenewalIsOfTheSessionsUser guards a session whose account at the provider belongs to another user by now.
func TestARenewalIsOfTheSessionsUser(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	v.logIn("sso", "")
	list, err := w.store.ListUsers(t.Context(), store.UserQuery{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d users, %v", len(list), err)
	}
	another := list[0]
	another.ID, another.Username, another.Email = "0b6f6d3c-0c0e-4b52-9a5c-1f0c5e2f7a01", "another", ""
	err = w.store.EditUsers(t.Context(), another.Organization, func(tx store.UserTx) error {
		identities, err := tx.Identities(list[0].ID)
		if err != nil || len(identities) != 1 {
			t.Errorf("%d identities, %v", len(identities), err)
			return err
		}
		identities[0].User = another.ID
		if err := tx.PutUser(another); err != nil {
			return err
		}
		return tx.PutIdentity(identities[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	w.pass(15*time.Minute + time.Second)
	v.verify() // it is asked behind this request
	eventually(t, "the session ends", func() bool { return v.verify() == http.StatusUnauthorized })
}
