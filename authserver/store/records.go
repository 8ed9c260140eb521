// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"time"
)

// Bounds of records, in bytes unless said otherwise. A record beyond them is refused with an error that names the field.
const (
	// MaxText bounds each text of a user.
	MaxText = 1024
	// MaxGroups bounds a user's groups, in number.
	MaxGroups = 512
	// MaxIdentities bounds the identities of one user, in number.
	MaxIdentities = 32
	// MaxSessionData bounds Session.Data and Code.Data.
	MaxSessionData = 16 << 10
	// MaxListed bounds the users of one answer of ListUsers, in number.
	MaxListed = 500
	// MaxUsesOfScope bounds the uses that one scope remembers, in number.
	MaxUsesOfScope = 1 << 17
	// MaxCounters bounds the counters of all groups, in number, as the next sweep leaves them.
	MaxCounters = 1 << 17
	// MaxUsersOfOrganization bounds the users of one organization that providers made, in number. Those of administrators are not counted.
	MaxUsersOfOrganization = 1_000_000
)

var (
	// ErrTaken says that another user of the organization has the username, or another user with a password the e-mail address. It is a *TakenError.
	ErrTaken = errors.New("taken by another user")
	// ErrFull says that a bound by count stands in the way, and that nothing may be evicted for it.
	ErrFull = errors.New("the store's bound is reached")
)

// TakenError is an ErrTaken that names the field: "username" or "email".
type TakenError struct{ Field string }

// Error implements error.
func (e *TakenError) Error() string { return e.Field + " is taken by another user" }

// Is makes errors.Is(err, ErrTaken) true.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// User is one person of the directory.
type User struct {
	// ID is the sub of the user's tokens: a UUID, given by the caller.
	ID string
	// Organization never changes.
	Organization string
	// Username is unique in the organization when folded (package fold).
	Username string
	// Email is unique among the users with a PasswordHash when folded, whatever their organization.
	Email         string
	EmailVerified bool
	// EmailProvider is the provider that said of Email whether it is verified; "namespace/name". Empty where none did.
	EmailProvider        string
	Name, Phone, Comment string
	Groups               []string
	// Provider is "namespace/name" of the provider at which the user first logged in; empty for users that an administrator made.
	Provider string
	// PasswordHash is a PHC string; empty for users without a password.
	PasswordHash string
	// PasswordVersion numbers the user's passwords, from 1 on. The store sets it: another with each PutUser that changes PasswordHash, the same
	// after a rehash by RecordLogin.
	PasswordVersion int64
	Disabled        bool
	CreatedAt       time.Time
	UpdatedAt       time.Time
	// LastLoginAt is zero before the first login.
	LastLoginAt time.Time
}

// IdentityKey names somebody at a provider: (issuer, sub), or (userinfo origin, subject attribute).
type IdentityKey struct{ Issuer, Subject string }

// Identity is a user's account at a provider.
type Identity struct {
	Key IdentityKey
	// User is the ID of the user it belongs to.
	User string
	// Provider is "namespace/name" of the provider that it last came through.
	Provider               string
	CreatedAt, LastLoginAt time.Time
}

// UserQuery selects users. Empty fields select all.
type UserQuery struct {
	Organization string
	// Search is matched, folded, with the beginning of username and e-mail address.
	Search string
	// After is the ID of the last user of the answer before; users come in the order of their IDs.
	After string
	// Limit is at most MaxListed; 0 stands for it.
	Limit int
}

// Users keeps the directory.
type Users interface {
	// User returns the user with that ID, or ErrNotFound.
	User(ctx context.Context, id string) (User, error)
	// PasswordUser returns the user who has a password and, folded, this e-mail address, or ErrNotFound.
	PasswordUser(ctx context.Context, email string) (User, error)
	// ListUsers returns users by ID; one more call with After continues where Limit cut off.
	ListUsers(ctx context.Context, q UserQuery) ([]User, error)
	// Identities returns a user's accounts at providers, oldest first.
	Identities(ctx context.Context, user string) ([]Identity, error)
	// EditUsers runs f in one transaction, alone with the users of the organization: nobody else edits them meanwhile, on any replica. f may be run again
	// after a conflict, and must have no other effect than on tx. An error of f rolls back and is returned.
	EditUsers(ctx context.Context, organization string, f func(tx UserTx) error) error
	// RecordLogin notes when a user last logged in, and replaces the password hash if it still is old (a rehash); with hash "" only the time.
	RecordLogin(ctx context.Context, id string, at time.Time, old, hash string) error
}

