// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// mint hands out tokens that live for life, or errors, and takes a second for it.
type mint struct {
	life  time.Duration
	err   atomic.Pointer[Error]
	calls atomic.Int64
	ended atomic.Int64 // flights whose context ended
}

func (m *mint) obtain(ctx context.Context) (Token, error) {
	n := m.calls.Add(1)
	asked := time.Now()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		m.ended.Add(1)
		return Token{}, ctx.Err()
	}
	if err := m.err.Load(); err != nil {
		return Token{}, err
	}
	return Token{Value: fmt.Sprint("token-", n), Type: Bearer, IssuedAt: asked, ExpiresAt: asked.Add(m.life)}, nil
}

func (m *mint) source() *Source {
	return NewSource(SourceOptions{Obtain: m.obtain, Now: time.Now, Jitter: func() float64 { return 0 }})
}

// get demands a token.
func get(t *testing.T, s *Source, want string) {
	t.Helper()
	if token, err := s.Get(context.Background()); err != nil || token.Value != want {
		t.Errorf("%q, %v; want %q", token.Value, err, want)
	}
}

// fails demands an [*Error] and no token.
func fails(t *testing.T, s *Source) *Error {
	t.Helper()
	token, err := s.Get(context.Background())
	told := new(Error)
	if !errors.As(err, &told) || token != (Token{}) {
		t.Errorf("%q, %v; want an error", token.Value, err)
	}
	return told
}

// TestSourceRenewsAhead walks through two lives of a token.
func TestSourceRenewsAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{life: 100 * time.Second}
		s := m.source()
		if _, ok := s.Cached(time.Now()); ok || s.Status().Fetched || s.Status().Reason() != "NotYetFetched" || m.calls.Load() != 0 {
			t.Error("a token before the first flight")
		}
		start := time.Now()
		get(t, s, "token-1")
		if time.Since(start) != time.Second {
			t.Errorf("it took %s", time.Since(start))
		}
		time.Sleep(79*time.Second - time.Nanosecond)
		get(t, s, "token-1")
		synctest.Wait()
		if m.calls.Load() != 1 {
			t.Error("renewed too early")
		}
		time.Sleep(time.Nanosecond) // 80 s after it was asked for
		for range 3 {
			get(t, s, "token-1") // at once, while the next is on its way
		}
		if time.Since(start) != 80*time.Second {
			t.Error("an answer waited for the renewal")
		}
		time.Sleep(2 * time.Second)
		get(t, s, "token-2")
		if got := s.Status(); m.calls.Load() != 2 || got.Renewals != 2 || got.Reason() != "Ready" || !got.Ready(time.Now()) || !got.ValidUntil.Equal(start.Add(180*time.Second)) ||
			!got.RenewAt.Equal(start.Add(160*time.Second)) || !got.Since.Equal(start.Add(time.Second)) {
			t.Errorf("%d calls, %+v", m.calls.Load(), got)
		}
		time.Sleep(time.Hour)
		get(t, s, "token-3")
		if m.calls.Load() != 3 {
			t.Errorf("%d calls, although nobody asked", m.calls.Load())
		}
	})
}

// TestSourceFliesOnce guards the endpoint: however many ask, and whoever of them gives up, it is asked once.
func TestSourceFliesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{life: time.Hour}
		s := m.source()
		impatient, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		if _, err := s.Get(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the caller's deadline", err)
		}
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { get(t, s, "token-1") })
		}
		all.Wait()
		if m.calls.Load() != 1 || m.ended.Load() != 0 {
			t.Errorf("%d flights, %d ended with a caller", m.calls.Load(), m.ended.Load())
		}
		if token, err := s.Get(impatient); err != nil || token.Value != "token-1" {
			t.Errorf("%v: a caller whose time is over gets what is at hand", err)
		}
	})
}

