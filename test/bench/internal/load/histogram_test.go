// SPDX-License-Identifier: Apache-2.0

package load

import (
	"math"
	"testing"
	"time"
)

func TestHistogramPercentile(t *testing.T) {
	upTo := func(n int, unit time.Duration) (list []time.Duration) {
		for i := 1; i <= n; i++ {
			list = append(list, time.Duration(i)*unit)
		}
		return list
	}
	for _, tc := range []struct {
		name string
		add  []time.Duration
		p    float64
		want time.Duration
	}{
		{"empty", nil, 99, 0},
		{"one value is every percentile", []time.Duration{42}, 1, 42},
		{"never above the maximum", []time.Duration{time.Second}, 99, time.Second},
		{"small values are exact", upTo(100, 1), 50, 50},
		{"p99 of 100", upTo(100, 1), 99, 99},
		{"p100", upTo(100, 1), 100, 100},
		{"a lone outlier of 100 is not in p99", append(upTo(99, 1), time.Hour), 99, 99},
		{"two outliers of 100 are", append(upTo(98, 1), time.Hour, time.Hour), 99, time.Hour},
		{"negative counts as zero", []time.Duration{-5}, 50, 0},
		{"within a cell", upTo(1000, time.Microsecond), 50, 500 * time.Microsecond},
		{"largest", []time.Duration{math.MaxInt64}, 50, math.MaxInt64},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var h Histogram
			for _, d := range tc.add {
				h.Add(d)
			}
			got := h.Percentile(tc.p)
			if got < tc.want || float64(got) > float64(tc.want)*1.008 {
				t.Errorf("Percentile(%v) = %v, want %v to 0.8 %% above", tc.p, got, tc.want)
			}
		})
	}
}

func TestHistogramMerge(t *testing.T) {
	var a, b Histogram
	for i := range 100 {
		a.Add(time.Duration(i))
		b.Add(time.Duration(100 + i))
	}
	a.Merge(&b)
	if a.Count() != 200 || a.Percentile(50) != 99 || a.Percentile(100) != 199 {
		t.Errorf("count %d, p50 %d, p100 %d; want 200, 99, 199", a.Count(), a.Percentile(50), a.Percentile(100))
	}
}

// TestHistogramCells guards that the cells join without gap or overlap over the whole range.
func TestHistogramCells(t *testing.T) {
	for i := range cells {
		end := cellEnd(i)
		if got := cell(end); got != i {
			t.Fatalf("cell(%d) = %d, want %d", end, got, i)
		}
		if i+1 < cells && cell(end+1) != i+1 {
			t.Fatalf("cell(%d) = %d, want %d", end+1, cell(end+1), i+1)
		}
	}
	if got := cell(math.MaxInt64); got != cells-1 {
		t.Errorf("the largest duration is in cell %d of %d", got, cells)
	}
}
