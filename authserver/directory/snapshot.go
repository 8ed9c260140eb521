// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/fold"
)

const (
	// DefaultMinLength is how many characters a new password must have where no provider says.
	DefaultMinLength = 12
	leastMinLength   = 8
)

// objectPrefix is what config.Provider.Object has before "namespace/name".
const objectPrefix = "IdentityProvider/"

// A Snapshot is what one configuration says about accounts. It is immutable and safe for concurrent use. The zero value is that of
// a command that has a database and no configuration: no providers, no users of a Secret, and the database is there to stay.
type Snapshot struct {
	providers map[string]*config.Provider // by "namespace/name"
	password  *config.Provider            // nil: password login is off
	secret    []Entry                     // users of the Secret, by ID
	byEmail   map[string]int              // folded, to the index in secret
	byName    map[string]int
	volatile  bool
	none      bool // there is no store
}

// NewSnapshot reads base. The function gives the subject of a user of the Secret, by e-mail address as listed.
func NewSnapshot(base *config.Base, subject func(email string) string) *Snapshot {
	s := &Snapshot{providers: make(map[string]*config.Provider, len(base.Providers))}
	s.none = base.Store.Type == config.StoreNone
	s.volatile = base.Store.Type == config.StoreEmbedded && !base.Store.Persistent
	for i := range base.Providers {
		p := &base.Providers[i]
		s.providers[providerName(p)] = p
		if p.Type == config.ProviderPassword && p.Password != nil && s.password == nil {
			s.password = p // validated: there is at most one
			s.readSecret(subject)
		}
	}
	return s
}

func (s *Snapshot) readSecret(subject func(email string) string) {
	for _, u := range s.password.Password.Users {
		s.secret = append(s.secret, Entry{
			ID: subject(u.Email), Organization: s.password.Organization, Username: u.Username, Email: u.Email, Name: u.Name,
			Groups: u.Groups, Source: SourceSecret, Provider: providerName(s.password),
		})
	}
	slices.SortFunc(s.secret, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	s.byEmail, s.byName = make(map[string]int, len(s.secret)), make(map[string]int, len(s.secret))
	for i, u := range s.secret {
		s.byEmail[fold.Name(u.Email)], s.byName[fold.Name(u.Username)] = i, i
	}
}

// Provider is the one that a user's Provider or EmailProvider ("namespace/name") stands for; nil if it is gone or disabled.
func (s *Snapshot) Provider(name string) *config.Provider { return s.providers[name] }

// Organization is that of users who are added without one; "" where they have to name it.
func (s *Snapshot) Organization() string {
	if s.password == nil {
		return ""
	}
	return s.password.Organization
}

// MinLength is how many characters a new password must have.
func (s *Snapshot) MinLength() int {
	if s.password == nil || s.password.Password.MinLength < leastMinLength {
		return DefaultMinLength
	}
	return s.password.Password.MinLength
}

// occupied tells whether a user of the Secret has the username, or logs in with it as the e-mail address, in that organization.
func (s *Snapshot) occupied(organization, folded string) bool {
	if s.password == nil || s.password.Organization != organization {
		return false
	}
	_, name := s.byName[folded]
	_, email := s.byEmail[folded]
	return name || email
}

// inSecret is the error for changes of a user of the Secret.
func (s *Snapshot) inSecret() error {
	return &ConflictError{"the user is one of a Secret: change the Secret that spec.password.usersSecretRef of IdentityProvider " + providerName(s.password) + " names"}
}

// providerName is "namespace/name".
func providerName(p *config.Provider) string { return strings.TrimPrefix(p.Object, objectPrefix) }
