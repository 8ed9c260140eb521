// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/refresh"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

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
	var data familyData
	if err := json.Unmarshal(family.Data, &data); err != nil {
		return nil, errors.New("reading a refresh-token family: its data is not JSON")
	}
	account, err := s.current(ctx, snap, used, &family, &data)
	if err != nil {
		return nil, err
	}
	// Signing comes first: if it fails, the token is not used up.
	access, err := s.access(snap, account, data.ClientID, now)
	if err != nil {
		return nil, err
	}
	next, expires, err := s.rotate(ctx, used, now, now.Add(snap.refreshLifetime))
	if err != nil {
		if errors.Is(err, store.ErrReused) {
			s.Log.WarnContext(ctx, "refresh token reused: family revoked", "event", logs.EventFamilyRevoked, "user", family.Owner, "reason", "a token was used twice")
		}
		return nil, refusal(err)
	}
	return &Grant{AccessToken: access, ExpiresIn: snap.accessLifetime, RefreshToken: next.Text(), RefreshExpiresIn: expires.Sub(now)}, nil
}

// current returns the family's account as it is now, by configuration, store and, where there is one, provider. Who is gone,
// disabled or has another password loses the family.
func (s *Service) current(ctx context.Context, snap *Snapshot, used refresh.Token, f *store.Family, d *familyData) (*Account, error) {
	if d.Provider == "" && snap.directory != nil {
		d.Provider = snap.directory.provider // families of earlier versions know one provider only
	}
	a, err := s.Current(ctx, snap, d.Provider, f.Owner, d.Ref)
	if err == nil && !s.Now().Before(f.IssuedAt.Add(snap.refreshLifetime)) {
		err = &EndedError{Reason: "refreshTokenLifetime was shortened", Final: true}
	}
	if err == nil && s.Sessions != nil && f.Session != (store.Hash{}) {
		a, err = s.renew(ctx, snap, used, f, d, a)
	}
	ended, ok := errors.AsType[*EndedError](err)
	switch {
	case !ok && errors.Is(err, ErrEnded):
		ended = &EndedError{Reason: "the provider ended it", Final: true}
	case !ok:
		return a, err
	}
	if !ended.Final {
		return nil, ErrInvalidGrant // what it needs may come back
	}
	if err := s.Store.RevokeFamily(ctx, f.Key); err != nil {
		return nil, refusal(err)
	}
	s.Log.InfoContext(ctx, "refresh-token family revoked", "event", logs.EventFamilyRevoked, "user", f.Owner, "reason", ended.Reason)
	return nil, ErrInvalidGrant
}

// renew keeps the session of a login in use and, where there is a provider to ask, asks whether it goes on, and reads the account
// again: what the provider says of it now may have changed it.
func (s *Service) renew(ctx context.Context, snap *Snapshot, used refresh.Token, f *store.Family, d *familyData, a *Account) (*Account, error) {
	if d.Upstream == nil {
		return a, s.Sessions.Renew(ctx, snap, f.Session, nil)
	}
	sealing, err := used.FamilyKey()
	if err != nil {
		return nil, err
	}
	key, err := unseal(sealing, d.Upstream)
	if err != nil {
		return nil, err
	}
	if err := s.Sessions.Renew(ctx, snap, f.Session, key); err != nil {
		return nil, err
	}
	return s.Current(ctx, snap, d.Provider, f.Owner, d.Ref)
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

// Revoke ends the family of a refresh token (RFC 7009), used or not; any other text is no error. Sessions go on. Errors are
// ErrDisabled or a fault of the store.
func (s *Service) Revoke(ctx context.Context, snap *Snapshot, text string) error {
	if !snap.store {
		return ErrDisabled
	}
	token, err := refresh.Parse(text)
	if err != nil {
		return nil //nolint:nilerr // RFC 7009 §2.2: an invalid token is revoked already
	}
	if err := s.Store.RevokeFamily(ctx, token.Family()); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("revoking a refresh token: %w", err)
	}
	return nil
}
