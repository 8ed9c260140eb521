// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

const (
	// Grace is how long a repeated use of a refresh token gets the same successor.
	Grace = 30 * time.Second
	// MaxUses is how many uses within Grace one family remembers; a repeat of an older one counts as reuse.
	MaxUses = 8
	// MaxData bounds Family.Data, in bytes.
	MaxData = 8 << 10
)

var (
	// ErrNoStore is the answer of a server without a store (store.type None).
	ErrNoStore = errors.New("this auth server has no store (store.type is None)")
	// ErrUnavailable says that the database is away, full or too busy: what failed may work later. What was under way when it went may have been committed.
	ErrUnavailable = errors.New("the store is unavailable")
	// ErrNotFound says that no such record exists, or that it has expired.
	ErrNotFound = errors.New("not found in the store")
	// ErrReused says that what works once was used again: a refresh token after its grace, or one that never belonged to its
	// family, which is gone by then; an authorization code; an identifier of Uses.
	ErrReused = errors.New("used twice")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// A Hash is a SHA-256 sum. The store never sees what was hashed.
type Hash [sha256.Size]byte

// Store is everything an auth server keeps. All methods are safe for concurrent use. They return when ctx ends, except that a
// change that has begun by then may be waited for. Texts that are not UTF-8, or contain NUL, are not found and not stored.
type Store interface {
	Families
	Users
	Sessions
	Codes
	Uses
	Counters
	// Ping tells whether the store can be asked: nil, ErrNoStore, ErrClosed or ErrUnavailable.
	Ping(ctx context.Context) error
	// Collect removes at most limit rows whose time had passed at now, and returns how many it removed. Fewer than limit
	// means that nothing is left to do.
	Collect(ctx context.Context, now time.Time, limit int) (int, error)
	// Close lets transactions under way finish. Later calls of other methods fail with ErrClosed.
	Close() error
}

// Families keeps refresh-token families: one row for each login, and for Grace one for each use.
type Families interface {
	// CreateFamily stores f and removes the owner's least recently used families, so that at most keep remain. ErrNotFound if
	// f.Session is set and has ended; ErrReused if the code that f.Key was made for has been taken twice.
	CreateFamily(ctx context.Context, f Family, keep int) error
	// Family returns the family with that key that has not expired at now, or ErrNotFound.
	Family(ctx context.Context, key Hash, now time.Time) (Family, error)
	// Rotate uses a token, in one transaction: if it is the family's current one, r.Successor takes its place and r.Sealed
	// is kept for Grace. If it was used within Grace, what was sealed then is returned and nothing changes. Any other token
	// removes the family: ErrReused. ErrNotFound if the family does not exist or has expired.
	Rotate(ctx context.Context, r Rotation) (Rotated, error)
	// RevokeFamily removes a family; one that does not exist is no error.
	RevokeFamily(ctx context.Context, key Hash) error
	// RevokeOwner removes all families of an owner and returns their number.
	RevokeOwner(ctx context.Context, owner string) (int, error)
}

// Family is one login's line of refresh tokens.
type Family struct {
	// Key identifies the family. It is a hash, so a copy of the database names no family.
	Key Hash
	// Owner groups families for their bound and for RevokeOwner: the user's subject. At most 1 KiB.
	Owner string
	// Session is the browser's session that it began with, and ends with, be it by EndSession or with the sweep after its expiry; zero for none.
	Session Hash
	// Data is the caller's, at most MaxData.
	Data []byte
	// Current is the hash of the one token that may be used next.
	Current Hash
	// CreatedAt is when the family began, IssuedAt when Current was issued, ExpiresAt when it ends unless rotated.
	CreatedAt, IssuedAt, ExpiresAt time.Time
}

// Rotation is one use of a refresh token.
type Rotation struct {
	Family, Used, Successor Hash
	// Sealed is the successor, readable only with the used token.
	Sealed []byte
	// Now is the time of use, ExpiresAt the end of the successor.
	Now, ExpiresAt time.Time
}

// Rotated is what became of a Rotation.
type Rotated struct {
	// Sealed is that of the first use; nil if this was the first.
	Sealed []byte
	// ExpiresAt is the end of the family as it now stands.
	ExpiresAt time.Time
}
