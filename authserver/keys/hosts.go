// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"sync"
)

// hostLimits bounds the fetches in flight per host: a provider with a thousand tenants is not stormed, and a thousand
// sources at a host that hangs hold no more connections than its share.
type hostLimits struct {
	perHost int
	mu      sync.Mutex
	slots   map[string]*hostSlot
}

type hostSlot struct {
	turns chan struct{}
	users int // those that wait or fetch; the slot goes with the last
}

// acquire waits for a turn at the host and returns what ends it.
func (h *hostLimits) acquire(ctx context.Context, host string) (release func(), err error) {
	h.mu.Lock()
	slot := h.slots[host]
	if slot == nil {
		slot = &hostSlot{turns: make(chan struct{}, h.perHost)}
		h.slots[host] = slot
	}
	slot.users++
	h.mu.Unlock()

	leave := func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if slot.users--; slot.users == 0 {
			delete(h.slots, host)
		}
	}
	select {
	case slot.turns <- struct{}{}:
		return func() { <-slot.turns; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}
