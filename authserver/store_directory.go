// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var _ login.Store = (*lateStore)(nil)

// with calls f with the part of the open store that it wants.
func with[Part, Result any](ctx context.Context, s *lateStore, f func(Part) (Result, error)) (Result, error) {
	var none Result
	st, err := s.get(ctx)
	if err != nil {
		return none, err
	}
	part, ok := st.(Part)
	if !ok {
		return none, store.ErrNoStore
	}
	return f(part)
}

// do is with for what has no result.
func do[Part any](ctx context.Context, s *lateStore, f func(Part) error) error {
	_, err := with(ctx, s, func(p Part) (struct{}, error) { return struct{}{}, f(p) })
	return err
}

// User implements [store.Users].
func (s *lateStore) User(ctx context.Context, id string) (store.User, error) {
	return with(ctx, s, func(p store.Users) (store.User, error) { return p.User(ctx, id) })
}

// PasswordUser implements [store.Users].
func (s *lateStore) PasswordUser(ctx context.Context, email string) (store.User, error) {
	return with(ctx, s, func(p store.Users) (store.User, error) { return p.PasswordUser(ctx, email) })
}

// ListUsers implements [store.Users].
func (s *lateStore) ListUsers(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	return with(ctx, s, func(p store.Users) ([]store.User, error) { return p.ListUsers(ctx, q) })
}

// Identities implements [store.Users].
func (s *lateStore) Identities(ctx context.Context, user string) ([]store.Identity, error) {
	return with(ctx, s, func(p store.Users) ([]store.Identity, error) { return p.Identities(ctx, user) })
}

// EditUsers implements [store.Users].
func (s *lateStore) EditUsers(ctx context.Context, organization string, f func(store.UserTx) error) error {
	return do(ctx, s, func(p store.Users) error { return p.EditUsers(ctx, organization, f) })
}

// RecordLogin implements [store.Users].
func (s *lateStore) RecordLogin(ctx context.Context, id string, at time.Time, old, hash string) error {
	return do(ctx, s, func(p store.Users) error { return p.RecordLogin(ctx, id, at, old, hash) })
}

// Session implements [store.Sessions].
func (s *lateStore) Session(ctx context.Context, key store.Hash, now time.Time) (store.Session, error) {
	return with(ctx, s, func(p store.Sessions) (store.Session, error) { return p.Session(ctx, key, now) })
}

// PutCode implements [store.Codes].
func (s *lateStore) PutCode(ctx context.Context, c store.Code, keep int) error {
	return do(ctx, s, func(p store.Codes) error { return p.PutCode(ctx, c, keep) })
}

// TakeCode implements [store.Codes].
func (s *lateStore) TakeCode(ctx context.Context, key, family store.Hash, now time.Time) (store.Code, error) {
	return with(ctx, s, func(p store.Codes) (store.Code, error) { return p.TakeCode(ctx, key, family, now) })
}

// Counters implements [store.Counters].
func (s *lateStore) Counters(ctx context.Context, keys []store.CounterKey, now time.Time) ([]store.Counter, error) {
	return with(ctx, s, func(p store.Counters) ([]store.Counter, error) { return p.Counters(ctx, keys, now) })
}

// EditCounters implements [store.Counters].
func (s *lateStore) EditCounters(ctx context.Context, keys []store.CounterKey, now time.Time, f func([]store.Counter)) error {
	return do(ctx, s, func(p store.Counters) error { return p.EditCounters(ctx, keys, now, f) })
}

// ForgetCounters implements [store.Counters].
func (s *lateStore) ForgetCounters(ctx context.Context, group store.Hash) (int, error) {
	return with(ctx, s, func(p store.Counters) (int, error) { return p.ForgetCounters(ctx, group) })
}
