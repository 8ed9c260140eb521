// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

var (
	_ login.Store     = (*lateStore)(nil)
	_ directory.Store = (*lateStore)(nil)
	_ store.Uses      = (*lateStore)(nil)
)

// with calls f with the open store.
func with[Result any](ctx context.Context, s *lateStore, f func(store.Store) (Result, error)) (Result, error) {
	st, err := s.get(ctx)
	if err != nil {
		var none Result
		return none, err
	}
	return f(st)
}

// do is with for what has no result.
func (s *lateStore) do(ctx context.Context, f func(store.Store) error) error {
	st, err := s.get(ctx)
	if err != nil {
		return err
	}
	return f(st)
}

// CreateFamily implements [store.Families].
func (s *lateStore) CreateFamily(ctx context.Context, f store.Family, keep int) error {
	return s.do(ctx, func(st store.Store) error { return st.CreateFamily(ctx, f, keep) })
}

// Family implements [store.Families].
func (s *lateStore) Family(ctx context.Context, key store.Hash, now time.Time) (store.Family, error) {
	return with(ctx, s, func(st store.Store) (store.Family, error) { return st.Family(ctx, key, now) })
}

// Rotate implements [store.Families].
func (s *lateStore) Rotate(ctx context.Context, r store.Rotation) (store.Rotated, error) {
	return with(ctx, s, func(st store.Store) (store.Rotated, error) { return st.Rotate(ctx, r) })
}

// RevokeFamily implements [store.Families].
func (s *lateStore) RevokeFamily(ctx context.Context, key store.Hash) error {
	return s.do(ctx, func(st store.Store) error { return st.RevokeFamily(ctx, key) })
}

// RevokeOwner implements [store.Families].
func (s *lateStore) RevokeOwner(ctx context.Context, owner string) (int, error) {
	return with(ctx, s, func(st store.Store) (int, error) { return st.RevokeOwner(ctx, owner) })
}

// User implements [store.Users].
func (s *lateStore) User(ctx context.Context, id string) (store.User, error) {
	return with(ctx, s, func(st store.Store) (store.User, error) { return st.User(ctx, id) })
}

// PasswordUser implements [store.Users].
func (s *lateStore) PasswordUser(ctx context.Context, email string) (store.User, error) {
	return with(ctx, s, func(st store.Store) (store.User, error) { return st.PasswordUser(ctx, email) })
}

// ListUsers implements [store.Users].
func (s *lateStore) ListUsers(ctx context.Context, q store.UserQuery) ([]store.User, error) {
	return with(ctx, s, func(st store.Store) ([]store.User, error) { return st.ListUsers(ctx, q) })
}

// Identities implements [store.Users].
func (s *lateStore) Identities(ctx context.Context, user string) ([]store.Identity, error) {
	return with(ctx, s, func(st store.Store) ([]store.Identity, error) { return st.Identities(ctx, user) })
}

// EditUsers implements [store.Users].
func (s *lateStore) EditUsers(ctx context.Context, organization string, f func(store.UserTx) error) error {
	return s.do(ctx, func(st store.Store) error { return st.EditUsers(ctx, organization, f) })
}

// RecordLogin implements [store.Users].
func (s *lateStore) RecordLogin(ctx context.Context, id string, at time.Time, old, hash string) error {
	return s.do(ctx, func(st store.Store) error { return st.RecordLogin(ctx, id, at, old, hash) })
}

// CreateSession implements [store.Sessions].
func (s *lateStore) CreateSession(ctx context.Context, v store.Session, keep int) error {
	return s.do(ctx, func(st store.Store) error { return st.CreateSession(ctx, v, keep) })
}

// Session implements [store.Sessions].
func (s *lateStore) Session(ctx context.Context, key store.Hash, now time.Time) (store.Session, error) {
	return with(ctx, s, func(st store.Store) (store.Session, error) { return st.Session(ctx, key, now) })
}

// TouchSession implements [store.Sessions].
func (s *lateStore) TouchSession(ctx context.Context, key store.Hash, seen, expires time.Time) error {
	return s.do(ctx, func(st store.Store) error { return st.TouchSession(ctx, key, seen, expires) })
}

// ReplaceSessionData implements [store.Sessions].
func (s *lateStore) ReplaceSessionData(ctx context.Context, key store.Hash, old, data []byte) (bool, error) {
	return with(ctx, s, func(st store.Store) (bool, error) { return st.ReplaceSessionData(ctx, key, old, data) })
}

// OwnerSessions implements [store.Sessions].
func (s *lateStore) OwnerSessions(ctx context.Context, owner string, now time.Time) ([]store.Session, error) {
	return with(ctx, s, func(st store.Store) ([]store.Session, error) { return st.OwnerSessions(ctx, owner, now) })
}

// EndSession implements [store.Sessions].
func (s *lateStore) EndSession(ctx context.Context, key store.Hash) error {
	return s.do(ctx, func(st store.Store) error { return st.EndSession(ctx, key) })
}

// EndOwner implements [store.Sessions].
func (s *lateStore) EndOwner(ctx context.Context, owner string) (int, error) {
	return with(ctx, s, func(st store.Store) (int, error) { return st.EndOwner(ctx, owner) })
}

// EndUpstream implements [store.Sessions].
func (s *lateStore) EndUpstream(ctx context.Context, provider string, session, subject store.Hash) (int, error) {
	return with(ctx, s, func(st store.Store) (int, error) { return st.EndUpstream(ctx, provider, session, subject) })
}

// PutCode implements [store.Codes].
func (s *lateStore) PutCode(ctx context.Context, c store.Code, keep int) error {
	return s.do(ctx, func(st store.Store) error { return st.PutCode(ctx, c, keep) })
}

// TakeCode implements [store.Codes].
func (s *lateStore) TakeCode(ctx context.Context, key, family store.Hash, now time.Time) (store.Code, error) {
	return with(ctx, s, func(st store.Store) (store.Code, error) { return st.TakeCode(ctx, key, family, now) })
}

// Use implements [store.Uses].
func (s *lateStore) Use(ctx context.Context, scope string, id store.Hash, now, until time.Time) error {
	return s.do(ctx, func(st store.Store) error { return st.Use(ctx, scope, id, now, until) })
}

// Used implements [store.Uses].
func (s *lateStore) Used(ctx context.Context, scope string, id store.Hash, now time.Time) (bool, error) {
	return with(ctx, s, func(st store.Store) (bool, error) { return st.Used(ctx, scope, id, now) })
}

// Counters implements [store.Counters].
func (s *lateStore) Counters(ctx context.Context, keys []store.CounterKey, now time.Time) ([]store.Counter, error) {
	return with(ctx, s, func(st store.Store) ([]store.Counter, error) { return st.Counters(ctx, keys, now) })
}

// EditCounters implements [store.Counters].
func (s *lateStore) EditCounters(ctx context.Context, keys []store.CounterKey, now time.Time, f func([]store.Counter)) error {
	return s.do(ctx, func(st store.Store) error { return st.EditCounters(ctx, keys, now, f) })
}

// ForgetCounters implements [store.Counters].
func (s *lateStore) ForgetCounters(ctx context.Context, group store.Hash) (int, error) {
	return with(ctx, s, func(st store.Store) (int, error) { return st.ForgetCounters(ctx, group) })
}
