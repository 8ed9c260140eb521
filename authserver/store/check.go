// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/authserver/fold"
)

const (
	// MaxOrganization bounds the name of an organization, in bytes.
	MaxOrganization = 253
	// maxOwner bounds an owner, maxProvider the "namespace/name" of a provider, maxClient Session.Client; in bytes.
	maxOwner    = 1 << 10
	maxProvider = 512
	maxClient   = 256
	// maxPasswordHash bounds a PHC string, in bytes.
	maxPasswordHash = 1 << 10
)

// storable tells whether a text can be in a store at all; what cannot is not found, and asked of no database.
func storable(text string) bool {
	return len(text) <= 4*MaxText && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}

func checkText(field, text string, most int) error {
	if len(text) > most {
		return fmt.Errorf("storing: %s has %d bytes; at most %d are allowed", field, len(text), most)
	}
	if !storable(text) {
		return fmt.Errorf("storing: %s is no valid UTF-8 text without NUL", field)
	}
	return nil
}

func checkName(field, text string, most int) error {
	if text == "" {
		return fmt.Errorf("storing: %s is empty", field)
	}
	return checkText(field, text, most)
}

func checkSize(field string, n, most int) error {
	if n > most {
		return fmt.Errorf("storing: %s has %d bytes; at most %d are allowed", field, n, most)
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *Family) check() error {
	return first(checkName("the owner of a refresh-token family", f.Owner, maxOwner), checkSize("the data of a refresh-token family", len(f.Data), MaxData))
}

func (s *Session) check() error {
	return first(
		checkName("the owner of a session", s.Owner, maxOwner), checkText("the provider of a session", s.Provider, maxProvider),
		checkText("the client of a session", s.Client, maxClient), checkSize("the data of a session", len(s.Data), MaxSessionData))
}

func (c *Code) check() error {
	return first(checkName("the owner of a code", c.Owner, maxOwner), checkSize("the data of a code", len(c.Data), MaxSessionData))
}

func (i *Identity) check() error {
	return first(
		checkName("the issuer of an identity", i.Key.Issuer, 2*MaxText), checkName("the subject of an identity", i.Key.Subject, MaxText),
		checkText("the provider of an identity", i.Provider, maxProvider))
}

// check refuses what columns and indexes are not made for.
func (u *User) check() error {
	err := first(
		checkName("the ID of a user", u.ID, maxOwner), checkName("the organization of a user", u.Organization, MaxOrganization),
		checkName("the username of a user", u.Username, MaxText), checkName("the folded username of a user", fold.Name(u.Username), MaxText),
		checkText("the email of a user", u.Email, MaxText), checkText("the folded email of a user", fold.Name(u.Email), MaxText),
		checkText("the emailProvider of a user", u.EmailProvider, maxProvider), checkText("the provider of a user", u.Provider, maxProvider),
		checkText("the name of a user", u.Name, MaxText), checkText("the phone of a user", u.Phone, MaxText),
		checkText("the comment of a user", u.Comment, MaxText), checkText("the password hash of a user", u.PasswordHash, maxPasswordHash))
	if err != nil {
		return err
	}
	if len(u.Groups) > MaxGroups {
		return fmt.Errorf("storing: a user has %d groups; at most %d are allowed", len(u.Groups), MaxGroups)
	}
	for _, g := range u.Groups {
		if err := checkName("a group of a user", g, MaxText); err != nil {
			return err
		}
	}
	return nil
}
