// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Bounds of a user's texts, in bytes; name, phone and comment have store.MaxText.
const (
	// MaxEmail is the longest e-mail address (RFC 5321: 64 + 1 + 255).
	MaxEmail = 320
	// MaxUsername is as much, since an address often is the username.
	MaxUsername = 320
	// MaxGroup is the longest name of a group.
	MaxGroup = 256
)

// checkText demands UTF-8 of at most so many bytes, with nothing that changes what a line of a log or a terminal looks like. A tab or a line break is
// that, and so are the characters that turn the direction of writing.
func checkText(field, text string, most int) error {
	switch {
	case len(text) > most:
		return &InvalidError{field, fmt.Sprintf("it has more than %d bytes", most)}
	case !utf8.ValidString(text):
		return &InvalidError{field, "it is not UTF-8"}
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return &InvalidError{field, "it holds control characters"}
	}
	return nil
}

// checkUser demands what every user has to be, whoever made them.
func checkUser(u *store.User) error {
	for _, row := range []struct {
		field, text string
		most        int
	}{
		{"email", u.Email, MaxEmail}, {"username", u.Username, MaxUsername}, {"name", u.Name, store.MaxText},
		{"phone", u.Phone, store.MaxText}, {"comment", u.Comment, store.MaxText},
	} {
		if err := checkText(row.field, row.text, row.most); err != nil {
			return err
		}
	}
	if fold.Name(u.Username) == "" {
		return &InvalidError{"username", "it is empty"}
	}
	// NFKC makes some characters longer. Half of the room is left for a suffix.
	if len(fold.Name(u.Username)) > store.MaxText/2 {
		return &InvalidError{"username", "it is too long to compare"}
	}
	if len(fold.Name(u.Email)) > store.MaxText {
		return &InvalidError{"email", "it is too long to compare"}
	}
	if len(u.Groups) > store.MaxGroups {
		return &InvalidError{"groups", fmt.Sprintf("there are more than %d", store.MaxGroups)}
	}
	for _, g := range u.Groups {
		if g == "" {
			return &InvalidError{"groups", "a name is empty"}
		}
		if err := checkText("groups", g, MaxGroup); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress demands that an e-mail address looks like one: somebody logs in with it. It is not asked whether mail arrives.
func checkAddress(email string) error {
	local, domain, found := strings.Cut(email, "@")
	if !found || local == "" || domain == "" || strings.ContainsAny(domain, "@") || strings.ContainsFunc(email, unicode.IsSpace) {
		return &InvalidError{"email", "it is no e-mail address such as bob@example.com"}
	}
	return nil
}

func checkOrganization(name string) error {
	if name == "" {
		return &InvalidError{"organization", "it is required: there is no Password provider whose organization could stand in"}
	}
	if !config.ValidTenantID(name) {
		return &InvalidError{"organization", "it has to be letters, digits, and - . _ inside, 128 at most"}
	}
	return nil
}

// checkPassword demands what a new password has to be. Characters are Unicode code points.
func checkPassword(secret string, least int) error {
	switch n := utf8.RuneCountInString(secret); {
	case !utf8.ValidString(secret):
		return &InvalidError{"password", "it is not UTF-8"}
	case len(secret) > password.MaxLength:
		return &InvalidError{"password", fmt.Sprintf("it has more than %d bytes", password.MaxLength)}
	case n < least:
		return &InvalidError{"password", fmt.Sprintf("it has to have at least %d characters (spec.password.minLength)", least)}
	}
	return nil
}
