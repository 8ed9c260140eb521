// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the user and system time that all threads of the server have used so far. It is the sum that
// utime and stime of /proc/PID/stat show in steps of 10 ms, read from the process's CPU clock in nanoseconds.
func (p *Process) CPUTime() (time.Duration, error) {
	const schedClock = 2 // CPUCLOCK_SCHED; see clock_getcpuclockid(3)
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|schedClock), &ts); err != nil {
		return 0, fmt.Errorf("reading CPU time of %s: %w", p.name, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Memory is what a server occupies, in bytes.
type Memory struct {
	Resident  uint64 `json:"vmRSS"`   // anonymous memory and file pages
	Anonymous uint64 `json:"rssAnon"` // heap and stacks: what no other process can share
	Peak      uint64 `json:"vmHWM"`   // largest Resident so far
}

// Memory reads the server's memory now.
func (p *Process) Memory() (Memory, error) {
	m, err := MemoryOf(p.cmd.Process.Pid)
	if err != nil {
		return Memory{}, fmt.Errorf("reading memory of %s: %w", p.name, err)
	}
	return m, nil
}

// MemoryOf is the same of any process.
func MemoryOf(pid int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	return parseMemory(status)
}

// parseMemory reads lines like "VmRSS:	   20480 kB" (proc_pid_status(5)).
func parseMemory(status []byte) (Memory, error) {
	var m Memory
	fields := map[string]*uint64{"VmRSS": &m.Resident, "RssAnon": &m.Anonymous, "VmHWM": &m.Peak}
	for lines := bufio.NewScanner(bytes.NewReader(status)); lines.Scan(); {
		name, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		field, wanted := fields[string(name)]
		if !wanted {
			continue
		}
		number, isKiB := bytes.CutSuffix(bytes.TrimSpace(value), []byte(" kB"))
		kib, err := strconv.ParseUint(string(number), 10, 54)
		if !isKiB || err != nil {
			return Memory{}, fmt.Errorf("parsing %s: %q", name, value)
		}
		*field = kib << 10
		delete(fields, string(name))
	}
	for name := range fields {
		return Memory{}, fmt.Errorf("parsing status: no %s", name)
	}
	return m, nil
}
