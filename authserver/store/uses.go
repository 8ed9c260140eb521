// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// useShards is how many rows count the uses of one scope. Transactions that count in the same row wait for each other.
const useShards = 64

// Use implements Uses. The bound holds for each shard by itself: identifiers are hashes, and fall on all of them alike.
func (d *database) Use(ctx context.Context, scope string, id Hash, now, until time.Time) error {
	if err := checkText("the scope of a use", scope, MaxText); err != nil {
		return err
	}
	err := d.update(ctx, func(t *tx) error { return t.use(scope, id, now, until, d.limits.UsesOfScope) })
	if err != nil {
		return fmt.Errorf("noting a use: %w", err)
	}
	return nil
}

// Used implements Uses.
func (d *database) Used(ctx context.Context, scope string, id Hash, now time.Time) (used bool, err error) {
	err = d.view(ctx, func(t *tx) error {
		var n int
		err := t.get(`SELECT COUNT(*) FROM uses WHERE scope = ? AND id = ? AND until > ?`, []any{scope, id[:], now.UnixMilli()}, &n)
		used = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking up a use: %w", err)
	}
	return used, nil
}

func shardOf(id []byte) int64 { return int64(id[0]) % useShards }

// use changes the row first and its count second, as forgetUses does, so that the two never wait for each other.
func (t *tx) use(scope string, id Hash, now, until time.Time, most int) error {
	n, err := t.exec(`INSERT INTO uses (scope, id, until) VALUES (?, ?, ?) ON CONFLICT (scope, id) DO NOTHING`, scope, id[:], until.UnixMilli())
	if err != nil {
		return err
	}
	if n == 0 { // in place of one whose time has come and that was not swept yet
		n, err := t.exec(`UPDATE uses SET until = ? WHERE scope = ? AND id = ? AND until <= ?`, until.UnixMilli(), scope, id[:], now.UnixMilli())
		if err == nil && n == 0 {
			return ErrReused
		}
		return err
	}
	n, err = t.exec(`INSERT INTO use_counts (scope, shard, n) VALUES (?, ?, 1)
		ON CONFLICT (scope, shard) DO UPDATE SET n = use_counts.n + 1 WHERE use_counts.n < ?`, scope, shardOf(id[:]), max(1, most/useShards))
	if err == nil && n == 0 {
		return ErrFull
	}
	return err
}

// shard names a row of use_counts.
type shard struct {
	scope  string
	number int64
}

// forgetUses removes at most limit uses whose time has come.
func (t *tx) forgetUses(now time.Time, limit int) (int, error) {
	removed := map[shard]int{}
	total := 0
	err := t.each(`DELETE FROM uses WHERE (scope, id) IN (SELECT scope, id FROM uses WHERE until <= ? ORDER BY until LIMIT ?) RETURNING scope, id`,
		[]any{now.UnixMilli(), limit}, func(rows *sql.Rows) error {
			var scope string
			var id []byte
			err := rows.Scan(&scope, &id)
			if err == nil {
				removed[shard{scope, shardOf(id)}]++
				total++
			}
			return err
		})
	if err != nil {
		return 0, err
	}
	for _, s := range sortedShards(removed) {
		if _, err := t.exec(`UPDATE use_counts SET n = n - ? WHERE scope = ? AND shard = ?`, removed[s], s.scope, s.number); err != nil {
			return 0, err
		}
	}
	return total, nil
}

func sortedShards(of map[shard]int) []shard {
	sorted := make([]shard, 0, len(of))
	for s := range of {
		sorted = append(sorted, s)
	}
	slices.SortFunc(sorted, func(a, b shard) int {
		if a.scope != b.scope {
			if a.scope < b.scope {
				return -1
			}
			return 1
		}
		return int(a.number - b.number)
	})
	return sorted
}