// TestSourceBoundsItsQueue guards the server while an endpoint hangs: so many wait, each further caller is told at once, and a place that somebody leaves is free again.
func TestSourceBoundsItsQueue(t *testing.T) {
	for _, row := range []struct{ option, bound int }{{0, 256}, {3, 3}} {
		synctest.Test(t, func(t *testing.T) {
			m := &mint{life: time.Hour}
			s := NewSource(SourceOptions{Obtain: m.obtain, Now: time.Now, Jitter: func() float64 { return 0 }, MaxWaiting: row.option})
			start := time.Now()
			impatient, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			var all sync.WaitGroup
			all.Go(func() {
				if _, err := s.Get(impatient); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want the caller's deadline", err)
				}
			})
			for range row.bound - 1 {
				all.Go(func() { get(t, s, "token-1") })
			}
			synctest.Wait()
			for range 5000 {
				if told := fails(t, s); told.Reason != ReasonTooManyWaiting || told.RetryAfter != time.Second || !told.Away() || told.Timeout() {
					t.Fatalf("%+v", told)
				}
			}
			if time.Since(start) != 0 {
				t.Errorf("whoever is too many waited for %s", time.Since(start))
			}
			<-impatient.Done()
			synctest.Wait()
			all.Go(func() { get(t, s, "token-1") })
			synctest.Wait()
			_ = fails(t, s)
			if got := s.Status(); got.Failure != nil || got.Failures != 0 {
				t.Errorf("a crowd is no failure of the endpoint: %+v", got)
			}
			all.Wait()
			get(t, s, "token-1")
			if took := time.Since(start); took != time.Second || m.calls.Load() != 1 {
				t.Errorf("%d flights in %s", m.calls.Load(), took)
			}
		})
	}
}

// TestSourceBacksOff guards an endpoint that is down from being asked again and again, and callers from waiting for it.
func TestSourceBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{life: time.Hour}
		m.err.Store(&Error{Reason: ReasonBadStatus, Status: 500, Message: "tokenEndpoint: x answered with status 500"})
		s := m.source()
		for i, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			wait = wait * time.Second / 2 // with jitter 0
			if told := fails(t, s); told.Reason != ReasonBadStatus || told.RetryAfter != wait {
				t.Errorf("failure %d: %v, retry after %s, want %s", i+1, told, told.RetryAfter, wait)
			}
			before := time.Now()
			time.Sleep(wait - time.Nanosecond)
			if told := fails(t, s); told.RetryAfter != time.Nanosecond || told.Status != 500 || time.Since(before) != wait-time.Nanosecond {
				t.Errorf("failure %d: from memory %v, retry after %s", i+1, told, told.RetryAfter)
			}
			if m.calls.Load() != int64(i+1) {
				t.Errorf("%d calls, want %d", m.calls.Load(), i+1)
			}
			time.Sleep(time.Nanosecond)
		}
		if got := s.Status(); got.Failures != 9 || got.Reason() != ReasonBadStatus || got.Ready(time.Now()) || !got.Fetched {
			t.Errorf("%+v", got)
		}
		m.err.Store(nil)
		get(t, s, "token-10")
		if got := s.Status(); got.Failures != 0 || got.Failure != nil || !got.RetryAt.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}

// TestSourceHeedsRetryAfter, within bounds.
func TestSourceHeedsRetryAfter(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{0: time.Second / 2, time.Millisecond: time.Second / 2, 90 * time.Second: 90 * time.Second, 24 * time.Hour: MaxRetryAfter} {
		synctest.Test(t, func(t *testing.T) {
			m := &mint{}
			m.err.Store(&Error{Reason: ReasonBadStatus, RetryAfter: asked})
			if told := fails(t, m.source()); told.RetryAfter != want {
				t.Errorf("asked for %s: %s, want %s", asked, told.RetryAfter, want)
			}
		})
	}
}

// TestSourceKeepsTheOldToken while it is valid and renewals fail, and not a moment longer.
func TestSourceKeepsTheOldToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{life: 100 * time.Second}
		s := m.source()
		start := time.Now()
		get(t, s, "token-1")
		m.err.Store(&Error{Reason: ReasonUnreachable})
		for time.Since(start) < 100*time.Second-time.Millisecond {
			get(t, s, "token-1")
			time.Sleep(100 * time.Millisecond)
		}
		if got := m.calls.Load(); got < 4 || got > 8 {
			t.Errorf("%d calls in 20 s", got)
		}
		if got := s.Status(); !got.Since.Equal(start.Add(81*time.Second)) || got.Renewals != 1 {
			t.Errorf("%+v", got)
		}
		time.Sleep(time.Until(start.Add(100 * time.Second)))
		if told := fails(t, s); told.Reason != ReasonUnreachable {
			t.Error(told)
		}
		if _, ok := s.Cached(time.Now()); ok {
			t.Error("an expired token")
		}
	})
}

