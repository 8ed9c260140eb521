// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestAnUnverifiedAddressIsNobodysName guards that nobody is called by an e-mail address that the provider does not vouch for, and that an address it speaks
// against is told as such. Silence is no word against it: many company directories send no email_verified.
func TestAnUnverifiedAddressIsNobodysName(t *testing.T) {
	const boss = `"email":"boss@x.example"`
	for _, row := range []struct {
		claims, userinfo string
		username, email  config.Source
		reason           string
		denied           bool
	}{
		{claims: `{` + boss + `,"email_verified":false}`, username: claim("email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":"true"}`, username: claim("email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":null}`, username: claim("email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":1}`, username: claim("email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `}`, userinfo: `{"email_verified":false}`, username: claim("email"), reason: ReasonEmailUnverified},
		{userinfo: `{` + boss + `,"email_verified":false}`, username: claim("email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":true}`, userinfo: `{` + boss + `,"email_verified":false}`, username: claim("email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":false}`, username: claim("nickname", "email"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":false,"upn":"Boss@X.example"}`, username: claim("upn"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":false}`, username: expr("claims.email.upperAscii()"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":false}`, username: claim("email"), email: claim("mail"), reason: ReasonEmailUnverified},
		{claims: `{"mail":"boss@x.example","email_verified":false}`, username: claim("mail"), email: claim("mail"), reason: ReasonEmailUnverified},
		{claims: `{` + boss + `,"email_verified":true}`, username: claim("email")},
		{claims: `{` + boss + `}`, username: claim("email")},
		{claims: `{` + boss + `}`, userinfo: `{` + boss + `,"email_verified":true}`, username: claim("email")},
		{claims: `{` + boss + `,"email_verified":false,"preferred_username":"bob"}`, username: claim("preferred_username"), denied: true},
		{claims: `{` + boss + `,"email_verified":false}`, username: expr("'bob'"), email: expr("claims.email.upperAscii()"), denied: true},
		{claims: `{"mail":"boss@x.example","email_verified":false}`, username: expr("'bob'"), email: claim("mail"), denied: true},
		{claims: `{"mail":"boss@x.example","email":"other@x.example","email_verified":false}`, username: expr("'bob'"), email: claim("mail")},
		{claims: `{"email_verified":false}`, username: expr("'bob'")},
		{claims: `{` + boss + `}`, username: expr("'bob'")},
	} {
		m := standard()
		m.Username = row.username
		if !row.email.Zero() {
			m.Email = row.email
		}
		got, err := compile(t, m).Read(Person{Claims: read(t, row.claims), UserInfo: read(t, row.userinfo)})
		var fault *Error
		if errors.As(err, &fault) != (row.reason != "") || fault != nil && fault.Reason != row.reason || got.EmailDenied != row.denied {
			t.Errorf("%s %s by %v: %+v, %v, want %q, denied %v", row.claims, row.userinfo, row.username, got, err, row.reason, row.denied)
		}
		if got.EmailDenied && (got.EmailVerified || got.Email == "") {
			t.Errorf("%s: verified and denied at once, or of nothing: %+v", row.claims, got)
		}
		if err != nil && strings.Contains(strings.ToLower(err.Error()), "boss") {
			t.Errorf("the error tells what was sent: %v", err)
		}
	}
	// What userinfo may say is not known while it cannot be asked.
	for claims, reason := range map[string]string{
		`{` + boss + `}`:                        ReasonNoUsername,
		`{` + boss + `,"email_verified":true}`:  "",
		`{` + boss + `,"email_verified":false}`: ReasonEmailUnverified,
	} {
		m := standard()
		m.Username = claim("email")
		_, err := compile(t, m).Read(Person{Claims: read(t, claims), NoUserInfo: true})
		var fault *Error
		if errors.As(err, &fault) != (reason != "") || fault != nil && fault.Reason != reason {
			t.Errorf("%s without userinfo: %v, want %q", claims, err, reason)
		}
	}
}
