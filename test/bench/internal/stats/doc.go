// SPDX-License-Identifier: Apache-2.0

// Package stats turns the windows of a benchmark into figures: the median and the quartiles of pair ratios.
//
// A pair is one window of the floor and one of the server under test, taken next to each other in time. The ratio
// is formed inside each pair first and summarized after, so a slow drift of the machine cancels out.
package stats
