// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteEngine writes through one connection and reads through a few.
type sqliteEngine struct {
	writer *writer
	reader sqliteReader
	closed atomic.Bool
}

// sqliteReader prepares each statement once for all connections of its pool. Nothing that holds a connection prepares.
type sqliteReader struct {
	db  *sql.DB
	sql sync.Map // string to *sql.Stmt
}

func (e *sqliteEngine) update(ctx context.Context, f func(*tx) error) error {
	return e.typed(ctx, e.writer.do(ctx, f))
}

func (e *sqliteEngine) change(ctx context.Context, f func(*tx) error) error {
	return e.update(ctx, f)
}

func (e *sqliteEngine) view(ctx context.Context, f func(*tx) error) error {
	if e.closed.Load() {
		return ErrClosed
	}
	return e.typed(ctx, f(&tx{ctx: ctx, on: &e.reader, locks: oneWriter{}, fault: sqliteError}))
}

func (*sqliteEngine) rotateAtOnce(context.Context, Rotation) (bool, error) { return false, nil }

// typed prefers what the caller or Close did to what the driver made of it.
func (e *sqliteEngine) typed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case e.closed.Load():
		return ErrClosed
	default:
		return err
	}
}

// sqliteError marks errors of the disk, and of another process that keeps the file locked: what they stopped may work later.
func sqliteError(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) || errors.Is(err, ErrUnavailable) {
		return err
	}
	switch e.Code() & 0xff { // the rest says more, such as which call failed
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}

func (r *sqliteReader) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := r.sql.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	kept, loaded := r.sql.LoadOrStore(query, s)
	if loaded {
		return kept.(*sql.Stmt), s.Close()
	}
	return s, nil
}

func (r *sqliteReader) exec(context.Context, string, []any) (sql.Result, error) {
	return nil, errors.New("a read of the store tried to write")
}

func (r *sqliteReader) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	s, err := r.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}
