// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/fold"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// linkable finds the known user whom an unknown identity belongs to, or nil. A mistake here gives one person another's account, so all of this has to hold:
//
//   - the provider links, and says of the address that it is verified;
//   - the user's address is the same mailbox (sameMailbox): the store finds users by folded address, under which other mailboxes lie, too;
//   - a provider that links too, of the same organization and in force now, has said that of the user's address;
//   - the user came from a provider: never an administrator's user, nor one who has a password (those of a Secret are in no store);
//   - the user has no other account at this provider: two accounts of one address there are two people, for instance since the address was given to another;
//   - there is only one such user.
//
// The user may be disabled: the caller refuses then, since a new account would let in somebody who was shut out.
func linkable(tx store.UserTx, snap *Snapshot, p *config.Provider, in *Login) (*store.User, error) {
	if p.Linking != config.LinkingVerifiedEmail || !in.EmailVerified || fold.Name(in.Email) == "" {
		return nil, nil
	}
	users, err := tx.UsersByEmail(in.Email)
	if err != nil {
		return nil, err
	}
	var found *store.User
	for i := range users {
		u := &users[i]
		if !sameMailbox(u.Email, in.Email) || !snap.vouched(u, p.Organization) {
			continue
		}
		identities, err := tx.Identities(u.ID)
		if err != nil {
			return nil, err
		}
		at := func(i store.Identity) bool { return i.Provider == providerName(p) }
		if len(identities) >= store.MaxIdentities || slices.ContainsFunc(identities, at) {
			continue
		}
		if found != nil {
			return nil, nil
		}
		found = u
	}
	return found, nil
}

// sameMailbox tells whether two addresses are the same but for the case of ASCII letters. Nothing else is equal: straße@ and strasse@, or a full-width bob@ and
// bob@, are different mailboxes (RFC 6532), whose owners are different people. Case alone is folded although RFC 5321 §2.4 leaves it to the host: no
// host is known that has two people behind it, and providers change it.
func sameMailbox(a, b string) bool { return asciiLower(a) == asciiLower(b) }

func asciiLower(s string) string {
	lower := []byte(s)
	for i, c := range lower {
		if 'A' <= c && c <= 'Z' {
			lower[i] = c + ('a' - 'A')
		}
	}
	return string(lower)
}

// vouched tells whether a user's address can be trusted as much as that of the login.
func (s *Snapshot) vouched(u *store.User, organization string) bool {
	if u.Provider == "" || u.PasswordHash != "" || !u.EmailVerified || u.Organization != organization {
		return false
	}
	by := s.Provider(u.EmailProvider)
	return by != nil && by.Linking == config.LinkingVerifiedEmail && by.Organization == organization
}
