// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// CreateFamily implements Families.
func (d *database) CreateFamily(ctx context.Context, f Family, keep int) error {
	if err := f.check(); err != nil {
		return err
	}
	err := d.update(ctx, func(t *tx) error {
		if err := t.names(t, "owner "+f.Owner); err != nil {
			return err
		}
		if err := t.mayCreate(f); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM refresh_families WHERE key IN
			(SELECT key FROM refresh_families WHERE owner = ? ORDER BY issued_at DESC, key LIMIT ? OFFSET ?)`, f.Owner, evicted, max(0, keep-1))
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO refresh_families (key, owner, session, data, current, created_at, issued_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, f.Key[:], f.Owner, optional(f.Session), filled(f.Data), f.Current[:],
			f.CreatedAt.UnixMilli(), f.IssuedAt.UnixMilli(), f.ExpiresAt.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a refresh-token family: %w", err)
	}
	return nil
}

// mayCreate refuses a family whose code was taken twice meanwhile, or whose session has ended. Both stay as they are until the transaction ends.
func (t *tx) mayCreate(f Family) error {
	var replayed int64
	err := t.get(`SELECT replayed FROM codes WHERE family = ? ORDER BY replayed DESC LIMIT 1`+t.shared(), []any{f.Key[:]}, &replayed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if replayed != 0 {
		return ErrReused
	}
	if f.Session == (Hash{}) {
		return nil
	}
	var one int64
	return notFound(t.get(`SELECT 1 FROM sessions WHERE key = ? AND expires_at > ?`+t.shared(), []any{f.Session[:], f.IssuedAt.UnixMilli()}, &one))
}

// Family implements Families.
func (d *database) Family(ctx context.Context, key Hash, now time.Time) (Family, error) {
	f := Family{Key: key}
	err := d.view(ctx, func(t *tx) error {
		var current, session []byte
		var created, issued, expires int64
		err := t.get(`SELECT owner, session, data, current, created_at, issued_at, expires_at FROM refresh_families WHERE key = ? AND expires_at > ?`,
			[]any{key[:], now.UnixMilli()}, &f.Owner, &session, &f.Data, &current, &created, &issued, &expires)
		copy(f.Current[:], current)
		copy(f.Session[:], session)
		f.CreatedAt, f.IssuedAt, f.ExpiresAt = time.UnixMilli(created), time.UnixMilli(issued), time.UnixMilli(expires)
		return notFound(err)
	})
	if err != nil {
		return Family{}, fmt.Errorf("reading a refresh-token family: %w", err)
	}
	return f, nil
}

// Rotate implements Families.
func (d *database) Rotate(ctx context.Context, r Rotation) (Rotated, error) {
	done, err := d.rotateAtOnce(ctx, r)
	if err == nil && done {
		return Rotated{ExpiresAt: r.ExpiresAt}, nil
	}
	var result Rotated
	var reused bool
	if err == nil {
		err = d.update(ctx, func(t *tx) (err error) {
			result, reused, err = t.rotate(r)
			return err
		})
	}
	if err == nil && reused {
		err = ErrReused
	}
	if err != nil {
		return Rotated{}, fmt.Errorf("using a refresh token: %w", err)
	}
	return result, nil
}

// rotate tells whether the token was used too often; the family is removed then, which has to be committed.
func (t *tx) rotate(r Rotation) (_ Rotated, reused bool, _ error) {
	if advanced, err := t.advance(r); err != nil || advanced {
		return Rotated{ExpiresAt: r.ExpiresAt}, false, err
	}
	var current []byte
	var expires int64
	err := t.get(`SELECT current, expires_at FROM refresh_families WHERE key = ? AND expires_at > ?`+t.row(),
		[]any{r.Family[:], r.Now.UnixMilli()}, &current, &expires)
	if err != nil {
		return Rotated{}, false, notFound(err)
	}
	if bytes.Equal(current, r.Used[:]) { // made current since; now nobody else can
		_, err := t.advance(r)
		return Rotated{ExpiresAt: r.ExpiresAt}, false, err
	}
	var sealed []byte
	err = t.get(`SELECT sealed FROM refresh_uses WHERE token = ? AND family = ? AND until > ?`,
		[]any{r.Used[:], r.Family[:], r.Now.UnixMilli()}, &sealed)
	if err == nil {
		return Rotated{Sealed: sealed, ExpiresAt: time.UnixMilli(expires)}, false, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return Rotated{}, false, err
	}
	_, err = t.exec(`DELETE FROM refresh_families WHERE key = ?`, r.Family[:])
	return Rotated{}, true, err
}

// advance makes the successor current and remembers the use, if the used token is the current one.
func (t *tx) advance(r Rotation) (bool, error) {
	var uses int64
	err := t.get(`UPDATE refresh_families SET current = ?, issued_at = ?, expires_at = ?, uses = uses + 1
		WHERE key = ? AND current = ? AND expires_at > ? RETURNING uses`,
		[]any{r.Successor[:], r.Now.UnixMilli(), r.ExpiresAt.UnixMilli(), r.Family[:], r.Used[:], r.Now.UnixMilli()}, &uses)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = t.exec(`INSERT INTO refresh_uses (token, family, sealed, until, number) VALUES (?, ?, ?, ?, ?)`,
		r.Used[:], r.Family[:], filled(r.Sealed), r.Now.Add(Grace).UnixMilli(), uses)
	if err != nil || uses <= MaxUses {
		return true, err
	}
	_, err = t.exec(`DELETE FROM refresh_uses WHERE family = ? AND number <= ?`, r.Family[:], uses-MaxUses)
	return true, err
}

// RevokeFamily implements Families.
func (d *database) RevokeFamily(ctx context.Context, key Hash) error {
	_, err := d.removed(ctx, `DELETE FROM refresh_families WHERE key = ?`, key[:])
	return err
}

// RevokeOwner implements Families.
func (d *database) RevokeOwner(ctx context.Context, owner string) (int, error) {
	if !storable(owner) {
		return 0, nil
	}
	return d.removed(ctx, `DELETE FROM refresh_families WHERE owner = ?`, owner)
}
