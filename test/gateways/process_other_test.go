// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package gateways

import "syscall"

// processAttributes is nothing: only Linux ends a child with its parent.
func processAttributes() *syscall.SysProcAttr { return nil }
