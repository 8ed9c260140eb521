// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// checkAddress says what is known of the address, and refuses somebody whose username is one that is not theirs as far as the provider knows. Kubernetes refuses
// the same (structured authentication, claimMappings.username with the claim email). Where the provider does not say, its administrators vouch for addresses.
func checkAddress(of *subject, a *Attributes) error {
	documents := []*Document{of.Claims, of.UserInfo}
	a.EmailVerified = a.Email != "" && verified(a.Email, documents...)
	said, denied := asked(documents...)
	own := isAddress(a.Username, documents...)
	a.EmailDenied = denied && a.Email != "" && (isAddress(a.Email, documents...) || !hasAddress(documents...))
	switch {
	case denied && own, a.EmailDenied && same(a.Username, a.Email):
		return &Error{ReasonEmailUnverified, "the username is the user's e-mail address, and email_verified is not true; have the provider verify addresses, or map another claim with claimMappings.username"}
	case !said && own && of.NoUserInfo:
		return &Error{ReasonNoUsername, "the username is the user's e-mail address, and only userinfo can say whether it is verified"}
	}
	return nil
}

// asked tells whether a document has email_verified, and whether one has it with anything but the boolean true.
func asked(documents ...*Document) (said, denied bool) {
	for _, d := range documents {
		if value, ok := d.Lookup("email_verified"); ok {
			said, denied = true, denied || value.JSON() != "true"
		}
	}
	return said, denied
}

// isAddress tells whether a document calls text the e-mail address, however it is spelt.
func isAddress(text string, documents ...*Document) bool {
	for _, d := range documents {
		value, _ := d.Lookup("email")
		if address, ok := value.Text(); ok && same(address, text) {
			return true
		}
	}
	return false
}

// hasAddress tells whether email_verified is about the claim email at all.
func hasAddress(documents ...*Document) bool {
	for _, d := range documents {
		value, _ := d.Lookup("email")
		if address, ok := value.Text(); ok && address != "" {
			return true
		}
	}
	return false
}

// same compares as applications and people may.
func same(a, b string) bool { return fold.Name(a) != "" && fold.Name(a) == fold.Name(b) }

// verified tells whether one of the documents vouches for the address and none says otherwise.
func verified(email string, documents ...*Document) bool {
	vouched := false
	for _, d := range documents {
		value, ok := d.Lookup("email_verified")
		if !ok {
			continue
		}
		if value.JSON() != "true" {
			return false
		}
		if of, _ := d.Lookup("email"); is(of, email) {
			vouched = true
		}
	}
	return vouched
}

func is(value token.Value, text string) bool {
	got, ok := value.Text()
	return ok && got == text
}
