// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// states are the directories between which a volume's ..data is switched.
var states = [2]string{"..first", "..second"}

// volume is a directory of rendered files as a kubelet mounts it: each file is a link into ..data, and ..data is a link
// to the directory of the current state, which a change replaces in one rename.
type volume struct {
	dir   string
	state int // index of the current one
	swaps int
}

// lay makes the links to the first state, whose directory is there.
func (v *volume) lay() error {
	entries, err := os.ReadDir(filepath.Join(v.dir, states[0]))
	if err != nil {
		return fmt.Errorf("laying out a volume: %w", err)
	}
	for _, e := range entries {
		if err := os.Symlink(filepath.Join("..data", e.Name()), filepath.Join(v.dir, e.Name())); err != nil {
			return fmt.Errorf("laying out a volume: %w", err)
		}
	}
	return v.point(states[0])
}

// swap switches to the other state. Both were written beforehand: what a kubelet's writing costs is not the server's.
func (v *volume) swap() error {
	v.state = 1 - v.state
	v.swaps++
	return v.point(states[v.state])
}

func (v *volume) point(state string) error {
	next := filepath.Join(v.dir, "..data_tmp")
	if err := os.Symlink(state, next); err != nil {
		return fmt.Errorf("switching a volume: %w", err)
	}
	if err := os.Rename(next, filepath.Join(v.dir, "..data")); err != nil {
		return fmt.Errorf("switching a volume: %w", err)
	}
	return nil
}
