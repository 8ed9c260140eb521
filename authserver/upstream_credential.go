// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
)

// upstreamPatience is how long a gateway waits for a token endpoint, as it does for a key set. Most ask for less.
const upstreamPatience = 5 * time.Second

// errNoCredential says that a policy names a credential which is not served: its provider is disabled, or not accepted at the moment.
var errNoCredential = errors.New("the IdentityProvider that spec.upstreamCredential names is not served: look at its conditions")

// upstreamToken returns the token of the credential that a policy of the snapshot names, from memory while there is one. The error's text is for administrators.
func upstreamToken(ctx context.Context, snap *snapshot, name string) (assertion.Token, error) {
	c := snap.credentials.Get(name)
	if c == nil {
		return assertion.Token{}, errNoCredential
	}
	return c.TokenWithin(ctx, upstreamPatience)
}

// addUpstream gives a request that was let in what the application gets in the place of the caller's token. Without it the request is refused: the application would
// take the caller's for it.
func (v *verdict) addUpstream(ctx context.Context) {
	token, err := upstreamToken(ctx, v.snap, v.Upstream)
	if err == nil {
		v.authorization = token.Authorization()
		return
	}
	after := time.Duration(0)
	if e := assertionError(err); e != nil {
		after = e.RetryAfter
	}
	v.Decision = v.WithoutCredential(err.Error(), after)
}

// assertionError is why a provider gave no token, nil where it is for another reason that there is none.
func assertionError(err error) *assertion.Error {
	e, ok := errors.AsType[*assertion.Error](err)
	if !ok {
		return nil
	}
	return e
}
