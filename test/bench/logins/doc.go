// SPDX-License-Identifier: Apache-2.0

// Command logins measures what people's logins cost, each figure beside its floor in the same run:
//
//   - the CPU of a password login against the bare argon2id hash (hash.go): server and hash alternate on one core;
//   - what a flood of logins does to /verify, asked 200 times a second in an open loop (flood.go);
//   - the memory of 200 logins at once under the container's default limit (flood.go);
//   - refreshes a second, beside the raw transactions that the same database makes (refresh_test.go, a benchmark).
//
// The server is the deployed binary with rendered files, its store in a file. `make bench` runs this after the figures of verification; it
// wants an otherwise idle machine with two cores. It exits 1 when a target is missed.
package main