// TestSourceSurvivesFaults guards the server against an Obtain that panics, hangs, answers late or with an error of its own.
func TestSourceSurvivesFaults(t *testing.T) {
	for name, row := range map[string]struct {
		obtain  func(context.Context) (Token, error)
		reason  string
		timeout bool
	}{
		"panic":     {func(context.Context) (Token, error) { panic("hunter2") }, ReasonInternalError, false},
		"own error": {func(context.Context) (Token, error) { return Token{}, errors.New("hunter2") }, ReasonInternalError, false},
		"hang":      {func(ctx context.Context) (Token, error) { <-ctx.Done(); return Token{}, ctx.Err() }, ReasonInternalError, true},
		"no token":  {func(context.Context) (Token, error) { return Token{ExpiresAt: time.Now().Add(time.Hour)}, nil }, ReasonBadContent, false},
		"too late":  {func(context.Context) (Token, error) { return Token{Value: "t", ExpiresAt: time.Now()}, nil }, ReasonBadContent, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var done []error
				s := NewSource(SourceOptions{Obtain: row.obtain, Now: time.Now, Jitter: func() float64 { return 0 }, Done: func(err error) { done = append(done, err) }})
				start := time.Now()
				told := fails(t, s)
				if took := time.Since(start); took > flightTime {
					t.Errorf("it took %s", took)
				}
				if told.Reason != row.reason || told.Timeout() != row.timeout || strings.Contains(told.Error(), "hunter2") {
					t.Errorf("%v, want %s", told, row.reason)
				}
				synctest.Wait()
				if len(done) != 1 || done[0] == nil {
					t.Errorf("told of %v", done)
				}
			})
		})
	}
}

// TestSourceEndsWithItsContext guards shutdown: no flight outlives it. Done is told nil of one that went well.
func TestSourceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{life: 10 * time.Second}
		ctx, cancel := context.WithCancel(context.Background())
		var done []error
		s := NewSource(SourceOptions{Obtain: m.obtain, Now: time.Now, Jitter: rand.Float64, Context: ctx, Done: func(err error) { done = append(done, err) }})
		get(t, s, "token-1")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if len(done) != 1 || done[0] != nil {
			t.Errorf("told of %v", done)
		}
		time.AfterFunc(time.Millisecond, cancel)
		start := time.Now()
		if told := fails(t, s); time.Since(start) != time.Millisecond || told.Reason != ReasonInternalError {
			t.Errorf("it took %s", time.Since(start))
		}
		synctest.Wait()
		if len(done) != 2 || done[1] == nil {
			t.Errorf("told of %v", done)
		}
	})
}

// TestSourcesAreSpread guards the endpoint against a burst: sources filled at once do not renew at once, nor retry at once.
func TestSourcesAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{life: 1000 * time.Second}
		random := rand.New(rand.NewPCG(1, 2))
		renew, retry := map[time.Duration]int{}, map[time.Duration]int{}
		for i := range 2000 {
			if i == 1000 {
				m.err.Store(&Error{Reason: ReasonUnreachable})
			}
			s := NewSource(SourceOptions{Obtain: m.obtain, Now: time.Now, Jitter: random.Float64})
			if _, err := s.Get(context.Background()); err == nil {
				renew[time.Until(s.Status().RenewAt).Truncate(10*time.Second)]++
			} else {
				retry[time.Until(s.Status().RetryAt).Truncate(100*time.Millisecond)]++
			}
		}
		for bucket, n := range renew {
			if n > 150 {
				t.Errorf("%d of 1000 renew at %s", n, bucket)
			}
		}
		for bucket, n := range retry {
			if n > 260 {
				t.Errorf("%d of 1000 retry after %s", n, bucket)
			}
		}
		if len(renew) < 10 || len(retry) < 5 {
			t.Errorf("%v, %v", renew, retry)
		}
	})
}

// TestIdleSourcesAreSmall guards the memory of a server with a thousand of them: less than 1 KiB each beside the token, and no goroutine.
func TestIdleSourcesAreSmall(t *testing.T) {
	const count = 1000
	obtain := func(context.Context) (Token, error) {
		return Token{Value: "t", Type: Bearer, IssuedAt: now, ExpiresAt: now.Add(time.Hour)}, nil
	}
	var before, after runtime.MemStats
	goroutines := runtime.NumGoroutine()
	runtime.GC()
	runtime.ReadMemStats(&before)
	sources := make([]*Source, count)
	for i := range sources {
		sources[i] = NewSource(SourceOptions{Obtain: obtain, Now: func() time.Time { return now }, Jitter: func() float64 { return 0 }})
		if _, err := sources[i].Get(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > goroutines && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / count; each > 1024 || runtime.NumGoroutine() > goroutines {
		t.Errorf("%d bytes each, %d goroutines more", each, runtime.NumGoroutine()-goroutines)
	}
	runtime.KeepAlive(sources)
}

// BenchmarkSourceGet is the cost of a token from memory.
func BenchmarkSourceGet(b *testing.B) {
	s := NewSource(SourceOptions{
		Obtain: func(context.Context) (Token, error) {
			return Token{Value: "t", Type: Bearer, IssuedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}, nil
		},
		Now: time.Now, Jitter: rand.Float64,
	})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
