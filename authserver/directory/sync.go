// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// synchronise makes a known user what the provider says now, and returns the names of what changed. An attribute that the provider maps and leaves empty
// is emptied, unless the login is partial; one that it does not map is not its business. Groups stay. The username is that of the provider at which the
// user was made: a linked provider does not rename anybody, else two providers would rename a user with each login, and applications see two people.
func synchronise(u *store.User, p *config.Provider, in *Login) (changed []string) {
	set := func(field string, mapped config.Source, has *string, says string) {
		if (says != "" || !mapped.Zero() && !in.Partial) && *has != says {
			*has = says
			changed = append(changed, field)
		}
	}
	m := mappings(p)
	set("name", m.Name, &u.Name, in.Name)
	set("phone", m.Phone, &u.Phone, in.Phone)
	set("comment", m.Comment, &u.Comment, in.Comment)
	verified, by := vouching(p, in)
	unsaid := in.Email == "" || sameMailbox(u.Email, in.Email) && !verified && !in.EmailDenied // the address, or whether it is verified
	if (in.Email != "" || !m.Email.Zero()) && !(in.Partial && unsaid) {
		if u.Email != in.Email || u.EmailVerified != verified || u.EmailDenied() != in.EmailDenied {
			changed = append(changed, "email")
		}
		u.Email, u.EmailVerified, u.EmailProvider = in.Email, verified, by
	}
	return changed
}

// vouching is whether the login's address is verified, and by whom. One that is said not to be has a provider, too (store.User.EmailDenied).
func vouching(p *config.Provider, in *Login) (verified bool, by string) {
	if in.Email == "" || !in.EmailVerified && !in.EmailDenied {
		return false, ""
	}
	return in.EmailVerified && !in.EmailDenied, providerName(p)
}

func mappings(p *config.Provider) *config.ProviderMappings {
	if p.Mappings == nil {
		return new(config.ProviderMappings)
	}
	return p.Mappings
}
