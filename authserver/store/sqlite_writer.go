// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

const (
	// batch is how many callers one transaction of the writer serves at most.
	batch = 128
	// queued is how many may wait for their turn without being asked whether they still want it.
	queued = 256
)

// writer is the one goroutine that writes. Callers who come while the disk is waited for share the next transaction, and so
// the next wait; each is undone by itself if it fails, and none hears of its success before the commit.
type writer struct {
	conn  *sql.Conn
	sql   map[string]*sql.Stmt
	jobs  chan *job
	stop  chan struct{}
	once  sync.Once
	ended chan struct{}
}

// job is one caller's change. The writer claims it when its turn comes; a caller who gives up claims it before that.
type job struct {
	f       func(*tx) error
	claimed atomic.Bool
	done    chan struct{}
	err     error
	panics  any // what f panicked with, for the caller to do the same
}

func newWriter(conn *sql.Conn) *writer {
	w := &writer{
		conn: conn, sql: map[string]*sql.Stmt{}, jobs: make(chan *job, queued), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.run()
	return w
}

// do has the writer run f in a transaction. It waits for a change that has begun, whatever becomes of ctx: its outcome is known then.
func (w *writer) do(ctx context.Context, f func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{f: f, done: make(chan struct{})}
	select {
	case <-w.stop:
		return ErrClosed
	default:
	}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.ended:
		return ErrClosed
	}
	select {
	case <-j.done:
	case <-ctx.Done():
		if j.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		<-j.done
	case <-w.ended:
		if j.claimed.CompareAndSwap(false, true) {
			return ErrClosed
		}
		<-j.done
	}
	if j.panics != nil {
		panic(j.panics)
	}
	return j.err
}

// close lets the transaction under way finish. Those who wait for the next are told that the store is closed.
func (w *writer) close() error {
	w.once.Do(func() { close(w.stop) })
	<-w.ended
	return w.conn.Close()
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case <-w.stop:
			return
		case first := <-w.jobs:
			w.commit(w.gather(first))
		}
	}
}

// gather claims the first job and those that came meanwhile.
func (w *writer) gather(next *job) []*job {
	var jobs []*job
	for {
		if next.claimed.CompareAndSwap(false, true) {
			jobs = append(jobs, next)
		}
		if len(jobs) == batch {
			return jobs
		}
		select {
		case next = <-w.jobs:
		default:
			return jobs
		}
	}
}

// commit runs jobs in one transaction and tells their callers.
func (w *writer) commit(jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	if err := w.transact(jobs); err != nil {
		for _, j := range jobs {
			if j.err == nil {
				j.err = err
			}
		}
	}
	for _, j := range jobs {
		close(j.done)
	}
}

// transact answers an error if nothing of the transaction is kept. The context is nobody's: an interrupted statement would undo all.
func (w *writer) transact(jobs []*job) error {
	ctx := context.Background()
	if err := w.control(ctx, "BEGIN IMMEDIATE"); err != nil {
		return sqliteError(err)
	}
	changed := false
	for _, j := range jobs {
		if err := w.one(ctx, j, len(jobs) > 1); err != nil {
			_ = w.control(ctx, "ROLLBACK") // the error before it is the one to tell
			return sqliteError(err)
		}
		changed = changed || j.err == nil
	}
	if !changed {
		return sqliteError(w.control(ctx, "ROLLBACK"))
	}
	if err := w.control(ctx, "COMMIT"); err != nil {
		_ = w.control(ctx, "ROLLBACK") // a failed commit may leave the transaction open
		return fmt.Errorf("committing: %w", sqliteError(err))
	}
	return nil
}

// one runs a job within a savepoint if others share the transaction. It answers an error if it cannot be undone by itself.
func (w *writer) one(ctx context.Context, j *job, shared bool) error {
	if shared {
		if err := w.control(ctx, "SAVEPOINT job"); err != nil {
			return err
		}
	}
	if j.err = j.run(&tx{ctx: ctx, on: w, locks: oneWriter{}, fault: sqliteError}); j.err != nil {
		if !shared {
			return nil // and transact rolls back
		}
		if err := w.control(ctx, "ROLLBACK TO job"); err != nil {
			return err
		}
	}
	if !shared {
		return nil
	}
	return w.control(ctx, "RELEASE job")
}

func (j *job) run(t *tx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			j.panics, err = v, errors.New("a change of the store panicked")
		}
	}()
	return j.f(t)
}

func (w *writer) control(ctx context.Context, statement string) error {
	_, err := w.exec(ctx, statement, nil)
	return err
}

// prepare keeps each statement it was given: they are constants of this package, and few.
func (w *writer) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.sql[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.sql[query] = s
	return s, nil
}

func (w *writer) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	s, err := w.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (w *writer) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	s, err := w.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// oneWriter needs no locks.
type oneWriter struct{}

func (oneWriter) row() string                { return "" }
func (oneWriter) shared() string             { return "" }
func (oneWriter) names(*tx, ...string) error { return nil }
func (oneWriter) sweeping(*tx) (bool, error) { return true, nil }
