// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// snapshot is everything that requests are decided by. It is immutable: a change makes a new one.
type snapshot struct {
	base     *config.Base
	policies *policy.Set
	// signer holds the own signing keys; it has none where the server signs nothing.
	signer *issue.Signer
	// serving is the SHA-256, in hex, of each file that the snapshot was made from.
	serving map[string]string
}
