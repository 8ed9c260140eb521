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

// Collect answers ErrNoStore.
func (None) Collect(context.Context, time.Time, int) (int, error) { return 0, ErrNoStore }

// Close succeeds.
func (None) Close() error { return nil }
