// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package kube

import "syscall"

// processAttributes is empty where the system has no way to end a child with its parent: there an interrupt typed at
// the terminal reaches the parts too.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
