// SPDX-License-Identifier: Apache-2.0

package session

import (
	"sync"

	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Bounds of what is remembered of sessions, in number and in bytes of tokens. Beyond them any is dropped, and looked at anew when it
// is used again.
const (
	maxCached      = 20_000
	maxCachedBytes = 24 << 20
)

// cache remembers sessions that were looked at. Only sessions that exist get in, so nobody fills it with cookies of their own making.
type cache struct {
	most, mostBytes int

	mu      sync.Mutex
	entries map[store.Hash]*entry
	bytes   int
	drops   uint64 // how often drop was called
}

func newCache(most, mostBytes int) *cache {
	return &cache{most: most, mostBytes: mostBytes, entries: make(map[store.Hash]*entry)}
}

// weight is what an entry counts for, in bytes: the token and, roughly, the account that it was made from.
func (e *entry) weight() int { return 2 * len(e.token) }

// get returns nil for a session that is not remembered.
func (c *cache) get(key store.Hash) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[key]
}

// turn is handed to put by who began a look into the store now.
func (c *cache) turn() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.drops
}

// put remembers what a look found that began at a turn, unless something was dropped since then: it may be this one that has ended.
func (c *cache) put(key store.Hash, e *entry, turn uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drops != turn {
		return
	}
	c.removeLocked(key)
	for other := range c.entries { // in no order that anybody can choose
		if len(c.entries) < c.most && c.bytes+e.weight() <= c.mostBytes {
			break
		}
		c.removeLocked(other)
	}
	c.entries[key] = e
	c.bytes += e.weight()
}

func (c *cache) remove(key store.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeLocked(key)
}

// drop removes all that are chosen. It comes after they have ended in the store: a look that begins later must not find them.
func (c *cache) drop(chosen func(store.Hash, *entry) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	for key, e := range c.entries {
		if chosen(key, e) {
			c.removeLocked(key)
		}
	}
}

func (c *cache) removeLocked(key store.Hash) {
	if e, ok := c.entries[key]; ok {
		c.bytes -= e.weight()
		delete(c.entries, key)
	}
}
