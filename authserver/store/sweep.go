// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"
)

// sweeps remove at most limit rows that are over at now, each from an index by time.
var sweeps = []string{
	`DELETE FROM refresh_uses WHERE token IN (SELECT token FROM refresh_uses WHERE until <= ? ORDER BY until LIMIT ?)`,
	`DELETE FROM refresh_families WHERE key IN (SELECT key FROM refresh_families WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
	`DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
	`DELETE FROM codes WHERE key IN (SELECT key FROM codes WHERE forget_at <= ? ORDER BY forget_at LIMIT ?)`,
	`DELETE FROM counters WHERE (grp, part) IN (SELECT grp, part FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
}

// Collect implements Store. Each kind of row has a transaction of its own, so that requests wait for little of it.
// Where another replica is at it, nothing is left to do.
func (d *database) Collect(ctx context.Context, now time.Time, limit int) (int, error) {
	steps := make([]func(t *tx, left int) (int, error), 0, len(sweeps)+2)
	for _, query := range sweeps {
		steps = append(steps, func(t *tx, left int) (int, error) { return t.exec(query, now.UnixMilli(), left) })
	}
	steps = append(steps,
		func(t *tx, left int) (int, error) { return t.forgetUses(now, left) },
		func(t *tx, left int) (int, error) { return t.evictCounters(d.limits.Counters, left) })
	total := 0
	for _, step := range steps {
		if total >= limit {
			break
		}
		n := 0
		err := d.update(ctx, func(t *tx) (err error) {
			if mine, err := t.sweeping(t); err != nil || !mine {
				return err
			}
			n, err = step(t, limit-total)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("removing from the store: %w", err)
		}
		total += n
	}
	return total, nil
}

// evictCounters removes at most limit of the counters beyond the bound, those that end first. It reads the index up to the
// bound, which no request has to wait for.
func (t *tx) evictCounters(most, limit int) (int, error) {
	var beyond int64
	if err := t.get(`SELECT count(*) FROM (SELECT 1 FROM counters ORDER BY expires_at DESC LIMIT ? OFFSET ?) AS beyond`, []any{limit, most}, &beyond); err != nil {
		return 0, err
	}
	if beyond == 0 {
		return 0, nil
	}
	return t.exec(`DELETE FROM counters WHERE (grp, part) IN (SELECT grp, part FROM counters ORDER BY expires_at LIMIT ?)`, beyond)
}
