// SPDX-License-Identifier: Apache-2.0

package decisions

import "testing"

// held returns how many of the keys are there.
func held[V any](c *Cache[V], keys []Key) (n int) {
	for _, k := range keys {
		if _, ok := c.Get(k); ok {
			n++
		}
	}
	return n
}

func fill(c *Cache[int], owner uint64, from, n uint64) []Key {
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = key(from + uint64(i))
		admit(c, owner, keys[i], 0, 500)
	}
	return keys
}

// TestFloodOfDistinctTokens guards that tokens seen once evict nothing, whoever's they are, and allocate nothing.
func TestFloodOfDistinctTokens(t *testing.T) {
	c := New[int](4*mib, mib)
	mine := fill(c, 1, 0, 500)
	before := c.Stats()
	next := uint64(1 << 20)
	if allocations := testing.AllocsPerRun(100_000, func() { c.Add(1, key(next), 0, 500); next++ }); allocations > 1 { // the one is key's
		t.Errorf("%g allocations for a token seen once", allocations)
	}
	if after := c.Stats(); after.Entries != before.Entries || after.Evictions != 0 || held(c, mine) != len(mine) {
		t.Errorf("before the flood %+v, after it %+v", before, after)
	}
}

// TestOwnersOverflowIntoThemselves guards that an owner's many repeated tokens cost nobody else an entry while there is
// room for all owners.
func TestOwnersOverflowIntoThemselves(t *testing.T) {
	c := New[int](8*mib, mib)
	small := fill(c, 1, 0, 500)
	fill(c, 2, 1<<20, 20_000)
	if n := held(c, small); n != len(small) {
		t.Errorf("%d of %d entries are left", n, len(small))
	}
	if s := c.Stats(); s.Bytes > 2*mib {
		t.Errorf("two owners hold %d bytes", s.Bytes)
	}
}

// TestOwnersShareEvenly guards that where all together overflow, those with more than an even share pay: many greedy
// owners take nothing from a modest one, whether it or they came first.
func TestOwnersShareEvenly(t *testing.T) {
	for name, first := range map[string]bool{"modest first": true, "modest last": false} {
		t.Run(name, func(t *testing.T) {
			c := New[int](4*mib, mib)
			var modest []Key
			if first {
				modest = fill(c, 99, 0, 100)
			}
			for owner := range uint64(20) {
				fill(c, owner, (owner+1)<<20, 3000)
			}
			if !first {
				modest = fill(c, 99, 0, 100)
			}
			if n := held(c, modest); n != len(modest) {
				t.Errorf("the modest owner has %d of its %d entries left", n, len(modest))
			}
		})
	}
}

// TestWhatIsUsedStays guards CLOCK: of an owner that overflows slowly, the tokens that are asked for stay.
func TestWhatIsUsedStays(t *testing.T) {
	c := New[int](mib, mib)
	hot := fill(c, 1, 0, 200)
	for i := range uint64(20_000) {
		admit(c, 1, key(1<<20+i), 0, 500)
		if i%50 == 0 {
			held(c, hot)
		}
	}
	if n := held(c, hot); n != len(hot) {
		t.Errorf("%d of %d tokens in use are left", n, len(hot))
	}
	if s := c.Stats(); s.Evictions < 10_000 {
		t.Errorf("the load did not overflow the cache: %+v", s)
	}
}

// TestHitDoesNotAllocate guards what a repeated token costs.
func TestHitDoesNotAllocate(t *testing.T) {
	c := New[*int](mib, mib)
	k := key(1)
	admit(c, 1, k, new(int), 100)
	if n := testing.AllocsPerRun(1000, func() {
		if _, ok := c.Get(k); !ok {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("%g allocations a hit", n)
	}
}

// TestExpect guards that asking first changes nothing about what is admitted: a key is expected from the second time on, is
// then admitted at once, and stays expected while it is there.
func TestExpect(t *testing.T) {
	c := New[int](mib, mib)
	if c.Expect(key(1)) {
		t.Error("a key never seen is expected")
	}
	if !c.Expect(key(1)) || !c.Expect(key(1)) || c.Expect(key(2)) {
		t.Error("a key seen once is not expected, or another is")
	}
	c.Add(1, key(1), 7, 100)
	if v, ok := c.Get(key(1)); !ok || v != 7 || !c.Expect(key(1)) {
		t.Errorf("%d %v after the key was expected and added", v, ok)
	}
	c.Add(1, key(3), 0, 100) // the first time
	if !c.Expect(key(3)) {
		t.Error("a key that was added once is not expected")
	}
	if s := c.Stats(); s.Entries != 1 || s.Declined != 3 {
		t.Errorf("%+v", s)
	}
	if none := New[int](0, 0); none.Expect(key(1)) || none.Expect(key(1)) {
		t.Error("a cache without room expects a key")
	}
}
