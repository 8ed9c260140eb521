// SPDX-License-Identifier: Apache-2.0

package assertion

import "time"

// Status is what a [Source] can tell of itself. It holds no token.
type Status struct {
	// Fetched says that a flight has ended, well or not.
	Fetched bool
	// Failure is that of the last flight, nil if it went well. It must not be changed.
	Failure *Error
	// Since is when the last flight's outcome was first that one; zero before the first.
	Since time.Time
	// ValidUntil is when the token at hand expires and RenewAt when it is renewed if somebody asks; zero without a token.
	ValidUntil, RenewAt time.Time
	// RetryAt is when the next flight may start after a failure, else zero.
	RetryAt time.Time
	// Failures in a row, and Renewals since the start.
	Failures int
	Renewals uint64
}

// Ready reports whether there is a token to use.
func (s Status) Ready(now time.Time) bool { return now.Before(s.ValidUntil) }

// Reason is that of the last failure, Ready if the last flight went well, and NotYetFetched before the first.
func (s Status) Reason() string {
	switch {
	case !s.Fetched:
		return "NotYetFetched"
	case s.Failure != nil:
		return s.Failure.Reason
	}
	return "Ready"
}

// Status reports on the source.
func (s *Source) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Status{
		Fetched: s.failures > 0 || s.renewals > 0,
		Failure: s.failure, Since: s.since, RetryAt: s.retryAt, Failures: s.failures, Renewals: s.renewals,
	}
	if h := s.held.Load(); h != nil {
		out.ValidUntil, out.RenewAt = h.token.ExpiresAt, h.renew
	}
	return out
}
