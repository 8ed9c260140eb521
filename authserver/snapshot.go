// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"github.com/gatehouse-auth/gatehouse/authserver/credential"
	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// snapshot is everything that requests are decided by. It is immutable: a change makes a new one.
type snapshot struct {
	policies *policy.Set
	// credentials are the tokens for other people's APIs.
	credentials *credential.Set
	// mapped are the names of the headers that policies map, canonical; names are all of the answer's, for Envoy.
	mapped []string
	names  *extauthz.Names
	// login is what logins are decided by. Its signer has no keys where the server signs nothing.
	login *login.Snapshot
	// site is what browsers meet.
	site *site
	// tenantSeries is how many tenants have time series of their own.
	tenantSeries int
	// serving is the SHA-256, in hex, of each file that the snapshot was made from.
	serving map[string]string
}
