// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// process is one run of a program whose output goes to a log file.
type process struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	done    chan struct{} // closed when the program has ended
	err     error         // how it ended; set before done is closed
}

// startProcess runs program with its output appended to logFile.
func startProcess(name, program, logFile string, args []string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	p := &process{name: name, logFile: logFile, cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = log, log, processAttributes()
	started := make(chan error)
	go func() {
		// The kernel ends a child with the thread that started it, so that thread stays until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = log.Close() }()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// ended tells whether the program has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// exit returns how a program that has ended did so; never nil.
func (p *process) exit() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// stop asks the program to end and kills it after grace. A program that had already ended by itself is an error.
func (p *process) stop(grace time.Duration) error {
	if p.ended() {
		return p.failure(fmt.Errorf("%s had ended by itself: %w", p.name, p.exit()))
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
	}
	p.kill()
	return nil
}

// kill ends the program without asking and returns when it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only for a program that has ended
	<-p.done
}

// waitFor polls ready until it returns no error, the program ends, timeout has passed or ctx is done.
func (p *process) waitFor(ctx context.Context, timeout time.Duration, ready func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, timeout, true, func(ctx context.Context) (bool, error) {
		if p.ended() {
			return false, fmt.Errorf("it ended: %w", p.exit())
		}
		last = ready(ctx)
		return last == nil, nil
	})
	if err == nil {
		return nil
	}
	return p.failure(fmt.Errorf("waiting for %s: %w", p.name, errors.Join(err, last)))
}

// failure adds to err where the program's log is and how it ends.
func (p *process) failure(err error) error {
	return fmt.Errorf("%w\nlog: %s\n%s", err, p.logFile, tail(p.logFile, 2048))
}

// tail returns the last whole lines of a file, at most limit bytes.
func tail(path string, limit int) []byte {
	data, err := os.ReadFile(path)
	if err != nil || len(data) <= limit {
		return data
	}
	data = data[len(data)-limit:]
	return data[bytes.IndexByte(data, '\n')+1:]
}
