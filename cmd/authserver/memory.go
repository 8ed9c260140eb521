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

// limitMemory makes the collector work harder from 90 % of the container's memory limit on, instead of having the kernel
// end the process at 100 %. GOMEMLIMIT, if set, counts instead.
func limitMemory(log *slog.Logger) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	text, err := os.ReadFile(cgroupLimit)
	if err != nil {
		return // no container, or one without a limit
	}
	if limit, ok := memoryLimit(string(text)); ok {
		debug.SetMemoryLimit(limit)
		log.Info("memory limit set", "bytes", limit)
	}
}

// memoryLimit is 90 % of the limit in the file's text; ok is false where there is none.
func memoryLimit(text string) (limit int64, ok bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n <= 0 { // "max" means no limit
		return 0, false
	}
	return n / 10 * 9, true
}
