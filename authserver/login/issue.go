// SPDX-License-Identifier: Apache-2.0

package login

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/refresh"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Issue says how tokens are issued; its zero value is a login without a browser.
type Issue struct {
	// Session is the browser's session that the refresh tokens end with; zero for none.
	Session store.Hash
	// ClientID is the tokens' client_id; empty stands for issue.ClientID.
	ClientID string
	// Upstream is the key that opens what the session keeps of the provider's tokens; nil for none. It is stored sealed, and
	// only who holds a refresh token of the family gets at it.
	Upstream []byte
}

// A Grant is what a client gets.
type Grant struct {
	AccessToken      string
	ExpiresIn        time.Duration
	RefreshToken     string
	RefreshExpiresIn time.Duration
	// Scope is the access token's, a list with spaces; empty for logins, which have none.
	Scope string
}

// Issue issues the first tokens of a new family. Errors are ErrInvalidGrant where the session has ended, or faults of store, signer
// or randomness.
func (s *Service) Issue(ctx context.Context, snap *Snapshot, a *Account, i Issue) (*Grant, error) {
	first, err := refresh.New(s.Random)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, snap, a, i, first)
}

// begin issues an access token, and first as the beginning of a new family.
func (s *Service) begin(ctx context.Context, snap *Snapshot, a *Account, i Issue, first refresh.Token) (*Grant, error) {
	now := s.Now()
	access, err := s.access(snap, a, i.ClientID, now)
	if err != nil {
		return nil, err
	}
	data, err := s.familyData(a, i, first)
	if err != nil {
		return nil, err
	}
	err = s.Store.CreateFamily(ctx, store.Family{
		Key: first.Family(), Owner: a.Subject, Session: i.Session, Data: data, Current: first.Hash(),
		CreatedAt: now, IssuedAt: now, ExpiresAt: now.Add(snap.refreshLifetime),
	}, MaxFamilies)
	if err != nil {
		return nil, refusal(err) // the session has ended meanwhile, or the code was used again
	}
	return &Grant{AccessToken: access, ExpiresIn: snap.accessLifetime, RefreshToken: first.Text(), RefreshExpiresIn: snap.refreshLifetime}, nil
}

// familyData is what a family remembers of its login, as JSON in store.Family.Data.
type familyData struct {
	Ref
	// Provider is Account.Provider.
	Provider string `json:"provider,omitempty"`
	ClientID string `json:"client,omitempty"`
	// Upstream is Issue.Upstream, sealed under the family's key.
	Upstream []byte `json:"upstream,omitempty"`
}

func (s *Service) familyData(a *Account, i Issue, first refresh.Token) ([]byte, error) {
	d := familyData{Ref: a.Ref, Provider: a.Provider, ClientID: i.ClientID}
	if i.Upstream != nil {
		key, err := first.FamilyKey()
		if err != nil {
			return nil, err
		}
		if d.Upstream, err = seal(key, i.Upstream, s.Random); err != nil {
			return nil, err
		}
	}
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding a refresh-token family: %w", err)
	}
	return data, nil
}

// AccessToken signs an access token for a, and says when it expires.
func (s *Service) AccessToken(snap *Snapshot, a *Account, now time.Time) (token string, expires time.Time, err error) {
	token, err = s.access(snap, a, "", now)
	return token, now.Add(snap.accessLifetime), err
}

func (s *Service) access(snap *Snapshot, a *Account, client string, now time.Time) (string, error) {
	id, err := s.tokenID()
	if err != nil {
		return "", err
	}
	return snap.signer.Sign(&issue.AccessToken{
		Issuer: snap.issuer, Subject: a.Subject, Audience: snap.audience,
		IssuedAt: now, Expiry: now.Add(snap.accessLifetime), ID: id, ClientID: cmp.Or(client, issue.ClientID),
		Organization: a.Organization, PreferredUsername: a.Username, Email: a.Email, Name: a.Name, Groups: a.Groups,
	})
}

// tokenID makes a token's jti.
func (s *Service) tokenID() (string, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, id); err != nil {
		return "", fmt.Errorf("making a token's ID: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(id), nil
}
