// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// view is what is known of a source at one moment. It is immutable.
type view struct {
	set      *jwk.Set // of the last good fetch; nil before
	problems []jwk.Problem
	fits     []string  // algorithms that a key of the set fits
	fetched  time.Time // when set was asked for

	attempted   bool
	failure     *failure // of the last fetch; nil if it succeeded
	failures    int      // in a row
	nextAttempt time.Time

	// While the last fetch is a good one, the keys serve without a wait until freshUntil, two refresh intervals after it:
	// a source at rest may be older, and then a fetch decides. Else it is the asker's window that counts.
	freshUntil time.Time
	goneAfter  time.Time // they are kept for nobody longer

	reason Reason
	since  time.Time // since when reason holds
}

// after returns the view that follows a fetch asked for at started and ended now.
func (v *view) after(result fetched, started, now time.Time, interval time.Duration, o *Options) *view {
	next := &view{attempted: true}
	if result.failure != nil {
		next.set, next.problems, next.fits, next.fetched, next.goneAfter = v.set, v.problems, v.fits, v.fetched, v.goneAfter
		if !now.Before(next.goneAfter) {
			next.set, next.problems, next.fits = nil, nil, nil
		}
		next.failure = result.failure
		next.failures = v.failures + 1
		next.nextAttempt = now.Add(o.backoff(next.failures))
		next.reason = result.failure.reason
	} else {
		next.set, next.problems, next.fits, next.fetched = result.set, result.problems, v.fits, started
		if v.set.Equal(result.set) {
			next.set = v.set // the same pointer: what was decided with it still stands
		} else {
			next.fits = algorithms(result.set)
		}
		next.goneAfter = started.Add(o.Keep)
		next.freshUntil = earlier(started.Add(2*interval), next.goneAfter)
		next.nextAttempt = now.Add(o.jittered(interval))
		next.reason = ReasonReady
		if result.set.Len() == 0 {
			next.reason = ReasonNoUsableKey
		}
	}
	next.since = now
	if v.reason == next.reason {
		next.since = v.since
	}
	return next
}

// retimed returns the view with another refresh interval; after a failure it is the backoff that counts.
func (v *view) retimed(interval time.Duration, o *Options) *view {
	if !v.attempted || v.failure != nil {
		return v
	}
	next := *v
	next.freshUntil = earlier(v.fetched.Add(2*interval), v.goneAfter)
	next.nextAttempt = v.fetched.Add(o.jittered(interval))
	return &next
}

// algorithms are those that at least one key of the set fits.
func algorithms(set *jwk.Set) []string {
	var out []string
	for _, name := range jwk.AlgorithmNames() {
		if slices.ContainsFunc(set.Keys(), func(k *jwk.Key) bool { return k.Fits(name) == nil }) {
			out = append(out, name)
		}
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// current tells whether the keys may serve without waiting for a fetch.
func (v *view) current(now time.Time, maxStale time.Duration) bool {
	if v.set != nil && v.failure == nil && now.Before(v.freshUntil) {
		return true
	}
	return v.failure != nil && v.stale(now, maxStale)
}

// stale tells whether the keys are young enough to serve although no fetch confirms them.
func (v *view) stale(now time.Time, maxStale time.Duration) bool {
	return v.set != nil && now.Before(v.goneAfter) && now.Sub(v.fetched) < maxStale
}

// usable tells whether the keys may serve at all, once no fetch can be waited for.
func (v *view) usable(now time.Time, maxStale time.Duration) bool {
	return v.current(now, maxStale) || v.stale(now, maxStale)
}

// unavailable explains a 503: by the last failure, or by why the caller did not learn more.
func (v *view) unavailable(waitErr error) error {
	switch {
	case v.failure != nil:
		return fmt.Errorf("%w: %s", ErrUnavailable, v.failure.message)
	case waitErr != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, waitErr)
	}
	return fmt.Errorf("%w: not fetched", ErrUnavailable)
}
