// SPDX-License-Identifier: Apache-2.0

package decisions

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

func key(n uint64) Key {
	return sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
}

// admit adds twice, which the doorkeeper asks for.
func admit[V any](c *Cache[V], owner uint64, k Key, v V, size int) {
	c.Add(owner, k, v, size)
	c.Add(owner, k, v, size)
}

// TestCacheAdmitsTheSecondTime guards that a token seen once costs no entry, and one seen twice is answered.
func TestCacheAdmitsTheSecondTime(t *testing.T) {
	c := New[string](mib, mib)
	k := key(1)
	c.Add(7, k, "first", 5)
	if v, ok := c.Get(k); ok {
		t.Fatalf("after the first add: got %q, want nothing", v)
	}
	c.Add(7, k, "second", 6)
	if v, ok := c.Get(k); !ok || v != "second" {
		t.Fatalf("after the second add: got %q, %t", v, ok)
	}
	c.Add(7, k, "third", 5)
	if v, ok := c.Get(k); !ok || v != "third" {
		t.Fatalf("after a replacement: got %q, %t", v, ok)
	}
	if _, ok := c.Get(key(2)); ok {
		t.Fatal("a key never added was found")
	}
	c.Remove(k)
	c.Remove(key(2))
	if _, ok := c.Get(k); ok {
		t.Fatal("a removed key was found")
	}
	want := Stats{Hits: 2, Misses: 3, Declined: 1}
	if got := c.Stats(); got != want {
		t.Fatalf("stats %+v, want %+v", got, want)
	}
}

// TestCacheThatHoldsNothing guards that bounds of 0 switch the cache off.
func TestCacheThatHoldsNothing(t *testing.T) {
	for _, c := range []*Cache[int]{New[int](0, mib), New[int](mib, 0), New[int](-1, -1), {}} {
		admit(c, 1, key(1), 1, 1)
		c.Remove(key(1))
		if _, ok := c.Get(key(1)); ok || c.Stats() != (Stats{}) {
			t.Errorf("an entry in a cache without room: %+v", c.Stats())
		}
	}
}

// TestCacheDeclinesWhatIsTooLarge guards that one decision cannot empty the cache, and that one that grew too large does
// not leave what it should have replaced.
func TestCacheDeclinesWhatIsTooLarge(t *testing.T) {
	c := New[int](8*mib, mib)
	admit(c, 1, key(1), 1, 100)
	admit(c, 1, key(2), 2, mib)
	if _, ok := c.Get(key(2)); ok {
		t.Error("a decision as large as its owner's bound was kept")
	}
	c.Add(1, key(1), 3, mib)
	if v, ok := c.Get(key(1)); ok {
		t.Errorf("got %d in place of a replacement that was declined", v)
	}
}

// TestCacheBounds adds, removes and asks at random and checks every shard's books after each step.
func TestCacheBounds(t *testing.T) {
	for name, bounds := range map[string][2]int{
		"one shard":    {64 * kib, 16 * kib},
		"many shards":  {4 * mib, 1 * mib},
		"one owner":    {2 * mib, 2 * mib},
		"small owners": {4 * mib, 64 * kib},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			c := New[uint64](bounds[0], bounds[1])
			for step := range 60_000 {
				n := r.Uint64N(4000)
				switch r.IntN(8) {
				case 0:
					c.Remove(key(n))
				case 1, 2:
					if v, ok := c.Get(key(n)); ok && v != n {
						t.Fatalf("key %d holds %d", n, v)
					}
				default:
					c.Add(n%17, key(n), n, r.IntN(6000))
				}
				if step%500 == 0 {
					checkBooks(t, c, bounds[0], bounds[1])
				}
			}
			checkBooks(t, c, bounds[0], bounds[1])
			if s := c.Stats(); s.Evictions == 0 || s.Entries == 0 {
				t.Fatalf("the load did not fill the cache: %+v", s)
			}
			for n := range uint64(4000) {
				c.Remove(key(n))
			}
			checkBooks(t, c, bounds[0], bounds[1])
			if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 {
				t.Fatalf("left after all was removed: %+v", s)
			}
		})
	}
}

// checkBooks counts what is there and compares it with what the shards believe and with the bounds.
func checkBooks[V any](t *testing.T, c *Cache[V], maxBytes, maxBytesPerOwner int) {
	t.Helper()
	total, perOwner := 0, map[uint64]int{}
	for i := range c.shards {
		s := &c.shards[i]
		entries, bytes, rings := 0, 0, 0
		for r := s.turn; r != nil && (rings == 0 || r != s.turn); r = r.next {
			rings++
			if s.owners[r.owner] != r || r.hand == nil || r.next.prev != r {
				t.Fatalf("shard %d: the ring of owner %d is broken", i, r.owner)
			}
			sum := 0
			for e, first := r.hand, true; first || e != r.hand; e, first = e.next, false {
				entries, sum = entries+1, sum+e.size
				if s.entries[e.key] != e || e.owner != r || e.next.prev != e {
					t.Fatalf("shard %d: an entry of owner %d is not what its key finds", i, r.owner)
				}
			}
			if sum != r.bytes || sum > s.perOwner {
				t.Fatalf("shard %d: owner %d holds %d bytes, books say %d, bound %d", i, r.owner, sum, r.bytes, s.perOwner)
			}
			bytes += sum
			perOwner[r.owner] += sum
		}
		if entries != len(s.entries) || rings != len(s.owners) || bytes != s.bytes || bytes > s.limits.bytes {
			t.Fatalf("shard %d: %d entries of %d owners with %d bytes; books say %d, %d, %d; bound %d",
				i, entries, rings, bytes, len(s.entries), len(s.owners), s.bytes, s.limits.bytes)
		}
		total += bytes + len(s.door)*fingerprintSize
	}
	if total > maxBytes {
		t.Fatalf("%d bytes in all, bound %d", total, maxBytes)
	}
	for owner, bytes := range perOwner {
		if bytes > maxBytesPerOwner {
			t.Fatalf("owner %d holds %d bytes, bound %d", owner, bytes, maxBytesPerOwner)
		}
	}
}

// TestCacheIsAsSmallAsItSays guards the charge for bookkeeping: a full cache of small entries of as many owners, the
// worst case, must not take more from the heap than its bound.
func TestCacheIsAsSmallAsItSays(t *testing.T) {
	const bound = 8 * mib
	before := heap()
	c := New[*int](bound, bound)
	if idle := heap() - before; idle > 16*kib {
		t.Errorf("an idle cache takes %d bytes", idle)
	}
	for n := range uint64(60_000) {
		admit(c, n, key(n), nil, 0)
	}
	if s := c.Stats(); s.Evictions == 0 {
		t.Fatalf("the cache is not full: %+v", s)
	}
	if used := heap() - before; used > bound {
		t.Errorf("the heap grew by %d bytes, bound %d", used, bound)
	}
	runtime.KeepAlive(c)
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestCacheConcurrently is for the race detector, and looks at the books in the end.
func TestCacheConcurrently(t *testing.T) {
	c := New[uint64](2*mib, 512*kib)
	var wg sync.WaitGroup
	for g := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(g, g))
			for range 20_000 {
				n := r.Uint64N(3000)
				if v, ok := c.Get(key(n)); ok && v != n {
					t.Errorf("key %d holds %d", n, v)
				} else if !ok {
					c.Add(n%5, key(n), n, r.IntN(4000))
				}
				if n%100 == 0 {
					c.Remove(key(n))
					_ = c.Stats()
				}
			}
		})
	}
	wg.Wait()
	checkBooks(t, c, 2*mib, 512*kib)
}
