// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary play the server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			fmt.Fprintln(os.Stderr, "plain noise")
			fmt.Fprintln(os.Stderr, `{"msg":"starting","listen":"wrong"}`)
			fmt.Fprintf(os.Stderr, "{\"msg\":\"ready\",\"listen\":\"127.0.0.1:1\",\"ops_listen\":\"%s\"}\n", os.Getenv("GOGC")+os.Getenv("GOMAXPROCS"))
			for i := 0; ; i++ { // use CPU time until killed
				runtime.KeepAlive(i)
			}
		case "fail":
			fmt.Fprintln(os.Stderr, "config-dir: no base.json")
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}

func TestStart(t *testing.T) {
	t.Setenv("GOGC", "400")
	cores, err := Cores()
	if err != nil {
		t.Fatal(err)
	}
	last := cores[len(cores)-1]
	p, err := Start(t.Context(), last, os.Args[0], "serve")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Stop()
	if diff := cmp.Diff(Ready{Message: "ready", Listen: "127.0.0.1:1", OpsListen: "1"}, p.Ready); diff != "" {
		t.Errorf("ready line (GOMAXPROCS=1 and no GOGC expected in ops_listen): %s", diff)
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		var set unix.CPUSet
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.SchedGetaffinity(tid, &set); err != nil || set.Count() != 1 || !set.IsSet(last) {
			t.Errorf("thread %d is not on core %d alone: %v", tid, last, err)
		}
	}
	after, err := Cores()
	if diff := cmp.Diff(cores, after); diff != "" || err != nil {
		t.Errorf("the starter's own cores changed: %s %v", diff, err)
	}
	m, err := p.Memory()
	if err != nil || m.Resident == 0 || m.Anonymous == 0 || m.Peak < m.Anonymous {
		t.Errorf("memory %+v, %v", m, err)
	}
	before, err := p.CPUTime()
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; {
		now, err := p.CPUTime()
		if err != nil {
			t.Fatal(err)
		}
		if now > before {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("CPU time stays at %v", now)
		}
	}
	p.Stop()
	if _, err := p.CPUTime(); err == nil {
		t.Error("a stopped server still has CPU time")
	}
}

func TestStartFails(t *testing.T) {
	_, err := Start(t.Context(), 0, os.Args[0], "fail")
	if err == nil || !strings.Contains(err.Error(), "it exited") || !strings.Contains(err.Error(), "no base.json") {
		t.Errorf("error %v, want one with the server's own words", err)
	}
	if _, err := Start(t.Context(), 0, "/nonexistent/authserver"); err == nil {
		t.Error("a missing binary was started")
	}
}

func TestPinSelf(t *testing.T) {
	cores, err := Cores()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := PinSelf(cores...); err != nil {
			t.Error(err)
		}
	}()
	if err := PinSelf(cores[0]); err != nil {
		t.Fatal(err)
	}
	got, err := Cores()
	if diff := cmp.Diff(cores[:1], got); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	if err := PinSelf(); err == nil {
		t.Error("pinning to no core was accepted")
	}
}

func TestParseMemory(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     Memory
		err      string
	}{
		{name: "all", in: "Name:\tx\nVmHWM:\t     300 kB\nVmRSS:\t 200 kB\nRssAnon:\t   100 kB\nRssFile:\t 1 kB\n", want: Memory{200 << 10, 100 << 10, 300 << 10}},
		{name: "zombie", in: "Name:\tx\nState:\tZ (zombie)\n", err: "no "},
		{name: "unit", in: "VmRSS:\t 200 MB\n", err: "VmRSS"},
		{name: "number", in: "VmRSS:\t -2 kB\n", err: "VmRSS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseMemory([]byte(tc.in))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want one with %q", err, tc.err)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%s %v", diff, err)
			}
		})
	}
}
