// SPDX-License-Identifier: Apache-2.0

package login

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// knownLately is how old the mark of a success may be before another success renews it.
const knownLately = 24 * time.Hour

// StoreLockout is a Lockout in the store, which replicas share.
type StoreLockout struct{ Store store.Counters }

var _ Lockout = StoreLockout{}

// Places of an attempt's counters.
const (
	pair    = iota // one name from one network
	account        // one name from everywhere
	network        // all names from one network
)

// keys are the counters of an attempt. Those of a name are one group, so that it can be unlocked.
func (a *Attempt) keys() []store.CounterKey {
	from := a.Network.String()
	return []store.CounterKey{
		pair:    {Group: a.Name, Part: from},
		account: {Group: a.Name, Part: "everywhere"},
		network: {Group: sha256.Sum256([]byte("gatehouse lockout network\x00" + from)), Part: "every name"},
	}
}

// Check implements Lockout.
func (l StoreLockout) Check(ctx context.Context, _ LockoutSettings, a Attempt, now time.Time) (time.Duration, error) {
	counters, err := l.Store.Counters(ctx, a.keys(), now)
	if err != nil {
		return 0, err
	}
	return waitOf(counters, now), nil
}

// Report implements Lockout.
func (l StoreLockout) Report(ctx context.Context, s LockoutSettings, a Attempt, now time.Time, ok bool) (Verdict, error) {
	if ok {
		// Most successes change nothing: no transaction for those.
		counters, err := l.Store.Counters(ctx, a.keys(), now)
		if err != nil {
			return Verdict{}, err
		}
		if wait := waitOf(counters, now); wait > 0 || settled(&counters[pair], now) {
			return Verdict{Wait: wait}, nil
		}
	}
	var v Verdict
	err := l.Store.EditCounters(ctx, a.keys(), now, func(counters []store.Counter) {
		v = s.count(counters, now, ok)
	})
	return v, err
}

// settled says that a success would leave the counter as it is.
func settled(c *store.Counter, now time.Time) bool {
	return c.Failures == 0 && c.Locks == 0 && now.Sub(c.Known) < knownLately
}

// count counts one outcome, unless the attempt has to wait.
func (s LockoutSettings) count(counters []store.Counter, now time.Time, ok bool) Verdict {
	if wait := waitOf(counters, now); wait > 0 {
		return Verdict{Wait: wait}
	}
	if ok {
		counters[pair] = store.Counter{Known: now, ExpiresAt: now.Add(knownFor)}
		return Verdict{}
	}
	known := isKnown(&counters[pair], now)
	var v Verdict
	if s.fail(&counters[pair], now, s.MaxFailures) {
		v.Locked = LockedPair
	}
	if !known && s.fail(&counters[account], now, accountFactor*s.MaxFailures) {
		v.Locked = LockedName
	}
	if !known && s.fail(&counters[network], now, networkFactor*s.MaxFailures) {
		v.Locked = LockedNetwork
	}
	return v
}

// waitOf is how long an attempt with these counters has to wait.
func waitOf(counters []store.Counter, now time.Time) time.Duration {
	wait := counters[pair].Until.Sub(now)
	if !isKnown(&counters[pair], now) {
		wait = max(wait, counters[account].Until.Sub(now), counters[network].Until.Sub(now))
	}
	return max(0, wait)
}

// isKnown tells whether the name has logged in from the network lately.
func isKnown(c *store.Counter, now time.Time) bool {
	return !c.Known.IsZero() && now.Sub(c.Known) < knownFor
}

// fail counts one failure, and locks if it was the last one allowed. Locks are forgotten MaxDuration after the last one ended.
func (s LockoutSettings) fail(c *store.Counter, now time.Time, allowed int) (locked bool) {
	if now.Sub(c.Since) >= s.Window {
		c.Since, c.Failures = now, 0
	}
	if now.Sub(c.Until) >= s.MaxDuration {
		c.Locks = 0
	}
	if c.Failures++; c.Failures >= allowed {
		c.Until, locked = now.Add(s.lock(c.Locks)), true
		c.Since, c.Failures = time.Time{}, 0
		c.Locks++
	}
	c.ExpiresAt = c.Since.Add(s.Window)
	for _, end := range []time.Time{c.Until.Add(s.MaxDuration), c.Known.Add(knownFor)} {
		if end.After(c.ExpiresAt) {
			c.ExpiresAt = end
		}
	}
	return locked
}

// lock is how long the next lock is after so many.
func (s LockoutSettings) lock(before int) time.Duration {
	d := s.Duration
	for range before {
		if d >= s.MaxDuration {
			break
		}
		d *= 2
	}
	return min(d, s.MaxDuration)
}
