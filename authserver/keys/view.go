// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// view is what is known of a source at one moment. It is immutable.
type view struct {
	set      *jwk.Set // of the last good fetch; nil before
	problems []jwk.Problem
	fetched  time.Time // when set was asked for

	attempted   bool
	failure     *failure // of the last fetch; nil if it succeeded
	failures    int      // in a row
	nextAttempt time.Time

	// Before waitAfter a known key is served without waiting. After a good fetch that is two refresh intervals (a
	// source at rest may be older: then a fetch decides); after a failed one it is goneAfter (stale-if-error).
	waitAfter time.Time
	goneAfter time.Time

	reason Reason
	since  time.Time // since when reason holds
}

// after returns the view that follows a fetch asked for at started and ended now.
func (v *view) after(result fetched, started, now time.Time, o *Options) *view {
	next := &view{attempted: true}
	if result.failure != nil {
		next.set, next.problems, next.fetched, next.goneAfter = v.set, v.problems, v.fetched, v.goneAfter
		if !now.Before(next.goneAfter) {
			next.set, next.problems = nil, nil // keys past the window are not kept
		}
		next.waitAfter = next.goneAfter
		next.failure = result.failure
		next.failures = v.failures + 1
		next.nextAttempt = now.Add(o.backoff(next.failures))
		next.reason = result.failure.reason
	} else {
		next.set, next.problems, next.fetched = result.set, result.problems, started
		next.goneAfter = started.Add(o.StaleIfError)
		next.waitAfter = earlier(started.Add(2*o.RefreshInterval), next.goneAfter)
		next.nextAttempt = now.Add(o.refresh())
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

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// usable tells whether the keys may serve at all.
func (v *view) usable(now time.Time) bool { return v.set != nil && now.Before(v.goneAfter) }

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
