// SPDX-License-Identifier: Apache-2.0

package gateways

import "syscall"

// processAttributes end a gateway with the test, also one that is killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
