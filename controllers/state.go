// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// serverState is what the operator remembers of one auth server between passes. All of it can be lost: a new
// process finds everything again from the API server and the pods. No value of a Secret is in it.
//
// The queue runs one pass per server at a time, so only change and written, which event handlers touch, need locks.
type serverState struct {
	change  change
	written ownWrites
	applied map[objectID]appliedRecord
	refused refusals
	ledger  ledger
	pods    podViews
	keys    keyState
	// last is what the last whole pass found; nil before the first.
	last    *pass
	trouble trouble
	// memo spares a pass what the last one judged.
	memo render.Memo
	// server is the AuthServer that all of this is about; empty when there is none, and before adopt.
	server types.UID
	// unreferencedSince is set while nothing refers to an auto-created server.
	unreferencedSince time.Time
}

// change tells that a whole pass is due. Event handlers set it; a pass takes it.
type change struct {
	mu    sync.Mutex
	since time.Time // zero: nothing has changed
}

// mark notes a change at a time, which may lie ahead. The earliest one starts the batch.
func (c *change) mark(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() || now.Before(c.since) {
		c.since = now
	}
}

// take returns true, and forgets the change, when it is at least batch old. Otherwise it returns how long to
// wait; zero when there is nothing to wait for.
func (c *change) take(now time.Time, batch time.Duration) (bool, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return false, 0
	}
	if wait := batch - now.Sub(c.since); wait > 0 {
		return false, wait
	}
	c.since = time.Time{}
	return true, 0
}

// left is how long to wait for a change that is not due yet; the shortest time for one that is; zero for none.
func (c *change) left(now time.Time, batch time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return 0
	}
	return max(time.Millisecond, batch-now.Sub(c.since))
}

// states holds the state of every auth server that was ever asked for and still matters.
type states struct {
	mu sync.Mutex
	m  map[types.NamespacedName]*serverState
}

func newStates() *states { return &states{m: map[types.NamespacedName]*serverState{}} }

// of returns the server's state. A new one has a change to make, so that the first request is a whole pass.
func (s *states) of(name types.NamespacedName) *serverState {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.m[name]
	if !ok {
		st = &serverState{applied: map[objectID]appliedRecord{}, refused: refusals{}}
		st.change.since = longAgo
		s.m[name] = st
	}
	return st
}

// drop forgets a server that is gone and that nothing refers to.
func (s *states) drop(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.m, name)
}

// ownWrites holds, for each managed object, the last version that we wrote and the last that the cache has shown. The
// events of our own writes start no pass, and a cache that has not heard of a write is told from one that shows that
// somebody undid it.
type ownWrites struct {
	mu sync.Mutex
	m  map[types.UID]*ownWrite
}

type ownWrite struct {
	written, shown string
	// seen tells that the cache has shown what we wrote, or that the object is gone.
	seen bool
}

func (w *ownWrites) of(uid types.UID) *ownWrite {
	if w.m == nil {
		w.m = map[types.UID]*ownWrite{}
	}
	if w.m[uid] == nil {
		w.m[uid] = &ownWrite{}
	}
	return w.m[uid]
}

// add notes a write. The event of it may have come before the API server's answer.
func (w *ownWrites) add(uid types.UID, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.of(uid)
	o.written, o.seen = version, o.shown == version
}

// show notes what the cache shows and tells whether that is what we wrote.
func (w *ownWrites) show(uid types.UID, version string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.of(uid)
	o.shown = version
	o.seen = o.seen || o.written == version
	return o.written == version
}

// gone notes that the cache has lost the object.
func (w *ownWrites) gone(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of(uid).seen = true
}

func (w *ownWrites) seen(uid types.UID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of(uid).seen
}

func (w *ownWrites) remove(uid types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.m, uid)
}
