// SPDX-License-Identifier: Apache-2.0

package keys

import "time"

// start begins a fetch; mu is held and none is in flight. The fetch belongs to the engine, not to a caller.
func (en *entry) start(now time.Time) {
	f := &flight{started: now, done: make(chan struct{}), asked: make(map[uint64]bool)}
	en.flight = f
	en.flying.Store(true)
	if en.timer != nil {
		en.timer.Stop()
	}
	seen := en.read
	en.engine.work.Go(func() {
		result := en.fetch(seen)
		en.land(f, result)
	})
}

// fetch turns a panic into a failure: what is fetched is hostile, and one tenant's must not end the process for all.
func (en *entry) fetch(seen readings) (result fetched) {
	defer func() {
		if v := recover(); v != nil {
			result = fetched{failure: explain(recovered(v), &keySet, "")}
		}
	}()
	return en.engine.fetch(en.engine.ctx, en.src, seen)
}

// land publishes what a fetch brought, plans the next one and lets the callers go on.
func (en *entry) land(f *flight, result fetched) {
	now := time.Now()
	o := &en.engine.options
	started := f.started
	if !result.started.IsZero() && result.started.Before(started) {
		started = result.started // it tells of that moment, whoever asked
	}

	en.mu.Lock()
	next := en.view.Load().after(result, started, now, time.Duration(en.interval.Load()), o)
	en.view.Store(next)
	if result.failure == nil {
		en.unknown.landed(result.set, f.asked, started)
	}
	en.read, en.client = result.read, result.client
	en.flight = nil
	en.flying.Store(false)
	if !en.stopped && en.engine.ctx.Err() == nil {
		en.timer = time.AfterFunc(next.nextAttempt.Sub(now), en.tick)
	}
	en.mu.Unlock()

	close(f.done)
	if o.Hooks.Fetched != nil && !result.shared {
		o.Hooks.Fetched(en.src, next.status(now), now.Sub(f.started))
	}
}

// tick is the timer: it refreshes while the source is in use. A source that rests is fetched on its next use.
func (en *entry) tick() {
	now := time.Now()
	if now.Sub(en.used()) <= en.engine.options.IdleAfter {
		en.refresh(now)
	}
}

// stop ends the timer; a fetch in flight still lands.
func (en *entry) stop() {
	en.mu.Lock()
	defer en.mu.Unlock()
	en.stopped = true
	if en.timer != nil {
		en.timer.Stop()
	}
}
