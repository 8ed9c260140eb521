// SPDX-License-Identifier: Apache-2.0

package kubelet

import "syscall"

// processAttributes lets no container outlive the program that started it, and keeps the terminal's Ctrl-C from it: the program stops it
// in order.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
