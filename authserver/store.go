// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	// openInterval is the shortest time between the end of one attempt to open a store and the next.
	openInterval = 5 * time.Second
	// openWait is how long a request waits for an attempt under way.
	openWait = 5 * time.Second
	// closeWait is how long the end of a server waits for one.
	closeWait = time.Second
)

var errOpening = fmt.Errorf("%w: opening it takes longer than %s", store.ErrUnavailable, openWait)

// storePlace is where a store is: the Embedded one's directory, "" for memory, or PostgreSQL's connection string and CA bundle.
type storePlace struct{ dir, dsn, caBundle string }

// lateStore is a store that is opened when it is first needed, and again later if that fails: a disk that is away, or
// hangs, stops logins, not the server. Servers without a store never open one.
type lateStore struct {
	dir  string // of the Embedded store
	now  func() time.Time
	log  *slog.Logger
	open func(ctx context.Context, at storePlace) (store.Store, error)

	ctx    context.Context // ends with close
	cancel context.CancelFunc

	mu   sync.Mutex // never held while a disk is waited for
	at   storePlace
	last *opening // nil before the first
}

// opening is one attempt. Its fields may be read when done is closed.
type opening struct {
	done  chan struct{}
	store store.Store
	err   error
	next  time.Time // after an error: when there may be another attempt
}

// retry tells whether the attempt is over, has failed, and another one may be made.
func (o *opening) retry() bool {
	select {
	case <-o.done:
		return o.err != nil && !time.Now().Before(o.next)
	default:
		return false
	}
}

func newLateStore(dir string, now func() time.Time, log *slog.Logger) *lateStore {
	s := &lateStore{dir: dir, now: now, log: log, at: storePlace{dir: dir}, open: openStore}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func openStore(ctx context.Context, at storePlace) (store.Store, error) {
	if at.dsn != "" {
		return nonNil(store.OpenPostgreSQL(ctx, at.dsn, store.WithCABundle(at.caBundle)))
	}
	return nonNil(store.OpenSQLite(ctx, at.dir))
}

// nonNil keeps a nil pointer from being a Store that is not nil.
func nonNil[T store.Store](opened T, err error) (store.Store, error) {
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// use says by which store the configuration wants to be served: PostgreSQL at dsn, or with "" the Embedded one. Another than before
// is opened when it is first needed, and that of before closed.
func (s *lateStore) use(dsn, caBundle string) {
	at := storePlace{dir: s.dir}
	if dsn != "" {
		at = storePlace{dsn: dsn, caBundle: caBundle}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at == s.at {
		return
	}
	old := s.last
	s.at, s.last = at, nil
	if old != nil {
		go s.leave(old)
	}
}

// leave closes a store that is not used any more; who is at it meets store.ErrClosed at worst.
func (s *lateStore) leave(o *opening) {
	<-o.done
	if o.store == nil {
		return
	}
	if err := o.store.Close(); err != nil {
		s.log.Warn("closing the store of before", "error", err)
	}
}

// get returns the open store. It begins to open it where nobody has, and waits for that, but not for ever.
func (s *lateStore) get(ctx context.Context) (store.Store, error) {
	if s.ctx.Err() != nil {
		return nil, store.ErrClosed
	}
	o := s.attempt()
	ctx, cancel := context.WithTimeoutCause(ctx, openWait, errOpening)
	defer cancel()
	select {
	case <-s.ctx.Done():
		return nil, store.ErrClosed
	case <-o.done:
		return o.store, o.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// attempt returns the attempt that counts now: the last one, or a new one.
func (s *lateStore) attempt() *opening {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || s.last.retry() {
		s.last = &opening{done: make(chan struct{})}
		go s.run(s.last, s.at)
	}
	return s.last
}

// run opens the store. One that opens after the end is closed again.
func (s *lateStore) run(o *opening, at storePlace) {
	defer close(o.done)
	opened, err := s.open(s.ctx, at)
	if err != nil {
		o.err, o.next = fmt.Errorf("%w: opening it: %w", store.ErrUnavailable, err), time.Now().Add(openInterval)
		return
	}
	if s.ctx.Err() != nil {
		o.err = errors.Join(store.ErrClosed, opened.Close())
		return
	}
	o.store = opened
	go store.KeepClean(s.ctx, opened, s.now, s.log)
}

// close ends the store for good.
func (s *lateStore) close() {
	s.cancel()
	s.mu.Lock()
	o := s.last
	s.mu.Unlock()
	if o == nil {
		return
	}
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-o.done:
	case <-timer.C:
		return // a disk that hangs: run closes what it opens
	}
	if o.store != nil {
		if err := o.store.Close(); err != nil {
			s.log.Warn("closing the store", "error", err)
		}
	}
}

// prepare opens the store ahead of the first login, so that a failure is told early. It does not wait.
func (s *lateStore) prepare() {
	go func() {
		if _, err := s.get(s.ctx); err != nil && !errors.Is(err, store.ErrClosed) && s.ctx.Err() == nil {
			s.log.Error("the store cannot be opened; logins are refused until it can", "event", logs.EventStoreFailed, "error", err)
		}
	}()
}
