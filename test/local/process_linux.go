// SPDX-License-Identifier: Apache-2.0

package local

import "syscall"

// processAttributes keeps the terminal's Ctrl-C from the operator: the program that started it stops it in order. If
// that program dies, so does the operator.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
