// SPDX-License-Identifier: Apache-2.0

package main

import (
	"log/slog"
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

// limitHeap makes the collector work harder from 90 % of the limit on, instead of having the kernel end the process at
// 100 %. GOMEMLIMIT, if set, counts instead.
func limitHeap(limit int64, log *slog.Logger) {
	if limit == 0 || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(limit / 10 * 9)
	log.Info("memory limit found", "bytes", limit)
}
