// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"time"
)

// None is the store of a server that only verifies: every operation answers ErrNoStore, but Close succeeds.
type None struct{}

var _ Store = None{}

// CreateFamily answers ErrNoStore.
func (None) CreateFamily(context.Context, Family, int) error { return ErrNoStore }

// Family answers ErrNoStore.
func (None) Family(context.Context, Hash, time.Time) (Family, error) { return Family{}, ErrNoStore }

// Rotate answers ErrNoStore.
func (None) Rotate(context.Context, Rotation) (Rotated, error) { return Rotated{}, ErrNoStore }

// RevokeFamily answers ErrNoStore.
func (None) RevokeFamily(context.Context, Hash) error { return ErrNoStore }

// RevokeOwner answers ErrNoStore.
func (None) RevokeOwner(context.Context, string) (int, error) { return 0, ErrNoStore }

// User answers ErrNoStore.
func (None) User(context.Context, string) (User, error) { return User{}, ErrNoStore }

// PasswordUser answers ErrNoStore.
func (None) PasswordUser(context.Context, string) (User, error) { return User{}, ErrNoStore }

// ListUsers answers ErrNoStore.
func (None) ListUsers(context.Context, UserQuery) ([]User, error) { return nil, ErrNoStore }

// Identities answers ErrNoStore.
func (None) Identities(context.Context, string) ([]Identity, error) { return nil, ErrNoStore }

// EditUsers answers ErrNoStore.
func (None) EditUsers(context.Context, string, func(tx UserTx) error) error { return ErrNoStore }

// RecordLogin answers ErrNoStore.
func (None) RecordLogin(context.Context, string, time.Time, string, string) error { return ErrNoStore }

// CreateSession answers ErrNoStore.
func (None) CreateSession(context.Context, Session, int) error { return ErrNoStore }

// Session answers ErrNoStore.
func (None) Session(context.Context, Hash, time.Time) (Session, error) { return Session{}, ErrNoStore }

// TouchSession answers ErrNoStore.
func (None) TouchSession(context.Context, Hash, time.Time, time.Time) error { return ErrNoStore }

// ReplaceSessionData answers ErrNoStore.
func (None) ReplaceSessionData(context.Context, Hash, []byte, []byte) (bool, error) {
	return false, ErrNoStore
}

// OwnerSessions answers ErrNoStore.
func (None) OwnerSessions(context.Context, string, time.Time) ([]Session, error) {
	return nil, ErrNoStore
}

// EndSession answers ErrNoStore.
func (None) EndSession(context.Context, Hash) error { return ErrNoStore }

// EndOwner answers ErrNoStore.
func (None) EndOwner(context.Context, string) (int, error) { return 0, ErrNoStore }

// EndUpstream answers ErrNoStore.
func (None) EndUpstream(context.Context, string, Hash, Hash) (int, error) { return 0, ErrNoStore }

// PutCode answers ErrNoStore.
func (None) PutCode(context.Context, Code, int) error { return ErrNoStore }

// TakeCode answers ErrNoStore.
func (None) TakeCode(context.Context, Hash, Hash, time.Time) (Code, error) { return Code{}, ErrNoStore }

// Use answers ErrNoStore.
func (None) Use(context.Context, string, Hash, time.Time, time.Time) error { return ErrNoStore }

// Used answers ErrNoStore.
func (None) Used(context.Context, string, Hash, time.Time) (bool, error) { return false, ErrNoStore }

// Counters answers ErrNoStore.
func (None) Counters(context.Context, []CounterKey, time.Time) ([]Counter, error) {
	return nil, ErrNoStore
}

// EditCounters answers ErrNoStore.
func (None) EditCounters(context.Context, []CounterKey, time.Time, func([]Counter)) error {
	return ErrNoStore
}

// ForgetCounters answers ErrNoStore.
func (None) ForgetCounters(context.Context, Hash) (int, error) { return 0, ErrNoStore }

// Ping answers ErrNoStore.
func (None) Ping(context.Context) error { return ErrNoStore }

// Collect answers ErrNoStore.
func (None) Collect(context.Context, time.Time, int) (int, error) { return 0, ErrNoStore }

// Close succeeds.
func (None) Close() error { return nil }
