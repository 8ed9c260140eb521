// SPDX-License-Identifier: Apache-2.0

package decisions

import "sync"

// maxLook is how many owners are looked at to find one to evict from: with thousands, looking at all would be slow.
const maxLook = 32

// limits are what a shard may use.
type limits struct {
	slots    int // of the doorkeeper
	bytes    int // of all entries
	perOwner int // of the entries of one owner
	overhead int // bytes that every entry costs beside what its value refers to
}

// shard is one part of the cache, with a lock of its own. A hit holds it for one look into the map.
type shard[V any] struct {
	limits
	mu      sync.Mutex
	door    doorkeeper // nil before the first add, as are the maps
	entries map[Key]*entry[V]
	owners  map[uint64]*ring[V] // those that have entries
	turn    *ring[V]            // whose fair share is looked at next; nil if there is no owner
	bytes   int
	stats   Stats
}

func (s *shard[V]) get(k *Key) (v V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[*k]
	if e == nil {
		s.stats.Misses++
		return v, false
	}
	s.stats.Hits++
	e.used = true
	return e.value, true
}

// open makes what an idle shard does not have.
func (s *shard[V]) open() {
	if s.door == nil {
		s.door = make(doorkeeper, s.slots)
		s.entries = make(map[Key]*entry[V])
		s.owners = make(map[uint64]*ring[V])
	}
}

func (s *shard[V]) expect(k *Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	if s.entries[*k] != nil || s.door.knows(k) {
		return true
	}
	s.door.admits(k)
	s.stats.Declined++
	return false
}

func (s *shard[V]) add(owner uint64, k *Key, v V, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if size > min(s.perOwner, s.limits.bytes)-s.overhead {
		s.stats.Declined++
		s.drop(s.entries[*k])
		return
	}
	s.open()
	if old := s.entries[*k]; old != nil {
		s.drop(old)
	} else if !s.door.admits(k) {
		s.stats.Declined++
		return
	}
	e := &entry[V]{key: *k, value: v, size: size + s.overhead}
	s.makeRoom(owner, e.size)
	s.entries[*k] = e
	s.bytes += e.size
	s.ring(owner).insert(e)
}

// makeRoom evicts until an entry of the owner fits. At first the owner's own give way to it; beyond that, whoever has
// more than an even share of the shard pays, and where that is the owner, again the owner.
func (s *shard[V]) makeRoom(owner uint64, size int) {
	for r := s.owners[owner]; r != nil && r.hand != nil && r.bytes+size > s.perOwner; {
		s.evict(r)
	}
	for s.bytes+size > s.limits.bytes {
		r := s.owners[owner]
		if r == nil || (r.bytes+size)*len(s.owners) <= s.limits.bytes {
			r = s.richest()
		}
		s.evict(r)
	}
}

// richest returns an owner with more than an even share of the shard's bytes; or, where the next few have no more than
// that, the one of them that has most.
func (s *shard[V]) richest() *ring[V] {
	most := s.turn
	for range min(len(s.owners), maxLook) {
		if s.turn.bytes*len(s.owners) > s.limits.bytes {
			return s.turn
		}
		if s.turn.bytes > most.bytes {
			most = s.turn
		}
		s.turn = s.turn.next
	}
	return most
}

func (s *shard[V]) evict(r *ring[V]) {
	s.stats.Evictions++
	s.drop(r.victim())
}

func (s *shard[V]) remove(k *Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.entries[*k])
}

// drop takes e out, if there is one, and its owner with the last entry.
func (s *shard[V]) drop(e *entry[V]) {
	if e == nil {
		return
	}
	delete(s.entries, e.key)
	s.bytes -= e.size
	r := e.owner
	r.unlink(e)
	if r.hand != nil {
		return
	}
	delete(s.owners, r.owner)
	r.prev.next, r.next.prev = r.next, r.prev
	if s.turn == r {
		s.turn = r.next
	}
	if s.turn == r {
		s.turn = nil
	}
}

// ring returns the owner's ring, a new one if there is none: the last whose turn it will be.
func (s *shard[V]) ring(owner uint64) *ring[V] {
	r := s.owners[owner]
	if r != nil {
		return r
	}
	r = &ring[V]{owner: owner}
	s.owners[owner] = r
	if s.turn == nil {
		s.turn, r.next, r.prev = r, r, r
		return r
	}
	r.next, r.prev = s.turn, s.turn.prev
	r.prev.next, r.next.prev = r, r
	return r
}

func (s *shard[V]) addTo(sum *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum.Entries += len(s.entries)
	sum.Bytes += s.bytes
	sum.Hits += s.stats.Hits
	sum.Misses += s.stats.Misses
	sum.Evictions += s.stats.Evictions
	sum.Declined += s.stats.Declined
}
