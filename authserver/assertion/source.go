// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	minBackoff = time.Second
	maxBackoff = time.Minute
	// flightTime is how long one flight may take, whatever Obtain does.
	flightTime = 15 * time.Second
	// maxWaiting is how many callers wait for one flight, unless SourceOptions say otherwise.
	maxWaiting = 256
)

// SourceOptions are what a [Source] is made of. Obtain, Now and Jitter are required.
type SourceOptions struct {
	// Obtain gets a token: one attempt. An error that is no [*Error] counts as a fault of Gatehouse.
	Obtain func(context.Context) (Token, error)
	Now    func() time.Time
	// Jitter returns numbers in [0, 1), each time another. It is called from several goroutines.
	Jitter func() float64
	// MaxWaiting is how many callers may wait for one flight; 0 is 256. Whoever comes then is told so at once: [ReasonTooManyWaiting].
	MaxWaiting int
	// Context ends the flights under way, as at shutdown; nil never does.
	Context context.Context
	// Done, if not nil, is told of each flight's end, with its error or nil: for metrics and logs.
	Done func(error)
}

// Source keeps one token fresh for all who ask. It does nothing by itself: a token is renewed because somebody asks, and an idle Source has neither goroutine nor timer.
// Its methods may be called from several goroutines.
type Source struct {
	options *SourceOptions

	held atomic.Pointer[held] // what was obtained last; nil before

	mu       sync.Mutex
	flight   *flight // under way, or nil
	failure  *Error  // of the last flight, nil if it went well
	since    time.Time
	failures int // in a row
	retryAt  time.Time
	renewals uint64
}

// held is a token and when to renew it.
type held struct {
	token Token
	renew time.Time
}

// flight is one call of Obtain. token and err are set before done is closed.
type flight struct {
	done    chan struct{}
	token   Token
	err     *Error
	waiting int // callers; guarded by the Source's mu
}

// NewSource returns a source that holds no token yet.
func NewSource(o SourceOptions) *Source {
	o.MaxWaiting = cmp.Or(o.MaxWaiting, maxWaiting)
	return &Source{options: &o}
}

// Cached returns the token at hand, if it may still be used. It never waits; from [Token.RenewAt] on it starts to renew the token behind the answer.
func (s *Source) Cached(now time.Time) (Token, bool) {
	h := s.held.Load()
	if h == nil || !h.token.valid(now) {
		return Token{}, false
	}
	if !now.Before(h.renew) {
		s.renew(now)
	}
	return h.token, true
}

// Get returns a token: from memory while there is one to use, else what the one flight under way brings. A context that ends ends the caller's wait, not the flight; the
// error then wraps the context's. Every other error is an [*Error]; for a time after a failed flight, 1 s to 1 min or what the endpoint asked for, it comes from memory,
// with RetryAfter saying how long. No more than MaxWaiting callers wait at once.
func (s *Source) Get(ctx context.Context) (Token, error) {
	if t, ok := s.Cached(s.options.Now()); ok {
		return t, nil
	}
	f, refused := s.join(s.options.Now())
	if refused != nil {
		return Token{}, refused
	}
	select {
	case <-f.done:
		if f.err != nil {
			return Token{}, f.err
		}
		return f.token, nil
	case <-ctx.Done():
		s.leave(f)
		return Token{}, fmt.Errorf("waiting for a token: %w", ctx.Err())
	}
}

// leave gives up a place in a flight's queue.
func (s *Source) leave(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.waiting--
}

// renew starts a flight unless one is under way, it is too early after a failure, or another has just ended well.
func (s *Source) renew(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil && !now.Before(s.retryAt) && !s.fresh(now) {
		s.start()
	}
}

// join takes a place in the queue of the flight under way or of a new one, or says why not.
func (s *Source) join(now time.Time) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.flight != nil && s.flight.waiting >= s.options.MaxWaiting:
		crowded := fail(ReasonTooManyWaiting, fmt.Sprintf("%d requests wait for this token already", s.options.MaxWaiting))
		return nil, crowded.until(minBackoff)
	case s.flight != nil:
		s.flight.waiting++
		return s.flight, nil
	case s.fresh(now):
		ended := &flight{done: make(chan struct{}), token: s.held.Load().token}
		close(ended.done)
		return ended, nil
	case s.failure != nil && now.Before(s.retryAt):
		return nil, s.failure.until(s.retryAt.Sub(now))
	}
	f := s.start()
	f.waiting++
	return f, nil
}

// fresh tells whether there is a token that need not be renewed.
func (s *Source) fresh(now time.Time) bool {
	h := s.held.Load()
	return h != nil && h.token.valid(now) && now.Before(h.renew)
}

func (s *Source) start() *flight {
	s.flight = &flight{done: make(chan struct{})}
	go s.fly(s.flight)
	return s.flight
}

func (s *Source) fly(f *flight) {
	base := s.options.Context
	if base == nil {
		base = context.Background()
	}
	ctx, cancel := context.WithTimeout(base, flightTime)
	defer cancel()
	token, err := s.obtain(ctx)
	s.land(f, token, err)
	switch done := s.options.Done; {
	case done == nil:
	case err != nil:
		done(err)
	default:
		done(nil)
	}
}

// obtain makes one [*Error] of whatever goes wrong.
func (s *Source) obtain(ctx context.Context) (token Token, failed *Error) {
	defer func() {
		if recover() != nil { // whose words may hold anything
			token, failed = Token{}, fail(ReasonInternalError, "obtaining the token failed: this is a fault of Gatehouse")
		}
	}()
	token, err := s.options.Obtain(ctx)
	if err == nil {
		if !token.valid(s.options.Now()) {
			return Token{}, fail(ReasonBadContent, "the token had expired when it came")
		}
		return token, nil
	}
	if !errors.As(err, &failed) {
		failed = fail(ReasonInternalError, "obtaining the token failed")
		failed.timeout = isTimeout(err)
	}
	return Token{}, failed
}

// land keeps what a flight brought and lets the next one start.
func (s *Source) land(f *flight, token Token, err *Error) {
	now, jitter := s.options.Now(), s.options.Jitter()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failures == 0 && s.renewals == 0 || (err == nil) != (s.failure == nil) || err != nil && s.failure.Reason != err.Reason {
		s.since = now
	}
	if err != nil {
		s.failures++
		s.failure = err
		s.retryAt = now.Add(backoff(s.failures, err.RetryAfter, jitter))
		f.err = err.until(s.retryAt.Sub(now))
	} else {
		s.failures, s.failure, s.retryAt = 0, nil, time.Time{}
		s.renewals++
		s.held.Store(&held{token: token, renew: token.RenewAt(jitter)})
		f.token = token
	}
	s.flight = nil
	close(f.done)
}

// backoff is the wait after so many failures in a row: half to all of 1 s, 2 s, 4 s … 1 min, and no less than the endpoint asked for.
func backoff(failures int, asked time.Duration, jitter float64) time.Duration {
	full := maxBackoff
	if failures < 7 {
		full = min(minBackoff<<(failures-1), maxBackoff)
	}
	wait := time.Duration(float64(full) * (0.5 + 0.5*min(max(jitter, 0), 1)))
	return max(wait, min(asked, MaxRetryAfter))
}

// until returns the error with another RetryAfter.
func (e *Error) until(wait time.Duration) *Error {
	again := *e
	again.RetryAfter = wait
	return &again
}