// UserTx is what a transaction of EditUsers can do. It sees the users of its organization only.
type UserTx interface {
	User(id string) (User, error)
	UserByUsername(username string) (User, error)
	// PasswordUser returns the user who has a password and, folded, this e-mail address, or ErrNotFound.
	PasswordUser(email string) (User, error)
	// UsersByEmail returns the users with this address, folded: at most 16, by ID.
	UsersByEmail(email string) ([]User, error)
	// Identity returns ErrNotFound also for one of another organization: each may know the same person by itself.
	Identity(key IdentityKey) (Identity, error)
	Identities(user string) ([]Identity, error)
	// PutUser inserts a user, or replaces the one with that ID. ErrTaken if username or e-mail address belong to another; ErrFull
	// for a user of a provider beyond MaxUsersOfOrganization.
	PutUser(u User) error
	// PutIdentity inserts or replaces. ErrFull beyond MaxIdentities of the user.
	PutIdentity(i Identity) error
	// DeleteUser removes a user with identities, sessions and refresh-token families; ErrNotFound if there is none.
	DeleteUser(id string) error
	// EndOwner removes the sessions and families of a subject, and returns their number.
	EndOwner(owner string) (int, error)
}

// Session is a browser that is logged in.
type Session struct {
	// Key is the SHA-256 of the cookie's value.
	Key Hash
	// Owner is the user's subject, Provider the "namespace/name" of the provider that the login came through.
	Owner, Provider string
	// UpstreamSession and UpstreamSubject are hashes that name the session and the user at the provider, for back-channel logout; zero for none.
	UpstreamSession, UpstreamSubject Hash
	// Data is the caller's, at most MaxSessionData.
	Data []byte
	// Client says for people which browser it is and from which address, such as "Firefox on Linux, 203.0.113.7". At most 256 bytes.
	Client                       string
	CreatedAt, SeenAt, ExpiresAt time.Time
}

// Sessions keeps browsers' sessions. Ending one ends the refresh-token families that began with it (Family.Session), and so
// does its removal for any other reason.
type Sessions interface {
	// CreateSession stores s and removes the owner's least recently seen ones, so that at most keep remain.
	CreateSession(ctx context.Context, s Session, keep int) error
	// Session returns the session that has not expired at now, or ErrNotFound.
	Session(ctx context.Context, key Hash, now time.Time) (Session, error)
	// TouchSession notes when it was seen and when it now expires; ErrNotFound if it is gone.
	TouchSession(ctx context.Context, key Hash, seen, expires time.Time) error
	// ReplaceSessionData replaces Data if it still is old, and tells whether it was.
	ReplaceSessionData(ctx context.Context, key Hash, old, data []byte) (bool, error)
	// OwnerSessions returns the owner's sessions that have not expired, the last seen first.
	OwnerSessions(ctx context.Context, owner string, now time.Time) ([]Session, error)
	// EndSession removes a session; one that does not exist is no error.
	EndSession(ctx context.Context, key Hash) error
	// EndOwner removes all sessions and families of an owner and returns their number.
	EndOwner(ctx context.Context, owner string) (int, error)
	// EndUpstream removes the sessions of a provider that have the session hash or, where that is zero, the subject hash, and returns their number. With both,
	// these are the one with the session hash and those with the subject hash that have no session hash.
	EndUpstream(ctx context.Context, provider string, session, subject Hash) (int, error)
}

// Code is an authorization code of the browser handoff.
type Code struct {
	Key   Hash
	Owner string
	// Session is the browser's session in which the code was made.
	Session   Hash
	Data      []byte
	ExpiresAt time.Time
}

// Codes keeps authorization codes. Each is taken once.
type Codes interface {
	// PutCode stores c and removes the owner's oldest, so that at most keep remain.
	PutCode(ctx context.Context, c Code, keep int) error
	// TakeCode takes a code for a refresh-token family that is about to be created. A second taking before the code expires is ErrReused, and the family of
	// the first is removed (RFC 6749 section 4.1.2), also when it is created later. ErrNotFound for a code that does not exist or has expired.
	TakeCode(ctx context.Context, key, family Hash, now time.Time) (Code, error)
}

// Uses remembers what may be used once: login transactions, jti.
type Uses interface {
	// Use notes the use of id within scope until then. ErrReused if it was noted before and that time has not come; ErrFull beyond MaxUsesOfScope.
	Use(ctx context.Context, scope string, id Hash, now, until time.Time) error
	// Used tells whether the use of id within scope was noted and its time has not come. It notes nothing.
	Used(ctx context.Context, scope string, id Hash, now time.Time) (bool, error)
}

// CounterKey names a counter: a group (a name that somebody typed, an address, as a hash), and a part of it.
type CounterKey struct {
	Group Hash
	// Part tells counters of one group apart, at most 64 bytes.
	Part string
}

// Counter counts failures.
type Counter struct {
	Failures, Locks int
	// Since is when the first failure counted was, Until when the last lock ends, Known when a success was; zero for never.
	Since, Until, Known time.Time
	// ExpiresAt is when the counter may be forgotten.
	ExpiresAt time.Time
}

// Counters keeps what lockouts count. The zero Counter is one that does not exist.
type Counters interface {
	// Counters returns one for each key. Expired ones are zero.
	Counters(ctx context.Context, keys []CounterKey, now time.Time) ([]Counter, error)
	// EditCounters runs f in one transaction, alone with these counters on all replicas; f changes them in place, and may be run again after a conflict.
	EditCounters(ctx context.Context, keys []CounterKey, now time.Time, f func([]Counter)) error
	// ForgetCounters removes a group's, and returns their number.
	ForgetCounters(ctx context.Context, group Hash) (int, error)
}
