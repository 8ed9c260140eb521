// SPDX-License-Identifier: Apache-2.0

package load

import (
	"math"
	"math/bits"
	"time"
)

const (
	subBits = 7                             // 2^7 cells for each power of two: a cell is at most 0.8 % wide
	exact   = 1 << (subBits + 1)            // values below are counted exactly
	cells   = exact + (62-subBits)<<subBits // up to the largest time.Duration
)

// Histogram counts durations in cells less than 1 % wide. The zero value is empty and ready for use.
type Histogram struct {
	counts [cells]uint64
	total  uint64
	max    time.Duration
}

// Add counts one duration; a negative one counts as 0.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[cell(uint64(d))]++
	h.total++
	h.max = max(h.max, d)
}

// Merge adds the counts of other.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}

// Count returns how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Percentile returns the smallest duration d (rounded up to the end of its cell, never above the largest that was
// added) such that at least p percent of all durations are at most d. It is 0 for an empty histogram.
func (h *Histogram) Percentile(p float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(math.Ceil(p / 100 * float64(h.total)))
	rank = min(max(rank, 1), h.total)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return min(time.Duration(cellEnd(i)), h.max)
		}
	}
	return h.max
}

func cell(v uint64) int {
	if v < exact {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return exact + (shift-1)<<subBits + int(v>>shift) - 1<<subBits
}

// cellEnd returns the largest value that cell i counts.
func cellEnd(i int) uint64 {
	if i < exact {
		return uint64(i)
	}
	shift := (i-exact)>>subBits + 1
	mantissa := uint64((i-exact)&(1<<subBits-1) + 1<<subBits)
	return (mantissa+1)<<shift - 1
}
