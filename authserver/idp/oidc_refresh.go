// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// refresh renews a login (OpenID Connect Core 1.0 §12). The claims are those of the new ID token, or of the last one where none is given, with a new
// answer of userinfo in either case.
func (o *oidc) refresh(ctx context.Context, u Upstream) (*Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, oidcTimeout)
	defer cancel()
	e, err := o.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	t, err := o.requestTokens(ctx, o.client, e.token, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {u.RefreshToken}})
	if err != nil {
		return nil, refused(err)
	}
	id, err := o.refreshed(ctx, u, t)
	if err != nil {
		return o.rotated(u, t, refused(err))
	}
	described := *t
	if t.RefreshToken == "" { // RFC 6749 §6: the old one goes on
		described.RefreshToken = u.RefreshToken
	}
	p, err := o.describe(ctx, e, id, &described)
	if err != nil {
		return o.rotated(u, t, refused(err))
	}
	return p, nil
}

// rotated saves what a refresh brought before it failed with err: the provider may have spent the old refresh token for the new one. There is no profile where
// the session ends, or goes on with what it has.
func (d *deps) rotated(u Upstream, t *tokens, err error) (*Profile, error) {
	if t.RefreshToken == "" || t.RefreshToken == u.RefreshToken || errors.Is(err, ErrEnded) {
		return nil, err
	}
	u.keep(t, d.now())
	return &Profile{Upstream: u}, err
}

// refreshed returns the ID token that holds from now on: the new one, which must be of the same issuer, subject and audience (OpenID Connect Core 1.0 §12.2),
// or the last one.
func (o *oidc) refreshed(ctx context.Context, u Upstream, t *tokens) (*idToken, error) {
	last, err := o.lastIDToken(u)
	if err != nil {
		return nil, err
	}
	if t.IDToken == "" {
		if last == nil {
			return nil, refuse(ReasonIDTokenMissing, "tokenEndpoint: a refresh brought no id_token, and the last one was too long to keep")
		}
		return last, nil
	}
	id, err := o.readIDToken(ctx, t.IDToken, t.AccessToken)
	if err != nil {
		return nil, err
	}
	if id.issuer != u.Issuer || id.claims.Subject != u.Subject {
		return nil, refuse(ReasonIDTokenSubject, "the ID token of a refresh is of another issuer or sub than the login's")
	}
	if last != nil {
		if last.claims.Issuer != id.claims.Issuer || !sameStrings(last.claims.Audience, id.claims.Audience) {
			return nil, refuse(ReasonIDTokenAudience, "the ID token of a refresh has another iss or aud than the login's")
		}
		if id.claims.Nonce != "" && id.claims.Nonce != last.claims.Nonce {
			return nil, refuse(ReasonNonce, "the ID token of a refresh has another nonce than the login's")
		}
	}
	return id, nil
}

// lastIDToken reads the ID token that was kept, nil if none was. It was verified when it came, and has been sealed since: only its time may have passed.
func (o *oidc) lastIDToken(u Upstream) (*idToken, error) {
	if u.IDToken == "" {
		return nil, nil
	}
	parts := strings.Split(u.IDToken, ".")
	if len(parts) != 3 {
		return nil, refuse(ReasonIDToken, "the ID token that was kept cannot be read")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, refuse(ReasonIDToken, "the ID token that was kept cannot be read")
	}
	claims, err := token.ReadClaims(payload)
	if err != nil || claims.Subject != u.Subject || o.identityIssuer(claims) != u.Issuer {
		return nil, refuse(ReasonIDToken, "the ID token that was kept is not the login's")
	}
	return &idToken{u.IDToken, claims, u.Issuer}, nil
}

// sameStrings tells whether both hold the same, in any order.
func sameStrings(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}
