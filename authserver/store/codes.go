// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"
)

// CodeMemory is how long a code that was taken is remembered after its end, so that a replay just before it still stops a
// family that is created just after it.
const CodeMemory = 10 * time.Minute

// PutCode implements Codes.
func (d *database) PutCode(ctx context.Context, c Code, keep int) error {
	if err := c.check(); err != nil {
		return err
	}
	err := d.update(ctx, func(t *tx) error {
		if err := t.names(t, "owner "+c.Owner); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM codes WHERE key IN
			(SELECT key FROM codes WHERE owner = ? ORDER BY expires_at DESC, key LIMIT ? OFFSET ?)`, c.Owner, evicted, max(0, keep-1))
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO codes (key, owner, session, data, replayed, expires_at, forget_at) VALUES (?, ?, ?, ?, 0, ?, ?)`,
			c.Key[:], c.Owner, optional(c.Session), filled(c.Data), c.ExpiresAt.UnixMilli(), c.ExpiresAt.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("storing an authorization code: %w", err)
	}
	return nil
}

// TakeCode implements Codes.
func (d *database) TakeCode(ctx context.Context, key, family Hash, now time.Time) (Code, error) {
	var c Code
	var reused bool
	err := d.update(ctx, func(t *tx) (err error) {
		c, reused, err = t.takeCode(key, family, now)
		return err
	})
	if err == nil && reused {
		err = ErrReused
	}
	if err != nil {
		return Code{}, fmt.Errorf("taking an authorization code: %w", err)
	}
	return c, nil
}

// takeCode tells whether the code was taken before. It marks it then and removes its family, both of which have to be
// committed: CreateFamily looks for the mark, and one of the two waits for the other.
func (t *tx) takeCode(key, family Hash, now time.Time) (_ Code, reused bool, _ error) {
	c := Code{Key: key}
	var session, taken []byte
	var expires int64
	err := t.get(`SELECT owner, session, data, family, expires_at FROM codes WHERE key = ? AND expires_at > ?`+t.row(),
		[]any{key[:], now.UnixMilli()}, &c.Owner, &session, &c.Data, &taken, &expires)
	if err != nil {
		return Code{}, false, notFound(err)
	}
	if taken != nil {
		if _, err := t.exec(`UPDATE codes SET replayed = 1 WHERE key = ?`, key[:]); err != nil {
			return Code{}, false, err
		}
		_, err := t.exec(`DELETE FROM refresh_families WHERE key = ?`, taken)
		return Code{}, true, err
	}
	copy(c.Session[:], session)
	c.ExpiresAt = fromMillis(expires)
	_, err = t.exec(`UPDATE codes SET family = ?, data = ?, forget_at = ? WHERE key = ?`,
		family[:], []byte{}, c.ExpiresAt.Add(CodeMemory).UnixMilli(), key[:])
	return c, false, err
}
