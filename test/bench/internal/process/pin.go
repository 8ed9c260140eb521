// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Cores returns the cores this program may run on, in ascending order.
func Cores() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("reading CPU affinity: %w", err)
	}
	var list []int
	for cpu := 0; len(list) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list, nil
}

// PinSelf moves every thread of this program to the given cores. Threads made later inherit the cores of the thread
// that makes them.
func PinSelf(cores ...int) error {
	var set unix.CPUSet
	for _, cpu := range cores {
		set.Set(cpu)
	}
	done := map[string]bool{}
	for changed := true; changed; { // again until no new thread shows up
		changed = false
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("listing threads: %w", err)
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || done[task.Name()] {
				continue
			}
			done[task.Name()], changed = true, true
			if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH {
				return fmt.Errorf("pinning to cores %v: %w", cores, err)
			}
		}
	}
	return nil
}

// pinThread moves the calling thread to one core; restore moves it back.
func pinThread(cpu int) (restore func() error, err error) {
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("reading CPU affinity: %w", err)
	}
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("pinning to core %d: %w", cpu, err)
	}
	return func() error { return unix.SchedSetaffinity(0, &before) }, nil
}
