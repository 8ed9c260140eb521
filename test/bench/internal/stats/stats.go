// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"fmt"
	"slices"
)

// Summary holds the quartiles of a set of values. All zero means there were none.
type Summary struct {
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
}

// Summarize returns the quartiles of values, in any order. It does not change values.
func Summarize(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(values))
	return Summary{Q1: quantile(sorted, 0.25), Median: quantile(sorted, 0.5), Q3: quantile(sorted, 0.75)}
}

// Ratios returns above[i]/below[i] for each pair. It is an error if the lists differ in length or a divisor is not
// positive: a window without a figure must not vanish from the median.
func Ratios(above, below []float64) ([]float64, error) {
	if len(above) != len(below) {
		return nil, fmt.Errorf("forming pair ratios: %d windows against %d", len(above), len(below))
	}
	ratios := make([]float64, len(above))
	for i := range above {
		if !(above[i] > 0) || !(below[i] > 0) {
			return nil, fmt.Errorf("forming pair ratios: pair %d holds %g and %g, both must be positive", i+1, above[i], below[i])
		}
		ratios[i] = above[i] / below[i]
	}
	return ratios, nil
}

// quantile interpolates linearly between the two nearest ranks (Hyndman and Fan's type 7, the default of R and NumPy).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
