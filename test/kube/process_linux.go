// SPDX-License-Identifier: Apache-2.0

package kube

import "syscall"

// processAttributes puts a part into a process group of its own, so that an interrupt typed at the terminal reaches
// only the program that owns it, and has the kernel kill it when its owner is gone.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
