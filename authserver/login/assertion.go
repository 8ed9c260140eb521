// SPDX-License-Identifier: Apache-2.0

package login

import (
	"cmp"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/issue"
)

// Asserted is somebody for whom a tenant's assertion vouches (RFC 7523 §2.1). They are no user of the directory: there is nobody to ask about them later, so they
// get an access token and nothing to renew it with.
type Asserted struct {
	// Subject is the sub of the token, Organization the tenant.
	Subject, Organization string
	Username              string
	// UsernameParts are what Username is joined from, nil where it is not.
	UsernameParts []string
	Email         string
	Groups        []string
	// GroupsUnknown says that they are in groups, or may be, that the assertion did not tell.
	GroupsUnknown bool
	// GrantedBy is the mark of the policy that took the assertion: without that policy the token is worth nothing here.
	GrantedBy string
	// ClientID is who asked; empty stands for issue.ClientID. Scope is a list with spaces.
	ClientID, Scope string
}

// maxAssertedLifetime bounds the life of an access token for an assertion, whatever accessTokenLifetime is: nobody can be asked whether its issuer still vouches
// for it, so it does not live longer than the longest assertion (RFC 7521 §4.1).
const maxAssertedLifetime = time.Hour

// AssertedToken signs an access token for a, and returns it with its jti. Errors are issue.ErrTooLarge, or faults of signer or randomness.
func (s *Service) AssertedToken(snap *Snapshot, a *Asserted, now time.Time) (g *Grant, id string, err error) {
	if id, err = s.tokenID(); err != nil {
		return nil, "", err
	}
	lifetime := min(snap.accessLifetime, maxAssertedLifetime)
	access, err := snap.signer.Sign(&issue.AccessToken{
		Issuer: snap.issuer, Subject: a.Subject, Audience: snap.audience,
		IssuedAt: now, Expiry: now.Add(lifetime), ID: id, ClientID: cmp.Or(a.ClientID, issue.ClientID),
		Organization: a.Organization, PreferredUsername: a.Username, UsernameParts: a.UsernameParts, Email: a.Email, Groups: a.Groups, Scope: a.Scope,
		GroupsUnknown: a.GroupsUnknown, GrantType: issue.GrantJWTBearer, GrantedBy: a.GrantedBy,
	})
	if err != nil {
		return nil, "", err
	}
	return &Grant{AccessToken: access, ExpiresIn: lifetime, Scope: a.Scope}, id, nil
}
