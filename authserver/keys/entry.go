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

	named        bool      // by the current snapshot; guarded by engine.mu
	unnamedSince time.Time // guarded by engine.mu

	mu      sync.Mutex // never held across a fetch
	flight  *flight
	timer   *time.Timer
	stopped bool
	unknown unknownKeys
	client  *http.Client // kept so that outbound.Clients, which holds no client itself, keeps sharing it
}

// flight is one fetch that any number of callers wait for.
type flight struct {
	started time.Time
	done    chan struct{}
	asked   map[uint64]bool // key IDs of the callers, as unknownKeys.id gives them; guarded by entry.mu
}

func newEntry(e *Engine, src Source, named bool, now time.Time) *entry {
	en := &entry{engine: e, src: src, named: named, unnamedSince: now, stopped: e.ctx.Err() != nil}
	en.unknown = unknownKeys{options: &e.options, seed: e.seed}
	en.view.Store(&view{reason: ReasonNotYetFetched, since: now})
	return en
}

// key is the hot path: with the key at hand it takes one load, one clock reading and one selection.
func (en *entry) key(ctx context.Context, alg, kid string, hasKid bool) (*jwk.Key, error) {
	now := time.Now()
	if second := now.Unix(); en.lastUsed.Load() != second {
		en.lastUsed.Store(second)
	}
	v := en.view.Load()
	if v.set != nil && now.Before(v.waitAfter) {
		if now.After(v.nextAttempt) && !en.flying.Load() {
			en.refresh(now) // the timer rests when a source is idle
		}
		key, err := v.set.Select(alg, kid, hasKid)
		if err == nil || !errors.Is(err, jwk.ErrUnknownKeyID) {
			return key, err
		}
	}
	return en.keyAfterFetch(ctx, now, alg, kid, hasKid)
}

// keyAfterFetch answers when the key is not at hand: after a fetch, if one is due or in flight, else at once.
func (en *entry) keyAfterFetch(ctx context.Context, now time.Time, alg, kid string, hasKid bool) (*jwk.Key, error) {
	var waitErr error
	if f := en.join(now, en.unknown.id(kid, hasKid)); f != nil {
		waitErr = en.await(ctx, f)
	}
	v := en.view.Load()
	if !v.usable(time.Now()) {
		return nil, v.unavailable(waitErr)
	}
	key, err := v.set.Select(alg, kid, hasKid)
	if err == nil || !errors.Is(err, jwk.ErrUnknownKeyID) {
		return key, err
	}
	if waitErr != nil || v.failure != nil {
		return nil, v.unavailable(waitErr)
	}
	return nil, err
}

// join returns the fetch to wait for, starting one if that is due; nil when a fetch would be too early or of no use.
func (en *entry) join(now time.Time, id uint64) *flight {
	en.mu.Lock()
	defer en.mu.Unlock()
	v := en.view.Load()
	current := v.set != nil && now.Before(v.waitAfter) // so the kid must be unknown
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

// setNamed and unwanted are called with engine.mu held.
func (en *entry) setNamed(named bool, now time.Time) {
	if en.named && !named {
		en.unnamedSince = now
	}
	en.named = named
}

func (en *entry) unwanted(now time.Time) bool {
	drop := en.engine.options.DropAfter
	return !en.named && now.Sub(en.unnamedSince) >= drop && now.Sub(en.used()) >= drop
}

// used returns when a key was last asked for.
func (en *entry) used() time.Time { return time.Unix(en.lastUsed.Load(), 0) }
