// SPDX-License-Identifier: Apache-2.0

package login

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/refresh"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// familyData is what a family remembers of its login, as JSON in store.Family.Data.
type familyData struct {
	// Email is the folded address that the user was found by.
	Email string `json:"email"`
	// Credential is the SHA-256 of the hash that the password matched.
	Credential []byte `json:"credential"`
}

func (a *account) familyData() ([]byte, error) {
	data, err := json.Marshal(familyData{Email: Fold(a.user.Email), Credential: a.credential[:]})
	if err != nil {
		return nil, fmt.Errorf("encoding a refresh-token family: %w", err)
	}
	return data, nil
}

// Refresh uses a refresh token. The same token gets the same successor for store.Grace; later it revokes its family.
// Errors are ErrDisabled, ErrInvalidGrant, or a fault of store, signer or randomness; after a fault the token is unused.
func (s *Service) Refresh(ctx context.Context, snap *Snapshot, text string) (*Grant, error) {
	if !snap.store {
		return nil, ErrDisabled
	}
	used, err := refresh.Parse(text)
	if err != nil {
		return nil, ErrInvalidGrant
	}
	now := s.Now()
	family, err := s.Store.Family(ctx, used.Family(), now)
	if err != nil {
		return nil, refusal(err)
	}
	user, err := s.current(ctx, snap, &family, now)
	if err != nil {
		return nil, err
	}
	// Signing comes first: if it fails, the token is not used up.
	access, err := s.access(snap, user, now)
	if err != nil {
		return nil, err
	}
	next, expires, err := s.rotate(ctx, used, now, now.Add(snap.refreshLifetime))
	if err != nil {
		if errors.Is(err, store.ErrReused) {
			s.Log.WarnContext(ctx, "refresh token reused: family revoked", "subject", family.Owner)
		}
		return nil, refusal(err)
	}
	return &Grant{AccessToken: access, ExpiresIn: snap.accessLifetime, RefreshToken: next.Text(), RefreshExpiresIn: expires.Sub(now)}, nil
}

// current returns the family's user as configured now. A user who is gone or has another password loses the family.
func (s *Service) current(ctx context.Context, snap *Snapshot, f *store.Family, now time.Time) (*account, error) {
	if snap.directory == nil {
		return nil, ErrInvalidGrant // the provider may come back
	}
	var data familyData
	if err := json.Unmarshal(f.Data, &data); err != nil {
		return nil, errors.New("reading a refresh-token family: its data is not JSON")
	}
	user := snap.directory.accounts[data.Email]
	var reason string
	switch {
	case user == nil:
		reason = "the user is gone"
	case user.subject != f.Owner:
		return nil, ErrInvalidGrant // issued by another provider or under another externalURL, which may come back
	case !bytes.Equal(user.credential[:], data.Credential):
		reason = "the password hash changed"
	case !now.Before(f.IssuedAt.Add(snap.refreshLifetime)):
		reason = "refreshTokenLifetime was shortened"
	default:
		return user, nil
	}
	if err := s.Store.RevokeFamily(ctx, f.Key); err != nil {
		return nil, refusal(err)
	}
	s.Log.InfoContext(ctx, "refresh-token family revoked", "subject", f.Owner, "reason", reason)
	return nil, ErrInvalidGrant
}

// rotate makes a successor, or gets the one that an earlier use within the grace made.
func (s *Service) rotate(ctx context.Context, used refresh.Token, now, expires time.Time) (refresh.Token, time.Time, error) {
	next, err := used.Next(s.Random)
	if err != nil {
		return refresh.Token{}, time.Time{}, err
	}
	sealed, err := refresh.Seal(used, next, s.Random)
	if err != nil {
		return refresh.Token{}, time.Time{}, err
	}
	result, err := s.Store.Rotate(ctx, store.Rotation{
		Family: used.Family(), Used: used.Hash(), Successor: next.Hash(), Sealed: sealed, Now: now, ExpiresAt: expires,
	})
	if err != nil {
		return refresh.Token{}, time.Time{}, err
	}
	if result.Sealed != nil {
		if next, err = refresh.Open(used, result.Sealed); err != nil {
			return refresh.Token{}, time.Time{}, err
		}
	}
	return next, result.ExpiresAt, nil
}

// refusal turns a store's answer into what the client is told; faults stay what they are.
func refusal(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrReused):
		return ErrInvalidGrant
	case errors.Is(err, store.ErrNoStore):
		return ErrDisabled
	default:
		return err
	}
}
