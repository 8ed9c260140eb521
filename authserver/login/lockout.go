// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// Lockout slows down guessing. MemoryLockout counts in this process; a store that replicas share can take its place.
type Lockout interface {
	// Check returns how long the attempt has to wait; zero means that it may go on. It counts nothing.
	Check(ctx context.Context, a Attempt, now time.Time) (wait time.Duration, err error)
	// Report counts the outcome. Attempts run side by side, so the answer is Check's again, as of before this outcome: one
	// that has to wait is not counted and must be refused whatever its outcome was.
	Report(ctx context.Context, a Attempt, now time.Time, ok bool) (wait time.Duration, err error)
}

// An Attempt is what failures are counted by.
type Attempt struct {
	// Name is the SHA-256 of the folded e-mail address: unknown names count like known ones.
	Name [sha256.Size]byte
	// Network is the client's IPv4 address or IPv6 /64.
	Network netip.Prefix
}

// NewAttempt makes the Attempt of a folded e-mail address and a client's address.
func NewAttempt(email string, client netip.Addr) Attempt {
	client = client.Unmap().WithZone("")
	bits := 32
	if client.Is6() {
		bits = 64
	}
	network, err := client.Prefix(bits)
	if err != nil {
		network = netip.Prefix{} // an invalid address: all of them count as one
	}
	return Attempt{Name: sha256.Sum256([]byte(email)), Network: network}
}

// LockoutSettings are an AuthServer's login.lockout.
type LockoutSettings struct {
	// MaxFailures within Window lock one name for one network, ten times as many lock it for every network that the user
	// has not logged in from lately.
	MaxFailures int
	Window      time.Duration
	// Duration is that of the first lock; each further one is twice as long, up to MaxDuration.
	Duration, MaxDuration time.Duration
}

// DefaultLockout is what DESIGN §4 says: 10 failures in 15 minutes, one minute doubling to one hour.
var DefaultLockout = LockoutSettings{MaxFailures: 10, Window: 15 * time.Minute, Duration: time.Minute, MaxDuration: time.Hour}

const (
	accountFactor  = 10
	knownFor       = 30 * 24 * time.Hour
	maxLockoutRows = 1 << 16 // of each of three tables, about 10 MiB each
)

// MemoryLockout is a Lockout in memory. It is bounded: when a table is full, the row that was touched longest ago goes.
type MemoryLockout struct {
	settings LockoutSettings

	mu       sync.Mutex
	pairs    *table[Attempt, counter]
	accounts *table[[sha256.Size]byte, counter]
	known    *table[Attempt, time.Time]
}

var _ Lockout = (*MemoryLockout)(nil)

// NewMemoryLockout returns an empty MemoryLockout.
func NewMemoryLockout(s LockoutSettings) *MemoryLockout {
	return &MemoryLockout{
		settings: s,
		pairs:    newTable[Attempt, counter](maxLockoutRows),
		accounts: newTable[[sha256.Size]byte, counter](maxLockoutRows),
		known:    newTable[Attempt, time.Time](maxLockoutRows),
	}
}

// Check implements Lockout.
func (m *MemoryLockout) Check(_ context.Context, a Attempt, now time.Time) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.wait(a, now), nil
}

// Report implements Lockout.
func (m *MemoryLockout) Report(_ context.Context, a Attempt, now time.Time, ok bool) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if wait := m.wait(a, now); wait > 0 {
		return wait, nil
	}
	if ok {
		m.pairs.remove(a)
		m.known.put(a, now)
		return 0, nil
	}
	pair, _ := m.pairs.get(a)
	m.pairs.put(a, pair.fail(now, m.settings, m.settings.MaxFailures))
	if !m.isKnown(a, now) {
		account, _ := m.accounts.get(a.Name)
		m.accounts.put(a.Name, account.fail(now, m.settings, accountFactor*m.settings.MaxFailures))
	}
	return 0, nil
}

func (m *MemoryLockout) wait(a Attempt, now time.Time) time.Duration {
	pair, _ := m.pairs.get(a)
	wait := pair.until.Sub(now)
	if !m.isKnown(a, now) {
		account, _ := m.accounts.get(a.Name)
		wait = max(wait, account.until.Sub(now))
	}
	return max(0, wait)
}

func (m *MemoryLockout) isKnown(a Attempt, now time.Time) bool {
	at, ok := m.known.get(a)
	return ok && now.Sub(at) < knownFor
}

// counter counts failures in a window and remembers how often they led to a lock.
type counter struct {
	since    time.Time // of the first failure counted
	failures int
	locks    int
	until    time.Time // end of the last lock
}

// fail counts one failure and locks if it was the last one allowed. Locks are forgotten after an hour (MaxDuration) without a new one.
func (c counter) fail(now time.Time, s LockoutSettings, allowed int) counter {
	if now.Sub(c.since) >= s.Window {
		c.since, c.failures = now, 0
	}
	if now.Sub(c.until) >= s.MaxDuration {
		c.locks = 0
	}
	if c.failures++; c.failures < allowed {
		return c
	}
	lock := s.Duration
	for range c.locks {
		if lock *= 2; lock >= s.MaxDuration {
			lock = s.MaxDuration
			break
		}
	}
	return counter{until: now.Add(lock), locks: c.locks + 1}
}
