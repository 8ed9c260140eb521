// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// cgroupLimit is where the kernel tells a container's memory limit (cgroup v2).
const cgroupLimit = "/sys/fs/cgroup/memory.max"

// memoryLimit returns the container's memory limit in bytes, 0 if there is none.
func memoryLimit(path string) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 { // "max" means no limit
		return 0
	}
	return n
}

// hashingLimit is what passwords are hashed within, in bytes: the container's limit; where the kernel does not tell it (cgroup v1), what follows from
// GOMEMLIMIT, which the operator sets to nine tenths of it; 0 if nobody says.
func hashingLimit(container int64) int64 {
	if container > 0 || os.Getenv("GOMEMLIMIT") == "" {
		return container
	}
	soft := debug.SetMemoryLimit(-1) // a negative value changes nothing
	if soft <= 0 || soft == math.MaxInt64 {
		return 0 // GOMEMLIMIT=off
	}
	return soft / 9 * 10
}

// limitHeap makes the collector work harder from 90 % of the limit on, instead of having the kernel end the process at
// 100 %. GOMEMLIMIT, if set, counts instead.
func limitHeap(limit int64, log *slog.Logger) {
	if limit == 0 || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(limit / 10 * 9)
	log.Info("memory limit found", "bytes", limit)
}
