// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Bench measures what the auth server costs, as a ratio to the least that any such server can cost. `make bench` runs
// it; docs/performance.md says what the figures mean.
//
// A run goes through the rows of a table (scenario.go). Each has two parties, a base and a subject: mostly the floor
// (floor.go) and the real bin/authserver on files that `gatehouse render` made (subject.go, volume.go). Both run on one
// core and are driven in turn from another with the same requests (internal/load), each window with tokens never sent
// before (internal/tokens). The figure of a row is the median over all pairs of windows of
//
//	CPU time per request of the base / CPU time per request of the subject
//
// or what report.go makes of them instead: a p99 ratio, or what a hostile request costs (hostile.go). Rows of footprint.go
// start a server and ask it nothing.
//
// It is black-box: nothing of the server is imported. Any wrong answer ends the run. To measure something new, add a row;
// other questions are a function of asks.go, other manifests a site of site.go.
//
// Exit codes: 0 fine, 1 a figure missed its target or the measurement failed, 2 wrong usage.
package main
