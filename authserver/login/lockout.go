// SPDX-License-Identifier: Apache-2.0

package login

import (
	"cmp"
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Lockout slows down guessing.
type Lockout interface {
	// Check returns how long the attempt has to wait; zero means that it may go on. It counts nothing.
	Check(ctx context.Context, s LockoutSettings, a Attempt, now time.Time) (wait time.Duration, err error)
	// Report counts the outcome. Attempts run side by side, so the verdict tells again how long to wait, as of before this
	// outcome: one that has to wait is not counted and must be refused whatever its outcome was.
	Report(ctx context.Context, s LockoutSettings, a Attempt, now time.Time, ok bool) (Verdict, error)
}

// A Verdict is a Lockout's answer to an outcome.
type Verdict struct {
	// Wait is not zero where the attempt must be refused.
	Wait time.Duration
	// Locked tells for whom this failure was the last one allowed, the widest if for several; empty: for nobody.
	Locked Scope
}

// A Scope is whose attempts have to wait.
type Scope string

// Scopes.
const (
	LockedPair    Scope = "name_and_network" // one name from one network
	LockedName    Scope = "name"             // one name from networks that it has not logged in from
	LockedNetwork Scope = "network"          // names that have not logged in from one network
)

// An Attempt is what failures are counted by.
type Attempt struct {
	// Name is the SHA-256 of the folded e-mail address: unknown names count like known ones. It also is the group of the name's
	// counters in the store.
	Name [sha256.Size]byte
	// Network is the client's IPv4 address or IPv6 /64.
	Network netip.Prefix
}

// NewAttempt makes the Attempt of a folded e-mail address and a client's address.
func NewAttempt(email string, client netip.Addr) Attempt {
	return Attempt{Name: sha256.Sum256([]byte(email)), Network: Network(client)}
}

// Network is what a client's address counts as: an IPv4 address itself, an IPv6 address as its /64. All invalid ones count as one.
func Network(client netip.Addr) netip.Prefix {
	client = client.Unmap().WithZone("")
	bits := 32
	if client.Is6() {
		bits = 64
	}
	network, err := client.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}

// LockoutSettings are an AuthServer's login.lockout.
type LockoutSettings struct {
	// MaxFailures within Window lock one name for one network; ten times as many lock it for every network that the user has
	// not logged in from lately, and lock one network for every name that has not lately logged in from there.
	MaxFailures int
	Window      time.Duration
	// Duration is that of the first lock; each further one is twice as long, up to MaxDuration.
	Duration, MaxDuration time.Duration
}

// DefaultLockout is what DESIGN §4 says: 10 failures in 15 minutes, one minute doubling to one hour.
var DefaultLockout = LockoutSettings{MaxFailures: 10, Window: 15 * time.Minute, Duration: time.Minute, MaxDuration: time.Hour}

const (
	accountFactor = 10
	networkFactor = 10
	knownFor      = 30 * 24 * time.Hour
)

// lockoutOf reads the settings; zero values stand for the defaults. A lock that is longer than MaxDuration to begin with stays as
// long as it is.
func lockoutOf(l config.Lockout) LockoutSettings {
	d := DefaultLockout
	s := LockoutSettings{
		MaxFailures: cmp.Or(l.MaxFailures, d.MaxFailures), Window: cmp.Or(l.Window.Value(), d.Window),
		Duration: cmp.Or(l.Duration.Value(), d.Duration),
	}
	s.MaxDuration = max(d.MaxDuration, s.Duration)
	return s
}

// lockout is the one that counts.
func (s *Service) lockout() Lockout {
	if s.Lockout != nil {
		return s.Lockout
	}
	return StoreLockout{Store: s.Store}
}
