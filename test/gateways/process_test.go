// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// runProgram runs a gateway until the test ends and returns when it accepts connections at address.
func runProgram(t *testing.T, address, program string, args ...string) {
	t.Helper()
	logFile := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(logFile)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, processAttributes()
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The kernel ends a child with the thread that started it, so that thread stays until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait()
		close(ended)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	tell := func() {
		text, _ := os.ReadFile(logFile)
		t.Logf("%s:\n%s", program, text)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-ended
			t.Errorf("%s does not end", program)
		}
		if t.Failed() {
			tell()
		}
	})
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			tell()
			t.Fatalf("%s ended by itself", program)
		case <-deadline:
			t.Fatalf("%s does not listen on %s", program, address)
		case <-tick.C:
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				return
			}
		}
	}
}

// freeAddress is a loopback address at which nothing listens at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
