// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/credential"
	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// swap makes the snapshot.
func (l *loader) swap(in inputs, serving map[string]string) {
	own := policy.Own{
		Issuer:   in.base.ExternalURL,
		Audience: in.base.Tokens.Audience,
		Keys:     jwk.NewSet(in.signer.Keys()...),
	}
	policies, err := policy.NewSet(own, in.shards...)
	if err != nil {
		// Cannot happen: the set is whole, and all of it was compiled for one Outbound.
		for name := range serving {
			l.files[name].err = err
		}
		return
	}
	var logins *login.Snapshot
	var browsers *site
	if l.current != nil && l.made.base == in.base && l.made.signer == in.signer {
		logins, browsers = l.current.login, l.current.site
	} else {
		logins = login.NewSnapshot(in.base, in.signer, l.decoys)
		if browsers, err = l.sites.make(in.base, logins); err != nil { // a provider of a later version; the rest readBase has checked
			l.at(config.FileBase).err = err
			return
		}
	}
	next := &snapshot{login: logins, site: browsers, policies: policies, credentials: l.makeCredentials(in.shards), serving: serving, mapped: policies.HeaderNames(), tenantSeries: in.base.Monitoring.TenantSeries}
	next.names = extauthz.NewNames(next.mapped)
	l.made, l.current = in, next
}

// makeCredentials makes the credentials of all shards. Those that did not change keep their tokens.
func (l *loader) makeCredentials(shards []*policy.Shard) *credential.Set {
	var list []policy.Credential
	for _, shard := range shards {
		list = append(list, shard.Credentials()...)
	}
	var old *credential.Set
	if l.current != nil {
		old = l.current.credentials
	}
	reach := l.outbound()
	return credential.NewSet(old, list, outbound.Profile{AllowedCIDRs: reach.AllowedCIDRs, CABundle: reach.CABundle}, &l.credentials)
}
