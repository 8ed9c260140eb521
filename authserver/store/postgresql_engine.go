// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// tries is how often a call is begun that conflicts with others, backoff the longest pause before the second time.
	tries   = 8
	backoff = 8 * time.Millisecond
)

// postgresEngine runs each call on one connection, which it takes while the caller waits and uses to the end once it has it: a
// statement that is broken off costs the connection, and anybody can break off requests.
type postgresEngine struct {
	db      *sql.DB
	queries sync.Map // string with question marks to string with numbers
	closed  atomic.Bool
}

// numbered turns placeholders into PostgreSQL's. No statement of this package has a question mark otherwise.
func (e *postgresEngine) numbered(query string) string {
	if known, ok := e.queries.Load(query); ok {
		return known.(string)
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	e.queries.Store(query, b.String())
	return b.String()
}

func (e *postgresEngine) update(ctx context.Context, f func(*tx) error) error {
	return e.repeat(ctx, func(ctx context.Context, conn *sql.Conn) error {
		begun, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}) // whatever the server's default is
		if err != nil {
			return postgresFault(err)
		}
		defer func() { _ = begun.Rollback() }() // after Commit it does nothing
		t := &tx{ctx: ctx, on: pgStatements{begun, e}, locks: advisory{}, fault: postgresFault}
		err = f(t)
		if t.conflict != nil {
			return t.conflict
		}
		if err != nil {
			return err
		}
		if err := begun.Commit(); err != nil {
			return fmt.Errorf("committing: %w", postgresFault(err))
		}
		return nil
	})
}

func (e *postgresEngine) change(ctx context.Context, f func(*tx) error) error {
	return e.view(ctx, f)
}

func (e *postgresEngine) view(ctx context.Context, f func(*tx) error) error {
	return e.repeat(ctx, func(ctx context.Context, conn *sql.Conn) error {
		return f(&tx{ctx: ctx, on: pgStatements{conn, e}, locks: advisory{}, fault: postgresFault})
	})
}

// repeat runs f again after conflicts, and on a fresh connection after one that was dead before anything was sent.
func (e *postgresEngine) repeat(ctx context.Context, f func(context.Context, *sql.Conn) error) error {
	for try := 0; ; try++ {
		err := e.once(ctx, f)
		if !errors.Is(err, errConflict) || try == tries-1 {
			return err
		}
		timer := time.NewTimer(rand.N(backoff << try)) //nolint:gosec // spreads rivals, guards nothing
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

func (e *postgresEngine) once(ctx context.Context, f func(context.Context, *sql.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.closed.Load() {
		return ErrClosed
	}
	waiting, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	conn, err := e.db.Conn(waiting)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case e.closed.Load():
		return ErrClosed
	default:
		return postgresFault(err)
	}
	defer func() { _ = conn.Close() }() // gives it back to the pool
	running, cancelRun := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancelRun()
	return f(running, conn)
}

// rotateAtOnce is advance in one statement, and so in one round trip and without a transaction that waits for this process.
func (e *postgresEngine) rotateAtOnce(ctx context.Context, r Rotation) (done bool, err error) {
	err = e.change(ctx, func(t *tx) error {
		var uses int64
		err := t.get(`WITH f AS (UPDATE refresh_families SET current = ?, issued_at = ?, expires_at = ?, uses = uses + 1
				WHERE key = ? AND current = ? AND expires_at > ? RETURNING key, uses),
			d AS (DELETE FROM refresh_uses WHERE family = ? AND number <= (SELECT uses FROM f) - ?),
			u AS (INSERT INTO refresh_uses (token, family, sealed, until, number) SELECT ?::bytea, key, ?::bytea, ?::bigint, uses FROM f)
			SELECT uses FROM f`,
			[]any{
				r.Successor[:], r.Now.UnixMilli(), r.ExpiresAt.UnixMilli(), r.Family[:], r.Used[:], r.Now.UnixMilli(),
				r.Family[:], MaxUses, r.Used[:], filled(r.Sealed), r.Now.Add(Grace).UnixMilli(),
			}, &uses)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		done = err == nil
		return err
	})
	return done, err
}

// advisory are locks of names and rows.
type advisory struct{}

func (advisory) row() string    { return " FOR UPDATE" }
func (advisory) shared() string { return " FOR SHARE" }

// names takes locks in one order everywhere. Names that share a number wait for each other needlessly, and that is all.
func (advisory) names(t *tx, names ...string) error {
	args := make([]any, 0, len(names))
	numbers := make([]int64, 0, len(names))
	for _, name := range names {
		numbers = append(numbers, lockNumber(name))
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		args = append(args, n)
	}
	_, err := t.exec("SELECT "+strings.Repeat(", pg_advisory_xact_lock(?)", len(args))[len(", "):], args...)
	return err
}

func (advisory) sweeping(t *tx) (mine bool, _ error) {
	err := t.get("SELECT pg_try_advisory_xact_lock(?)", []any{lockNumber("sweep")}, &mine)
	return mine, err
}

// lockNumber is this store's number for a name, unlikely to be that of another program in the database.
func lockNumber(name string) int64 {
	sum := sha256.Sum256([]byte("gatehouse store: " + name))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}
