// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFailedStartNamesTheLog guards the way out of a failure: the message shows the log's end and where the rest is.
func TestFailedStartNamesTheLog(t *testing.T) {
	assets := t.TempDir()
	script := "#!/bin/sh\necho the disk is on fire >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(assets, "etcd"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "plane")
	began := time.Now()
	_, err := Start(t.Context(), Options{Assets: assets, Dir: dir})
	if err == nil {
		t.Fatal("a control plane started on a broken etcd")
	}
	for _, want := range []string{"waiting for etcd", "exit status 3", "the disk is on fire", filepath.Join(dir, "etcd.log")} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if took := time.Since(began); took > 2*time.Minute {
		t.Errorf("it took %s to see that etcd had ended", took)
	}
	if _, err := Start(t.Context(), Options{Assets: assets, Dir: dir}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a used folder was taken: %v", err)
	}
}

// TestStopKillsTheDeaf guards the bound of Stop.
func TestStopKillsTheDeaf(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := startProcess("deaf", "/bin/sh", log, []string{"-c", "trap '' TERM; echo up; while :; do sleep 1; done"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if data, _ := os.ReadFile(log); len(data) == 0 {
			return errors.New("not up yet")
		}
		return nil
	})
	if err := p.stop(50 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if !p.ended() {
		t.Error("it is still running")
	}
}

// ownerEnv makes the test binary play a program that owns a part, for TestPartsEndWithTheirOwner.
const ownerEnv = "GATEHOUSE_TEST_OWNS_A_PART"

// TestPartsEndWithTheirOwner guards the machine: a killed test leaves no API server behind.
func TestPartsEndWithTheirOwner(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux ends a child with its parent")
		return
	}
	if os.Getenv(ownerEnv) != "" {
		ownAPart()
	}
	owner := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPartsEndWithTheirOwner$")
	owner.Env = append(os.Environ(), ownerEnv+"="+filepath.Join(t.TempDir(), "log"))
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	n, err := io.ReadAtLeast(out, line, 2)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the part does not run: %v", err)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // killed, which Wait reports as an error
	eventually(t, func() error {
		if gone(pid) {
			return nil
		}
		return errors.New("the part outlives its owner")
	})
}

// gone tells whether a process has ended; one that nobody has collected yet counts as ended.
func gone(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z")
}

func ownAPart() {
	p, err := startProcess("part", "/bin/sleep", os.Getenv(ownerEnv), []string{"600"})
	if err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(strconv.Itoa(p.cmd.Process.Pid) + "\n")
	<-p.done
	os.Exit(1)
}

// TestReservedPortsDiffer guards suites that run at the same time.
func TestReservedPortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		p, err := reservePort()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.release() }()
		if seen[p.number] {
			t.Fatalf("port %d was given twice", p.number)
		}
		seen[p.number] = true
		if _, err := tryPort(filepath.Dir(p.lock.Name()), p.number); err == nil {
			t.Fatalf("port %d was given again while reserved", p.number)
		}
	}
}
