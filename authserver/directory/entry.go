// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Source is where a user is kept.
type Source string

// The sources.
const (
	// SourceAdministrator is a user whom an administrator added.
	SourceAdministrator Source = "administrator"
	// SourceProvider is a user made at the first login through a provider.
	SourceProvider Source = "provider"
	// SourceSecret is a user of the Secret of the Password provider: shown here, changed there.
	SourceSecret Source = "secret"
)

// Entry is a user as administrators see one. It holds neither password nor hash.
type Entry struct {
	// ID is the sub of the user's tokens.
	ID            string `json:"id"`
	Organization  string `json:"organization"`
	Username      string `json:"username"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	// EmailProvider is "namespace/name" of the provider that called the address verified or, where EmailVerified is false, said that it is not:
	// then tokens leave it out.
	EmailProvider string   `json:"email_provider,omitempty"`
	Name          string   `json:"name"`
	Phone         string   `json:"phone"`
	Comment       string   `json:"comment"`
	Groups        []string `json:"groups"`
	Source        Source   `json:"source"`
	// Provider is "namespace/name" of the provider of the first login, or of the one whose Secret lists the user.
	Provider string `json:"provider,omitempty"`
	Disabled bool   `json:"disabled"`
	// The times are absent where they are not known.
	CreatedAt   time.Time `json:"created_at,omitzero"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
	LastLoginAt time.Time `json:"last_login_at,omitzero"`
}

// Details are all that is known of a user.
type Details struct {
	Entry
	Identities []Identity `json:"identities"`
	// Sessions are those of browsers that have not expired, the last seen first.
	Sessions []Session `json:"sessions"`
}

// Identity is an account at a provider.
type Identity struct {
	Provider    string    `json:"provider"`
	Issuer      string    `json:"issuer"`
	Subject     string    `json:"subject"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	LastLoginAt time.Time `json:"last_login_at,omitzero"`
}

// Session is a browser that is logged in.
type Session struct {
	Provider  string    `json:"provider"`
	Client    string    `json:"client"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	SeenAt    time.Time `json:"seen_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Page is a part of a list of users.
type Page struct {
	Users []Entry `json:"users"`
	// Next continues the list as Query.After; empty at the end.
	Next string `json:"next,omitempty"`
}

// Unlocked is a user whose lockout was ended.
type Unlocked struct {
	Entry
	// Counters is how many counters of failed logins were forgotten: 0 if there was no failure.
	Counters int `json:"counters"`
}

func entryOf(u *store.User) Entry {
	e := Entry{
		ID: u.ID, Organization: u.Organization, Username: u.Username, Email: u.Email, EmailVerified: u.EmailVerified, EmailProvider: u.EmailProvider,
		Name: u.Name, Phone: u.Phone, Comment: u.Comment, Groups: u.Groups, Source: SourceProvider, Provider: u.Provider, Disabled: u.Disabled,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, LastLoginAt: u.LastLoginAt,
	}
	if u.Provider == "" {
		e.Source = SourceAdministrator
	}
	return e.tidy()
}

// tidy makes an entry that reads the same wherever it is made: times in UTC, and a list where there are no groups.
func (e Entry) tidy() Entry {
	if e.Groups == nil {
		e.Groups = []string{}
	}
	for _, t := range []*time.Time{&e.CreatedAt, &e.UpdatedAt, &e.LastLoginAt} {
		if !t.IsZero() {
			*t = t.UTC()
		}
	}
	return e
}
