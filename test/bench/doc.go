// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Bench measures what the auth server costs, as a ratio to the least that any such server can cost. `make bench` runs
// it; docs/performance.md says what the figures mean.
//
// A run goes through the rows of a table (scenario.go). For each it starts two servers on one core, the floor
// (floor.go) and the subject (subject.go: the real bin/authserver on files that `gatehouse render` made), and drives
// them in turn from another core with the same requests (internal/load), each window with tokens never sent before
// (internal/tokens). The figure of a row is the median over all pairs of windows of
//
//	CPU time per request of the floor / CPU time per request of the subject
//
// It is black-box: nothing of the server is imported. Any wrong answer ends the run. To measure something new, add a
// row; if it needs other requests or manifests, add a field to workload.
//
// Exit codes: 0 fine, 1 a figure missed its target or the measurement failed, 2 wrong usage.
package main
