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
func (s *SQLite) CreateFamily(ctx context.Context, f Family, keep int) error {
	if err := f.check(); err != nil {
		return err
	}
	return s.transact(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM refresh_families WHERE key IN
			(SELECT key FROM refresh_families WHERE owner = ? ORDER BY issued_at DESC, key LIMIT -1 OFFSET ?)`, f.Owner, max(0, keep-1))
		if err != nil {
			return fmt.Errorf("removing old refresh-token families: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO refresh_families (key, owner, data, current, created_at, issued_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?)`, f.Key[:], f.Owner, append([]byte{}, f.Data...), f.Current[:],
			f.CreatedAt.UnixMilli(), f.IssuedAt.UnixMilli(), f.ExpiresAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("storing a refresh-token family: %w", err)
		}
		return nil
	}, nil)
}

// Family implements Families.
func (s *SQLite) Family(ctx context.Context, key Hash, now time.Time) (Family, error) {
	f := Family{Key: key}
	var current []byte
	var created, issued, expires int64
	err := s.read.QueryRowContext(ctx, `SELECT owner, data, current, created_at, issued_at, expires_at
		FROM refresh_families WHERE key = ? AND expires_at > ?`, key[:], now.UnixMilli()).
		Scan(&f.Owner, &f.Data, &current, &created, &issued, &expires)
	if err != nil {
		return Family{}, fmt.Errorf("reading a refresh-token family: %w", s.typed(err))
	}
	copy(f.Current[:], current)
	f.CreatedAt, f.IssuedAt, f.ExpiresAt = time.UnixMilli(created), time.UnixMilli(issued), time.UnixMilli(expires)
	return f, nil
}

// Rotate implements Families.
func (s *SQLite) Rotate(ctx context.Context, r Rotation) (Rotated, error) {
	var result Rotated
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		result, err = rotate(ctx, tx, r)
		return err
	}, ErrReused)
	if err != nil {
		return Rotated{}, fmt.Errorf("using a refresh token: %w", s.typed(err))
	}
	return result, nil
}

func rotate(ctx context.Context, tx *sql.Tx, r Rotation) (Rotated, error) {
	var current []byte
	var expires int64
	err := tx.QueryRowContext(ctx, `SELECT current, expires_at FROM refresh_families WHERE key = ? AND expires_at > ?`,
		r.Family[:], r.Now.UnixMilli()).Scan(&current, &expires)
	if err != nil {
		return Rotated{}, err
	}
	if bytes.Equal(current, r.Used[:]) {
		return Rotated{ExpiresAt: r.ExpiresAt}, advance(ctx, tx, r)
	}
	var sealed []byte
	err = tx.QueryRowContext(ctx, `SELECT sealed FROM refresh_uses WHERE token = ? AND family = ? AND until > ?`,
		r.Used[:], r.Family[:], r.Now.UnixMilli()).Scan(&sealed)
	if err == nil {
		return Rotated{Sealed: sealed, ExpiresAt: time.UnixMilli(expires)}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return Rotated{}, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM refresh_families WHERE key = ?`, r.Family[:]); err != nil {
		return Rotated{}, err
	}
	return Rotated{}, ErrReused
}

// advance makes the successor current and remembers the use.
func advance(ctx context.Context, tx *sql.Tx, r Rotation) error {
	_, err := tx.ExecContext(ctx, `UPDATE refresh_families SET current = ?, issued_at = ?, expires_at = ? WHERE key = ?`,
		r.Successor[:], r.Now.UnixMilli(), r.ExpiresAt.UnixMilli(), r.Family[:])
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO refresh_uses (token, family, sealed, until) VALUES (?, ?, ?, ?)`,
		r.Used[:], r.Family[:], append([]byte{}, r.Sealed...), r.Now.Add(Grace).UnixMilli())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM refresh_uses WHERE token IN
		(SELECT token FROM refresh_uses WHERE family = ? ORDER BY until DESC, rowid DESC LIMIT -1 OFFSET ?)`, r.Family[:], MaxUses)
	return err
}

// RevokeFamily implements Families.
func (s *SQLite) RevokeFamily(ctx context.Context, key Hash) error {
	_, err := s.delete(ctx, `DELETE FROM refresh_families WHERE key = ?`, key[:])
	return err
}

// RevokeOwner implements Families.
func (s *SQLite) RevokeOwner(ctx context.Context, owner string) (int, error) {
	return s.delete(ctx, `DELETE FROM refresh_families WHERE owner = ?`, owner)
}

// Collect removes expired families and uses past their grace.
func (s *SQLite) Collect(ctx context.Context, now time.Time, limit int) (int, error) {
	uses, err := s.delete(ctx, `DELETE FROM refresh_uses WHERE token IN
		(SELECT token FROM refresh_uses WHERE until <= ? ORDER BY until LIMIT ?)`, now.UnixMilli(), limit)
	if err != nil || uses == limit {
		return uses, err
	}
	families, err := s.delete(ctx, `DELETE FROM refresh_families WHERE key IN
		(SELECT key FROM refresh_families WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`, now.UnixMilli(), limit-uses)
	return uses + families, err
}

func (s *SQLite) delete(ctx context.Context, query string, args ...any) (int, error) {
	result, err := s.write.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("removing from the store: %w", s.typed(err))
	}
	n, err := result.RowsAffected()
	return int(n), err
}
