// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummarize(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []float64
		want   Summary
	}{
		{name: "none"},
		{name: "one", values: []float64{3}, want: Summary{3, 3, 3}},
		{name: "two", values: []float64{2, 1}, want: Summary{1.25, 1.5, 1.75}},
		{name: "odd, unsorted", values: []float64{5, 1, 4, 2, 3}, want: Summary{2, 3, 4}},
		{name: "even, between ranks", values: []float64{4, 3, 2, 1}, want: Summary{1.75, 2.5, 3.25}},
		{name: "nine pairs, one outlier", values: []float64{9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7}, want: Summary{1.2, 1.4, 1.6}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := append([]float64(nil), tc.values...)
			if diff := cmp.Diff(tc.want, Summarize(tc.values), cmpFloat); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, tc.values); diff != "" {
				t.Errorf("the values were changed: %s", diff)
			}
		})
	}
}

// TestMedianOfRatiosIsNotRatioOfMedians guards the order of the two steps: a machine that slows down half way would
// otherwise change the figure.
func TestMedianOfRatiosIsNotRatioOfMedians(t *testing.T) {
	floor := []float64{10, 30, 80}
	ours := []float64{20, 40, 50}
	ratios, err := Ratios(floor, ours)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0.5, 0.75, 1.6}, ratios, cmpFloat); diff != "" {
		t.Error(diff)
	}
	if got := Summarize([]float64{floor[0] / ours[0], floor[2] / ours[2], floor[1] / ours[1]}).Median; got != 0.75 {
		t.Errorf("median ratio %v, want 0.75", got)
	}
}

func TestRatiosRefuses(t *testing.T) {
	for _, tc := range []struct {
		name         string
		above, below []float64
	}{
		{"unequal lengths", []float64{1, 2}, []float64{1}},
		{"a window without requests", []float64{1, 2}, []float64{1, 0}},
		{"a floor without requests", []float64{0, 2}, []float64{1, 1}},
		{"not a number", []float64{1}, []float64{math.NaN()}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := Ratios(tc.above, tc.below); err == nil {
				t.Errorf("accepted: %v", got)
			}
		})
	}
}

var cmpFloat = cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
