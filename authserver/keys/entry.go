// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// entry is one source: what is known of it, and the fetch in flight, if any.
type entry struct {
	engine *Engine
	src    Source

	view     atomic.Pointer[view]
	lastUsed atomic.Int64 // Unix seconds
	waiters  atomic.Int64
	flying   atomic.Bool // mirrors flight != nil, for the hot path

	// Guarded by engine.mu.
	named        bool      // by the snapshot of generation
	generation   uint64    // of the last call of Name that named it
	unnamedSince time.Time // while it is not named

	interval atomic.Int64 // time.Duration between fetches

	mu      sync.Mutex // never held across a fetch
	flight  *flight
	timer   *time.Timer
	stopped bool
	unknown unknownKeys
	read    readings     // of the last fetch
	client  *http.Client // kept so that outbound.Clients, which holds no client itself, keeps sharing it
}

// flight is one fetch that any number of callers wait for.
type flight struct {
	started time.Time
	done    chan struct{}
	asked   map[uint64]bool // key IDs of the callers, as unknownKeys.id gives them; guarded by entry.mu
}

func newEntry(e *Engine, src Source, now time.Time) *entry {
	en := &entry{engine: e, src: src, unnamedSince: now, stopped: e.ctx.Err() != nil}
	en.interval.Store(int64(e.options.RefreshInterval))
	en.unknown = unknownKeys{options: &e.options, seed: e.seed}
	en.view.Store(&view{reason: ReasonNotYetFetched, since: now})
	return en
}

// use notes that the source is wanted and returns what may answer without a wait, nil if nothing may.
func (en *entry) use(now time.Time, maxStale time.Duration) *view {
	if second := now.Unix(); en.lastUsed.Load() != second {
		en.lastUsed.Store(second)
	}
	v := en.view.Load()
	if !v.current(now, maxStale) {
		return nil
	}
	if now.After(v.nextAttempt) && !en.flying.Load() {
		en.refresh(now) // the timer rests when a source is idle
	}
	return v
}

// find is the hot path: with the key at hand it takes one load, one clock reading and one selection.
func (en *entry) find(ctx context.Context, a Ask) (Found, error) {
	now := time.Now()
	if v := en.use(now, a.MaxStale); v != nil {
		key, err := v.set.Select(a.Algorithm, a.KeyID, a.HasKeyID)
		if err == nil {
			return Found{key, v.set}, nil
		}
		if !errors.Is(err, jwk.ErrUnknownKeyID) {
			return Found{}, err
		}
	}
	return en.findAfterFetch(ctx, now, a)
}

// findAfterFetch answers when the key is not at hand: after a fetch, if one is due or in flight, else at once.
func (en *entry) findAfterFetch(ctx context.Context, now time.Time, a Ask) (Found, error) {
	var waitErr error
	if f := en.join(now, a); f != nil {
		waitErr = en.await(ctx, f)
	}
	v := en.view.Load()
	if !v.usable(time.Now(), a.MaxStale) {
		return Found{}, v.unavailable(waitErr)
	}
	key, err := v.set.Select(a.Algorithm, a.KeyID, a.HasKeyID)
	switch {
	case err == nil:
		return Found{key, v.set}, nil
	case errors.Is(err, jwk.ErrUnknownKeyID) && (waitErr != nil || v.failure != nil):
		return Found{}, v.unavailable(waitErr)
	}
	return Found{}, err
}

// join returns the fetch to wait for, starting one if that is due; nil when a fetch would be too early or of no use.
func (en *entry) join(now time.Time, a Ask) *flight {
	id := en.unknown.id(a.KeyID, a.HasKeyID)
	en.mu.Lock()
	defer en.mu.Unlock()
	v := en.view.Load()
	current := v.current(now, a.MaxStale) // so the kid must be unknown
	switch {
	case en.stopped:
		return nil
	case current && v.failure == nil && !en.unknown.due(id, now):
		return nil
	case en.flight != nil:
	case v.failure != nil && now.Before(v.nextAttempt):
		return nil
	default:
		en.start(now)
	}
	if len(en.flight.asked) < maxUnknownKeys {
		en.flight.asked[id] = true
	}
	return en.flight
}

// await waits for a fetch, within the caller's context and the engine's bounds.
func (en *entry) await(ctx context.Context, f *flight) error {
	o := &en.engine.options
	if en.waiters.Add(1) > int64(o.MaxWaiters) {
		en.waiters.Add(-1)
		return fmt.Errorf("more than %d requests wait for them", o.MaxWaiters)
	}
	defer en.waiters.Add(-1)
	limit := o.MaxWait
	if en.view.Load().failure != nil {
		limit /= 5 // a server that is down should not hold up every request anew at each attempt
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-f.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("no answer within %s", limit)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// refresh starts a fetch that nobody waits for, unless one is in flight.
func (en *entry) refresh(now time.Time) {
	en.mu.Lock()
	defer en.mu.Unlock()
	if en.flight == nil && !en.stopped && !now.Before(en.view.Load().nextAttempt) {
		en.start(now)
	}
}

// setInterval changes the time between fetches; it counts at once.
func (en *entry) setInterval(d time.Duration) {
	if en.interval.Load() == int64(d) {
		return
	}
	en.mu.Lock()
	defer en.mu.Unlock()
	en.interval.Store(int64(d))
	v := en.view.Load().retimed(d, &en.engine.options)
	en.view.Store(v)
	if en.timer != nil && en.flight == nil && !en.stopped && en.timer.Stop() {
		en.timer.Reset(time.Until(v.nextAttempt))
	}
}

// unwanted is called with engine.mu held.
func (en *entry) unwanted(now time.Time) bool {
	drop := en.engine.options.DropAfter
	return !en.named && now.Sub(en.unnamedSince) >= drop && now.Sub(en.used()) >= drop
}

// used returns when a key was last asked for.
func (en *entry) used() time.Time { return time.Unix(en.lastUsed.Load(), 0) }
