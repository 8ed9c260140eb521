// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// database is what SQLite and PostgreSQL share: the records, in SQL that both understand. Placeholders are question marks.
type database struct {
	engine
	limits Limits
}

// errConflict marks faults that another transaction caused and that may not come again.
var errConflict = errors.New("conflict with another transaction")

// engine runs statements. It answers errors of this package, of the context, or of f.
type engine interface {
	// update runs f in a transaction, and again after a conflict with another one. An error of f rolls back.
	update(ctx context.Context, f func(*tx) error) error
	// change runs f, which is one statement, that may write.
	change(ctx context.Context, f func(*tx) error) error
	// view runs f, which only reads.
	view(ctx context.Context, f func(*tx) error) error
	// rotateAtOnce does a rotation in one statement and tells whether the used token was the current one. Engines that cannot do so tell false.
	rotateAtOnce(ctx context.Context, r Rotation) (bool, error)
}

// statements are run one after another, in the transaction or connection of a tx.
type statements interface {
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
}

// locks is how an engine that has several writers keeps them apart. Those of an engine with one writer do nothing.
type locks interface {
	// row is added to a SELECT whose rows this transaction is about to change, shared to one whose rows have to stay.
	row() string
	shared() string
	// names takes locks with these names until the transaction ends.
	names(t *tx, names ...string) error
	// sweeping tells whether this transaction is the one that removes expired rows.
	sweeping(t *tx) (bool, error)
}

// tx runs statements for one call of a method.
type tx struct {
	ctx context.Context
	on  statements
	locks
	// fault makes an error of this package of a driver's. None of a driver ever leaves a tx.
	fault func(error) error
	// conflict is the first fault after which a transaction can only be begun again.
	conflict error
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int, error) {
	result, err := t.on.exec(t.ctx, query, args)
	if err != nil {
		return 0, t.failed(err)
	}
	n, err := result.RowsAffected()
	return int(n), t.failed(err)
}

// get reads one row, or sql.ErrNoRows.
func (t *tx) get(query string, args []any, into ...any) error {
	found := false
	err := t.each(query, args, func(rows *sql.Rows) error {
		if found {
			return nil // only the first counts
		}
		found = true
		return rows.Scan(into...)
	})
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

// each reads rows.
func (t *tx) each(query string, args []any, row func(*sql.Rows) error) error {
	rows, err := t.on.query(t.ctx, query, args)
	if err != nil {
		return t.failed(err)
	}
	defer func() { _ = rows.Close() }() // what is wrong, rows.Err tells
	for rows.Next() {
		if err := row(rows); err != nil {
			return fmt.Errorf("reading a row: %w", err)
		}
	}
	return t.failed(rows.Err())
}

// failed turns a driver's error into a fault, and remembers a conflict: whatever the caller makes of it, the transaction is lost.
func (t *tx) failed(err error) error {
	if err == nil {
		return nil
	}
	err = t.fault(err)
	if t.conflict == nil && errors.Is(err, errConflict) {
		t.conflict = err
	}
	return err
}

// notFound turns the answer of get into that of a method.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// millis is how a time is kept; zero is never.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// optional is a hash, or null where it is zero.
func optional(h Hash) any {
	if h == (Hash{}) {
		return nil
	}
	return h[:]
}

// filled is data that is never null.
func filled(data []byte) []byte { return append([]byte{}, data...) }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// evicted bounds how many rows of an owner one insert removes; there is more than one only after the bound was lowered.
const evicted = 1000

// removed runs a statement that removes rows, as a change of its own.
func (d *database) removed(ctx context.Context, query string, args ...any) (n int, err error) {
	err = d.change(ctx, func(t *tx) error {
		n, err = t.exec(query, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("removing from the store: %w", err)
	}
	return n, nil
}
