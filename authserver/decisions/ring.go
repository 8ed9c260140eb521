// SPDX-License-Identifier: Apache-2.0

package decisions

// entry is one decision, and its place among those of its owner.
type entry[V any] struct {
	key        Key
	value      V
	size       int
	owner      *ring[V]
	next, prev *entry[V]
	used       bool // asked for since the hand passed
}

// ring holds the entries of one owner in a shard in a circle, and the hand of its CLOCK. Rings in turn form a circle, so
// that an owner to evict from is found without looking at all of them.
type ring[V any] struct {
	owner      uint64
	bytes      int
	hand       *entry[V] // the next to be considered; nil if there is none
	next, prev *ring[V]
}

// insert puts e where the hand comes last.
func (r *ring[V]) insert(e *entry[V]) {
	e.owner = r
	r.bytes += e.size
	if r.hand == nil {
		r.hand, e.next, e.prev = e, e, e
		return
	}
	e.next, e.prev = r.hand, r.hand.prev
	e.prev.next, e.next.prev = e, e
}

func (r *ring[V]) unlink(e *entry[V]) {
	r.bytes -= e.size
	if e.next == e {
		r.hand = nil
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	if r.hand == e {
		r.hand = e.next
	}
}

// victim moves the hand to the first entry that was not used since it last passed, within one round and a step.
func (r *ring[V]) victim() *entry[V] {
	for r.hand.used {
		r.hand.used = false
		r.hand = r.hand.next
	}
	return r.hand
}
