// SPDX-License-Identifier: Apache-2.0

package heap

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

const mib = 1 << 20

// TestPercent guards that the next collection is due one headroom above what lives, by the runtime's own rule, and never
// earlier than by default.
func TestPercent(t *testing.T) {
	for _, row := range []struct{ live, headroom, due uint64 }{
		{0, 24 * mib, 24 * mib},
		{1 * mib, 24 * mib, 25 * mib},
		{3 * mib, 24 * mib, 27 * mib},
		{4 * mib, 24 * mib, 28 * mib},
		{6 * mib, 24 * mib, 30 * mib},
		{20 * mib, 24 * mib, 44 * mib},
		{24 * mib, 24 * mib, 48 * mib},
		{100 * mib, 24 * mib, 200 * mib},
		{10 * mib, 6 * mib, 20 * mib},
		{1 * mib, 0, 4 * mib},
		{0, 0, 4 * mib},
	} {
		p := uint64(percent(row.live, row.headroom))
		if p < 100 {
			t.Errorf("%d MiB live, headroom %d MiB: GOGC=%d", row.live/mib, row.headroom/mib, p)
		}
		due := max(leastHeap*p/100, row.live+row.live*p/100)
		if off := max(due, row.due) - min(due, row.due); off > mib/2 {
			t.Errorf("%d MiB live, headroom %d MiB: GOGC=%d, due at %.1f MiB, want %d MiB", row.live/mib, row.headroom/mib, p, float64(due)/mib, row.due/mib)
		}
	}
}

// TestHeadroom guards that a small pod gives little of its memory away.
func TestHeadroom(t *testing.T) {
	for limit, want := range map[int64]uint64{
		math.MaxInt64: Headroom, 256 * mib: Headroom, 192 * mib: Headroom, 64 * mib: 16 * mib, 16 * mib: 4 * mib, 0: 0,
	} {
		if got := headroom(limit); got != want {
			t.Errorf("limit %d: headroom %d, want %d", limit, got, want)
		}
	}
}

// TestPaceFollowsTheHeap guards that every collection adjusts, and only what changes counts: each setting stops the world.
func TestPaceFollowsTheHeap(t *testing.T) {
	var live, looks, sets, last atomic.Int64
	live.Store(6 * mib)
	p := &pacer{headroom: Headroom, live: func() uint64 { looks.Add(1); return uint64(live.Load()) }, set: func(percent int) { sets.Add(1); last.Store(int64(percent)) }}
	p.adjust()
	p.arm()
	collect := func() {
		t.Helper()
		before := looks.Load()
		for deadline := time.Now().Add(2 * time.Minute); looks.Load() == before; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("a collection went unnoticed")
			}
			runtime.GC()
		}
	}
	for range 3 {
		collect()
	}
	if sets.Load() != 1 || last.Load() != 800 {
		t.Errorf("set %d times, last to %d", sets.Load(), last.Load())
	}
	live.Store(60 * mib)
	collect()
	for deadline := time.Now().Add(2 * time.Minute); last.Load() != 100; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("GOGC is %d after the heap grew", last.Load())
		}
		runtime.GC()
	}
}

// TestLiveHeap guards the names of the runtime's metrics.
func TestLiveHeap(t *testing.T) {
	kept := make([]byte, 8*mib)
	runtime.GC()
	if got := liveHeap(); got < 8*mib || got > 1<<30 {
		t.Errorf("%d bytes live", got)
	}
	runtime.KeepAlive(kept)
}
