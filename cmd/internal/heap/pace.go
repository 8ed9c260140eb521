// SPDX-License-Identifier: Apache-2.0

package heap

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// Headroom is how much may be allocated between two collections, in bytes, where memory is not scarce. A live heap that is
	// larger than this is left to the runtime's default, which allows as much again. A password's hash takes 19 MiB: with half of this, a collection at
	// almost every login cost a tenth of its CPU time.
	Headroom = 48 << 20

	defaultPercent = 100     // GOGC if nobody says
	leastHeap      = 4 << 20 // the runtime collects from here on, times GOGC/100, however small the live heap is
	scarce         = 4       // the headroom is at most this part of the memory limit
)

// Pace lets the heap grow by [Headroom] beyond what lives, and sees to it after each collection: what lives changes. Call it
// once, after the memory limit is set, of which the headroom takes a quarter at most; near the limit the runtime collects
// earlier anyway. With GOGC in the environment nothing is done: who runs the server has decided.
func Pace() {
	if os.Getenv("GOGC") != "" {
		return
	}
	p := &pacer{headroom: headroom(debug.SetMemoryLimit(-1)), live: liveHeap, set: func(percent int) { debug.SetGCPercent(percent) }}
	p.adjust()
	p.arm()
}

// headroom is that of a process with the memory limit, which is math.MaxInt64 for none.
func headroom(limit int64) uint64 {
	return uint64(min(Headroom, max(limit, 0)/scarce))
}

// percent is the GOGC by which the next collection is due when the heap is headroom larger than live: 100 at least. With a
// live heap of almost nothing it is the runtime's least heap that counts.
func percent(live, headroom uint64) int {
	byGrowth := 100 * headroom / max(live, 1)
	byLeast := 100 * (live + headroom) / leastHeap
	return int(min(max(min(byGrowth, byLeast), defaultPercent), math.MaxInt32))
}

// pacer adjusts GOGC after each collection.
type pacer struct {
	headroom uint64
	live     func() uint64     // bytes that the last collection left
	set      func(percent int) // stops the world for a moment
	last     int
}

// adjust sets the percentage, unless the one in force is near enough.
func (p *pacer) adjust() {
	want := percent(p.live(), p.headroom)
	if diff := want - p.last; diff*16 < p.last && -diff*16 < p.last {
		return
	}
	p.set(want)
	p.last = want
}

// cycle is collected in the next collection. It has a pointer because small objects without one share their memory, and
// live as long as any of them.
type cycle struct{ _ *pacer }

// arm makes the next collection adjust, and arm again.
func (p *pacer) arm() {
	runtime.AddCleanup(new(cycle), func(p *pacer) {
		p.adjust()
		p.arm()
	}, p)
}

// liveHeap is what the last collection found in use; before the first one, what is allocated.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	for i := range sample {
		if sample[i].Value.Kind() == metrics.KindUint64 && sample[i].Value.Uint64() > 0 {
			return sample[i].Value.Uint64()
		}
	}
	return 0
}
