// SPDX-License-Identifier: Apache-2.0

package decisions

import "reflect"

const (
	maxShards    = 16       // a power of two, at most 256
	leastPerPart = 64 << 10 // bytes of an owner's bound that a shard must hold, or there are fewer shards

	// mapSlots is what an entry costs in its shard's maps of entries and of owners at the least load they come to. Each
	// entry is charged as if it were its owner's only one.
	mapSlots = 192
)

// Key is the hash of everything that decided; SHA-256 or another whose output is spread evenly.
type Key [32]byte

// Cache is a bounded map from keys to decisions. Its methods may be called from several goroutines.
type Cache[V any] struct {
	shards []shard[V] // a power of two of them
	mask   byte
}

// New returns an empty cache that holds at most maxBytes in all and maxBytesPerOwner for any one owner, the cache's own
// bookkeeping included. With a bound of 0 or less it holds nothing.
func New[V any](maxBytes, maxBytesPerOwner int) *Cache[V] {
	maxBytesPerOwner = min(maxBytes, maxBytesPerOwner)
	if maxBytesPerOwner <= 0 {
		return &Cache[V]{}
	}
	n := maxShards
	for n > 1 && maxBytesPerOwner/n < leastPerPart {
		n /= 2
	}
	c := &Cache[V]{shards: make([]shard[V], n), mask: byte(n - 1)}
	slots := doorkeeperSlots(maxBytes / n)
	for i := range c.shards {
		c.shards[i].limits = limits{
			slots:    slots,
			bytes:    maxBytes/n - slots*fingerprintSize,
			perOwner: maxBytesPerOwner / n,
			overhead: int(reflect.TypeFor[entry[V]]().Size()+reflect.TypeFor[ring[V]]().Size()) + mapSlots,
		}
	}
	return c
}

// Get returns what was added under k. It does not allocate.
func (c *Cache[V]) Get(k Key) (V, bool) {
	if len(c.shards) == 0 {
		var none V
		return none, false
	}
	return c.shards[k[0]&c.mask].get(&k)
}

// Add offers a decision. It is declined if k is seen for the first time or the decision is too large; else it replaces
// what k stood for, and others give way to it. size is what v refers to, in bytes; v itself and the bookkeeping are
// added to it.
func (c *Cache[V]) Add(owner uint64, k Key, v V, size int) {
	if len(c.shards) > 0 {
		c.shards[k[0]&c.mask].add(owner, &k, v, max(size, 0))
	}
}

// Expect tells whether Add would admit k: it is there, or was asked about or added once before. Who asks first need not make
// the value of a key that never comes again.
func (c *Cache[V]) Expect(k Key) bool {
	return len(c.shards) > 0 && c.shards[k[0]&c.mask].expect(&k)
}

// Remove takes out what was added under k, such as a decision that holds no longer.
func (c *Cache[V]) Remove(k Key) {
	if len(c.shards) > 0 {
		c.shards[k[0]&c.mask].remove(&k)
	}
}

// Stats says how a cache is doing. Entries and Bytes are of now, the others count from the start.
type Stats struct {
	Entries   int
	Bytes     int // of entries, bookkeeping included
	Hits      uint64
	Misses    uint64
	Evictions uint64 // to make room; neither replaced nor removed
	Declined  uint64 // not added
}

// Stats adds up the shards, one after the other: it is no snapshot of one moment.
func (c *Cache[V]) Stats() Stats {
	var sum Stats
	for i := range c.shards {
		c.shards[i].addTo(&sum)
	}
	return sum
}
