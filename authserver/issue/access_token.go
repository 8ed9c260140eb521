// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Type is the typ of access tokens (RFC 9068 §2.1).
	Type = "at+jwt"
	// ClientID is the client_id where no client is known.
	ClientID = "gatehouse"
	// MaxLength is the longest token that the server accepts, and so the longest it makes, in bytes.
	MaxLength = 16 << 10
)

// GrantJWTBearer is the grant type of assertions (RFC 7523 §2.1), and the GrantType of tokens that were given for one.
const GrantJWTBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// Claims that package claims reads of own tokens, where each is explained: ClaimUsernameParts, ClaimGrantType, ClaimGrantedBy and ClaimHasGroups.
const (
	claimUsernameParts = "username_parts"
	claimGrantType     = "grant_type"
	claimGrantedBy     = "granted_by"
	claimHasGroups     = "hasgroups"
)

// ErrTooLarge says that a user's claims do not fit into a token.
var ErrTooLarge = errors.New("the access token would be longer than 16 KiB: shorten the user's list of groups")

// AccessToken is what an access token says (RFC 9068 §2.2). Issuer, Subject, Audience, Expiry, IssuedAt and ID are required.
type AccessToken struct {
	Issuer, Subject string
	Audience        []string
	// Expiry and IssuedAt are written in whole seconds.
	Expiry, IssuedAt time.Time
	ID               string
	// ClientID is "gatehouse" where no client is known.
	ClientID string
	// The rest is left out where empty.
	Organization, PreferredUsername, Email, Name string
	Groups                                       []string
	// UsernameParts are what PreferredUsername is joined from, where it is (claims.Person).
	UsernameParts []string
	// GroupsUnknown says that there are groups, or may be, that are not told here.
	GroupsUnknown bool
	// Scope is a list with spaces (RFC 9068 §2.2.3).
	Scope string
	// GrantType is empty for who logged in; else it is the grant, and GrantedBy the mark of the policy under which the token was given.
	GrantType, GrantedBy string
}

// Sign returns the signed token in compact form. The key is the one whose time it is at t.IssuedAt.
func (s *Signer) Sign(t *AccessToken) (string, error) {
	key, err := s.at(t.IssuedAt)
	if err != nil {
		return "", err
	}
	claims, err := t.claims()
	if err != nil {
		return "", err
	}
	token := jwt.NewWithClaims(key.method, claims)
	token.Header["typ"], token.Header["kid"] = Type, key.id
	signed, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("signing an access token with %s: %w", key.id, err)
	}
	if len(signed) > MaxLength {
		return "", ErrTooLarge
	}
	return signed, nil
}

func (t *AccessToken) claims() (jwt.MapClaims, error) {
	if t.Issuer == "" || t.Subject == "" || len(t.Audience) == 0 || t.ID == "" || t.ClientID == "" || !t.Expiry.After(t.IssuedAt) {
		return nil, errors.New("making an access token: iss, sub, aud, jti, client_id or a lifetime is missing")
	}
	claims := jwt.MapClaims{
		"iss": t.Issuer, "sub": t.Subject, "aud": t.Audience, "jti": t.ID, "client_id": t.ClientID,
		"exp": t.Expiry.Unix(), "iat": t.IssuedAt.Unix(),
	}
	for name, value := range map[string]string{
		"organization": t.Organization, "preferred_username": t.PreferredUsername, "email": t.Email, "name": t.Name, "scope": t.Scope,
		claimGrantType: t.GrantType, claimGrantedBy: t.GrantedBy,
	} {
		if value != "" {
			claims[name] = value
		}
	}
	if len(t.Groups) > 0 {
		claims["groups"] = t.Groups
	}
	if len(t.UsernameParts) > 0 {
		claims[claimUsernameParts] = t.UsernameParts
	}
	if t.GroupsUnknown {
		claims[claimHasGroups] = true
	}
	return claims, nil
}
