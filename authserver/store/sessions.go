// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const sessionColumns = `key, owner, provider, upstream_session, upstream_subject, data, client, created_at, seen_at, expires_at`

// CreateSession implements Sessions.
func (d *database) CreateSession(ctx context.Context, s Session, keep int) error {
	if err := s.check(); err != nil {
		return err
	}
	err := d.update(ctx, func(t *tx) error {
		if err := t.names(t, "owner "+s.Owner); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM sessions WHERE key IN
			(SELECT key FROM sessions WHERE owner = ? ORDER BY seen_at DESC, key LIMIT ? OFFSET ?)`, s.Owner, evicted, max(0, keep-1))
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			s.Key[:], s.Owner, s.Provider, optional(s.UpstreamSession), optional(s.UpstreamSubject), filled(s.Data), s.Client,
			millis(s.CreatedAt), millis(s.SeenAt), millis(s.ExpiresAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a session: %w", err)
	}
	return nil
}

func scanSession(rows *sql.Rows) (Session, error) {
	var s Session
	var key, session, subject []byte
	var created, seen, expires int64
	err := rows.Scan(&key, &s.Owner, &s.Provider, &session, &subject, &s.Data, &s.Client, &created, &seen, &expires)
	copy(s.Key[:], key)
	copy(s.UpstreamSession[:], session)
	copy(s.UpstreamSubject[:], subject)
	s.CreatedAt, s.SeenAt, s.ExpiresAt = fromMillis(created), fromMillis(seen), fromMillis(expires)
	return s, err
}

// selectSessions reads sessions.
func (d *database) selectSessions(ctx context.Context, where string, args ...any) ([]Session, error) {
	var found []Session
	err := d.view(ctx, func(t *tx) error {
		found = nil
		return t.each(`SELECT `+sessionColumns+` FROM sessions WHERE `+where, args, func(rows *sql.Rows) error {
			s, err := scanSession(rows)
			found = append(found, s)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	return found, nil
}

// Session implements Sessions.
func (d *database) Session(ctx context.Context, key Hash, now time.Time) (Session, error) {
	found, err := d.selectSessions(ctx, `key = ? AND expires_at > ?`, key[:], now.UnixMilli())
	if err != nil {
		return Session{}, err
	}
	if len(found) == 0 {
		return Session{}, fmt.Errorf("reading a session: %w", ErrNotFound)
	}
	return found[0], nil
}

// OwnerSessions implements Sessions.
func (d *database) OwnerSessions(ctx context.Context, owner string, now time.Time) ([]Session, error) {
	if !storable(owner) {
		return nil, nil
	}
	return d.selectSessions(ctx, `owner = ? AND expires_at > ? ORDER BY seen_at DESC, key`, owner, now.UnixMilli())
}

// TouchSession implements Sessions.
func (d *database) TouchSession(ctx context.Context, key Hash, seen, expires time.Time) error {
	err := d.change(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE sessions SET seen_at = ?, expires_at = ? WHERE key = ? AND expires_at > ?`, seen.UnixMilli(), expires.UnixMilli(), key[:], seen.UnixMilli())
		if err == nil && n == 0 {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("noting that a session was seen: %w", err)
	}
	return nil
}

// ReplaceSessionData implements Sessions.
func (d *database) ReplaceSessionData(ctx context.Context, key Hash, old, data []byte) (replaced bool, err error) {
	if err := checkSize("session data", len(data), MaxSessionData); err != nil {
		return false, err
	}
	err = d.change(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE sessions SET data = ? WHERE key = ? AND data = ?`, filled(data), key[:], filled(old))
		replaced = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("replacing a session's data: %w", err)
	}
	return replaced, nil
}

// EndSession implements Sessions. The schema removes its families with it.
func (d *database) EndSession(ctx context.Context, key Hash) error {
	_, err := d.removed(ctx, `DELETE FROM sessions WHERE key = ?`, key[:])
	return err
}

// EndOwner implements Sessions.
func (d *database) EndOwner(ctx context.Context, owner string) (n int, err error) {
	err = d.update(ctx, func(t *tx) error {
		n, err = t.endOwner(owner)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ending the sessions of an owner: %w", err)
	}
	return n, nil
}

// endOwner removes what an owner has. Codes that were taken stay: should one be replayed, its family must not live.
func (t *tx) endOwner(owner string) (int, error) {
	if !storable(owner) {
		return 0, nil
	}
	if err := t.names(t, "owner "+owner); err != nil {
		return 0, err
	}
	families, err := t.exec(`DELETE FROM refresh_families WHERE owner = ?`, owner)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec(`DELETE FROM codes WHERE owner = ? AND family IS NULL`, owner); err != nil {
		return 0, err
	}
	sessions, err := t.exec(`DELETE FROM sessions WHERE owner = ?`, owner)
	return families + sessions, err
}

// EndUpstream implements Sessions.
func (d *database) EndUpstream(ctx context.Context, provider string, session, subject Hash) (int, error) {
	switch {
	case !storable(provider):
		return 0, nil
	case session != Hash{} && subject != Hash{}:
		return d.removed(ctx, `DELETE FROM sessions WHERE upstream_session = ? AND provider = ?
			OR upstream_subject = ? AND provider = ? AND upstream_session IS NULL`, session[:], provider, subject[:], provider)
	case session != Hash{}:
		return d.removed(ctx, `DELETE FROM sessions WHERE upstream_session = ? AND provider = ?`, session[:], provider)
	case subject != Hash{}:
		return d.removed(ctx, `DELETE FROM sessions WHERE upstream_subject = ? AND provider = ?`, subject[:], provider)
	default:
		return 0, nil // null is nobody's
	}
}
