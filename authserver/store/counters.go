// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MaxCounterKeys bounds the counters of one call, in number.
const MaxCounterKeys = 16

// Counters implements Counters.
func (d *database) Counters(ctx context.Context, keys []CounterKey, now time.Time) (found []Counter, err error) {
	if err := checkKeys(keys); err != nil || len(keys) == 0 {
		return nil, err
	}
	err = d.view(ctx, func(t *tx) error {
		found, err = t.counters(keys, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading counters: %w", err)
	}
	return found, nil
}

// EditCounters implements Counters.
func (d *database) EditCounters(ctx context.Context, keys []CounterKey, now time.Time, f func([]Counter)) error {
	if err := checkKeys(keys); err != nil || len(keys) == 0 {
		return err
	}
	err := d.update(ctx, func(t *tx) error {
		if err := t.names(t, groupsOf(keys)...); err != nil {
			return err
		}
		counters, err := t.counters(keys, now)
		if err != nil {
			return err
		}
		before := append([]Counter{}, counters...)
		f(counters)
		return t.putCounters(keys, before, counters, now)
	})
	if err != nil {
		return fmt.Errorf("changing counters: %w", err)
	}
	return nil
}

// ForgetCounters implements Counters.
func (d *database) ForgetCounters(ctx context.Context, group Hash) (n int, err error) {
	err = d.update(ctx, func(t *tx) error {
		if err := t.names(t, groupsOf([]CounterKey{{Group: group}})...); err != nil {
			return err
		}
		n, err = t.exec(`DELETE FROM counters WHERE grp = ?`, group[:])
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forgetting counters: %w", err)
	}
	return n, nil
}

func checkKeys(keys []CounterKey) error {
	if len(keys) > MaxCounterKeys {
		return fmt.Errorf("the store was asked for %d counters at once; at most %d are allowed", len(keys), MaxCounterKeys)
	}
	seen := make(map[CounterKey]bool, len(keys))
	for _, k := range keys {
		if err := checkText("the part of a counter", k.Part, 64); err != nil {
			return err
		}
		if seen[k] {
			return errors.New("the store was asked for one counter twice in one call")
		}
		seen[k] = true
	}
	return nil
}

// groupsOf are the names of locks: a counter that does not exist yet has no row that could be locked.
func groupsOf(keys []CounterKey) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = "counters " + string(k.Group[:])
	}
	return names
}

// counters reads all keys in one statement.
func (t *tx) counters(keys []CounterKey, now time.Time) ([]Counter, error) {
	place := make(map[CounterKey]int, len(keys))
	args := make([]any, 0, 3*len(keys))
	for i, k := range keys {
		place[k] = i
		args = append(args, k.Group[:], k.Part, now.UnixMilli())
	}
	found := make([]Counter, len(keys))
	or := strings.Repeat(" OR (grp = ? AND part = ? AND expires_at > ?)", len(keys))[len(" OR "):]
	err := t.each(`SELECT grp, part, failures, locks, since, until, known, expires_at FROM counters WHERE `+or, args, func(rows *sql.Rows) error {
		var group []byte
		var k CounterKey
		var c Counter
		var since, until, known, expires int64
		if err := rows.Scan(&group, &k.Part, &c.Failures, &c.Locks, &since, &until, &known, &expires); err != nil {
			return err
		}
		copy(k.Group[:], group)
		c.Since, c.Until, c.Known, c.ExpiresAt = fromMillis(since), fromMillis(until), fromMillis(known), fromMillis(expires)
		found[place[k]] = c
		return nil
	})
	return found, err
}

// putCounters writes those that changed. One that is zero, or over, is removed.
func (t *tx) putCounters(keys []CounterKey, before, after []Counter, now time.Time) error {
	var args []any
	for i, c := range after {
		switch {
		case c == before[i]:
		case c == Counter{} || !c.ExpiresAt.After(now):
			if _, err := t.exec(`DELETE FROM counters WHERE grp = ? AND part = ?`, keys[i].Group[:], keys[i].Part); err != nil {
				return err
			}
		default:
			args = append(args, keys[i].Group[:], keys[i].Part, c.Failures, c.Locks, millis(c.Since), millis(c.Until), millis(c.Known), millis(c.ExpiresAt))
		}
	}
	if len(args) == 0 {
		return nil
	}
	rows := strings.Repeat(", (?, ?, ?, ?, ?, ?, ?, ?)", len(args)/8)[len(", "):]
	_, err := t.exec(`INSERT INTO counters (grp, part, failures, locks, since, until, known, expires_at) VALUES `+rows+`
		ON CONFLICT (grp, part) DO UPDATE SET failures = excluded.failures, locks = excluded.locks, since = excluded.since,
		until = excluded.until, known = excluded.known, expires_at = excluded.expires_at`, args...)
	return err
}
