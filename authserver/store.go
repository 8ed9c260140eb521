// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// openInterval is the shortest time between two attempts to open a store.
const openInterval = 5 * time.Second

// lateStore is a store that is opened when it is first needed, and again later if that fails: a disk that is away
// stops logins, not the server. Servers without a store never open one.
type lateStore struct {
	dir string // "": in memory
	now func() time.Time
	log *slog.Logger

	ctx    context.Context // ends with close
	cancel context.CancelFunc

	mu   sync.Mutex
	open store.Store
	err  error     // of the last attempt
	next time.Time // when the next one may be made
}

var _ store.Families = (*lateStore)(nil)

func newLateStore(dir string, now func() time.Time, log *slog.Logger) *lateStore {
	s := &lateStore{dir: dir, now: now, log: log}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// get returns the open store.
func (s *lateStore) get() (store.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return nil, store.ErrClosed
	case s.open != nil:
		return s.open, nil
	case time.Now().Before(s.next):
		return nil, s.err
	}
	opened, err := store.OpenSQLite(s.ctx, s.dir)
	if err != nil {
		s.err, s.next = fmt.Errorf("opening the store: %w", err), time.Now().Add(openInterval)
		return nil, s.err
	}
	s.open, s.err = opened, nil
	go store.KeepClean(s.ctx, opened, s.now, s.log)
	return opened, nil
}

// close ends the store for good.
func (s *lateStore) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		if err := s.open.Close(); err != nil {
			s.log.Warn("closing the store", "error", err)
		}
	}
}

// prepare opens the store ahead of the first login, so that a failure is told early.
func (s *lateStore) prepare() {
	if _, err := s.get(); err != nil && !errors.Is(err, store.ErrClosed) {
		s.log.Error("the store cannot be opened; logins are refused until it can", "event", "store.failed", "error", err)
	}
}

// CreateFamily implements [store.Families].
func (s *lateStore) CreateFamily(ctx context.Context, f store.Family, keep int) error {
	st, err := s.get()
	if err != nil {
		return err
	}
	return st.CreateFamily(ctx, f, keep)
}

// Family implements [store.Families].
func (s *lateStore) Family(ctx context.Context, key store.Hash, now time.Time) (store.Family, error) {
	st, err := s.get()
	if err != nil {
		return store.Family{}, err
	}
	return st.Family(ctx, key, now)
}

// Rotate implements [store.Families].
func (s *lateStore) Rotate(ctx context.Context, r store.Rotation) (store.Rotated, error) {
	st, err := s.get()
	if err != nil {
		return store.Rotated{}, err
	}
	return st.Rotate(ctx, r)
}

// RevokeFamily implements [store.Families].
func (s *lateStore) RevokeFamily(ctx context.Context, key store.Hash) error {
	st, err := s.get()
	if err != nil {
		return err
	}
	return st.RevokeFamily(ctx, key)
}

// RevokeOwner implements [store.Families].
func (s *lateStore) RevokeOwner(ctx context.Context, owner string) (int, error) {
	st, err := s.get()
	if err != nil {
		return 0, err
	}
	return st.RevokeOwner(ctx, owner)
}
