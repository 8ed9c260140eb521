// SPDX-License-Identifier: Apache-2.0

//go:build linux

package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyWithin is how long a server may take to announce itself.
const readyWithin = 30 * time.Second

// Ready is what a server says in its ready line.
type Ready struct {
	Message       string `json:"msg"`
	Listen        string `json:"listen"`
	OpsListen     string `json:"ops_listen"`
	ExtAuthListen string `json:"ext_authz_listen"`
}

// Process is a running server.
type Process struct {
	Ready Ready
	Took  time.Duration // from start to the ready line

	name   string
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended and its log is read
	output *tail
}

// Start runs path with args on core cpu, with GOMAXPROCS=1, and waits for the ready line. The caller must Stop it.
func Start(ctx context.Context, cpu int, path string, args ...string) (*Process, error) {
	return StartWith(ctx, Settings{Pinned: true, CPU: cpu, Procs: 1}, path, args...)
}

// Settings say where a server runs.
type Settings struct {
	// Pinned keeps the server on core CPU; else it may run on every core.
	Pinned bool
	CPU    int
	// Procs is GOMAXPROCS.
	Procs int
	// Env are further variables, such as GOMEMLIMIT=230MiB.
	Env []string
}

// StartWith runs path with args and waits for the ready line. The caller must Stop it.
func StartWith(ctx context.Context, s Settings, path string, args ...string) (*Process, error) {
	name := path
	for _, a := range args[:min(len(args), 1)] {
		name += " " + a
	}
	p := &Process{name: name, exited: make(chan struct{}), output: &tail{}}
	stderr, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append([]string{"GOMAXPROCS=" + strconv.Itoa(s.Procs), "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, s.Env...)
	p.cmd.Stderr = writer
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := time.Now()
	if s.Pinned {
		err = startPinned(p.cmd, s.CPU)
	} else {
		err = p.cmd.Start()
	}
	_ = writer.Close() // the child has its own
	if err != nil {
		_ = stderr.Close()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	ready := make(chan Ready, 1)
	go func() {
		p.read(stderr, ready) // to its end, so that the last words are there before the exit is told
		_ = p.cmd.Wait()      // Stop kills it: the error says nothing new
		close(p.exited)
	}()

	timer := time.NewTimer(readyWithin)
	defer timer.Stop()
	select {
	case p.Ready = <-ready:
		p.Took = time.Since(started)
		return p, nil
	case <-p.exited:
		err = errors.New("it exited")
	case <-timer.C:
		err = fmt.Errorf("no ready line within %s", readyWithin)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.Stop()
	return nil, fmt.Errorf("starting %s: %w; its last output:\n%s", name, err, p.output)
}

// startPinned starts cmd on core cpu. A child inherits the affinity of the thread that forks it, so all its threads
// are on that core from the first instruction and the Go runtime in it counts one CPU.
func startPinned(cmd *exec.Cmd, cpu int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	restore, err := pinThread(cpu)
	if err != nil {
		return err
	}
	return errors.Join(cmd.Start(), restore())
}

// read keeps the last lines of the server's log and hands out its first ready line.
func (p *Process) read(from io.ReadCloser, ready chan<- Ready) {
	defer func() { _ = from.Close() }()
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	announced := false
	for lines.Scan() {
		p.output.add(lines.Text())
		var r Ready
		if !announced && json.Unmarshal(lines.Bytes(), &r) == nil && r.Message == "ready" {
			announced = true
			ready <- r
		}
	}
	_, _ = io.Copy(io.Discard, from) // a line too long must not block the server
}

// Stop kills the server and waits for its end. There is no state to keep, and a graceful stop takes seconds.
func (p *Process) Stop() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.exited
}

// Output returns the last lines that the server logged.
func (p *Process) Output() string { return p.output.String() }

// String names the server in errors.
func (p *Process) String() string { return p.name }

// tail keeps the last 20 lines.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-20):]
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
