// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/netip"
	"sync"
	"time"
)

// How often one network may ask for the beginning or the end of a login at a provider. A login takes both: sixty people behind one
// address can log in at once, and one more each second. Each replica counts by itself.
const (
	tempoBurst    = 120
	tempoInterval = 500 * time.Millisecond // until one more is allowed
	// tempoNetworks bounds the networks that are remembered, some 100 bytes each.
	tempoNetworks = 32768
)

// tempo limits the rate at which each network may ask. It remembers nothing of a network but when its allowance will be whole
// again (the generic cell rate algorithm, which is a token bucket in one number).
//
// Networks are in two generations: once the young one is half of tempoNetworks, it becomes the old one, and what was old is
// forgotten. So who asked last is remembered longest, and whoever has more than tempoNetworks/2 networks can have his forgotten.
type tempo struct {
	now  func() time.Time
	most int

	mu         sync.Mutex
	young, old map[netip.Prefix]time.Time
}

func newTempo(now func() time.Time) *tempo {
	return &tempo{now: now, most: tempoNetworks / 2, young: make(map[netip.Prefix]time.Time)}
}

// allow counts a request of the network, or returns how long it has to wait for the next one, which then was not counted.
func (t *tempo) allow(network netip.Prefix) (wait time.Duration) {
	now := t.now()
	t.mu.Lock()
	defer t.mu.Unlock()
	whole, ok := t.young[network]
	if !ok {
		whole = t.old[network]
	}
	// A clock that was set back must not make anybody wait for longer than after a whole burst.
	if whole.Before(now) || whole.Sub(now) > tempoBurst*tempoInterval {
		whole = now
	}
	next := whole.Add(tempoInterval)
	if wait = next.Sub(now) - tempoBurst*tempoInterval; wait > 0 {
		return wait
	}
	if !ok && len(t.young) >= t.most {
		t.old, t.young = t.young, make(map[netip.Prefix]time.Time)
	}
	t.young[network] = next
	return 0
}
