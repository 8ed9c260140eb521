// SPDX-License-Identifier: Apache-2.0

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Options are how a server runs.
type Options struct {
	// Durable makes a commit wait for the disk, as in production. Without it a commit survives the end of the server's
	// processes, not that of the machine.
	Durable bool
	// Settings are further ones, such as "max_connections=20".
	Settings []string
	// Certificate and Key are PEM: with them the server speaks TLS to whoever asks for it.
	Certificate, Key []byte
}

// Server is a private PostgreSQL server.
type Server struct {
	bin, dir string
	port     int
	options  Options
	guard    io.Closer
	process  *exec.Cmd
	ended    chan struct{}
	log      bytes.Buffer // read after ended only
}

// New starts a server of the test's own.
func New(tb testing.TB, o Options) *Server {
	tb.Helper()
	bin := binaries()
	if bin == "" {
		missing(tb)
	}
	s, err := prepare(bin, o)
	if err != nil {
		tb.Fatalf("preparing PostgreSQL: %v", err)
	}
	tb.Cleanup(func() {
		s.signal(syscall.SIGQUIT)
		if err := errors.Join(s.guard.Close(), os.RemoveAll(s.dir)); err != nil {
			tb.Logf("removing PostgreSQL: %v", err)
		}
	})
	s.Restart(tb)
	return s
}

// DSN returns that of an empty database.
func (s *Server) DSN(tb testing.TB) string {
	tb.Helper()
	return create(tb, s.dsn())
}

// Stop has the server end its connections and stop, as before maintenance.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.signal(syscall.SIGINT)
}

// Kill ends the server's main process as kill -9 does; its children notice and follow.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.signal(syscall.SIGKILL)
}

// Pause stops all of the server's processes where they are, so that it answers nothing: a network that swallows packets, or a disk
// that hangs. Resume has them go on.
func (s *Server) Pause(tb testing.TB) { tb.Helper(); s.group(tb, syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume(tb testing.TB) { tb.Helper(); s.group(tb, syscall.SIGCONT) }

// group signals the server and its children, each of which leads a group of its own.
func (s *Server) group(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	main := strconv.Itoa(s.process.Process.Pid)
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		tb.Fatal(err)
	}
	for _, name := range processes {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // state, parent, …
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err == nil && len(fields) > 1 && (string(fields[1]) == main || strconv.Itoa(pid) == main) {
			_ = syscall.Kill(pid, sig) // it may have ended
		}
	}
}

// Restart starts the server again, with the same files and port.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	if err := s.start(); err != nil {
		tb.Fatalf("starting PostgreSQL: %v", err)
	}
}

// signal ends the server and waits for it. One that has ended is left alone.
func (s *Server) signal(sig syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Signal(sig) // it may have ended
	<-s.ended
	s.process = nil
}

// start runs the server and waits until it answers. After a kill the children of the one before may need a moment to go.
func (s *Server) start() error {
	deadline := time.Now().Add(patience)
	for {
		err := s.once(deadline)
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (s *Server) once(deadline time.Time) error {
	args := []string{
		"-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", s.dir,
		"-c", "max_connections=60", "-c", "shared_buffers=16MB", "-c", "log_min_messages=warning",
	}
	if !s.options.Durable {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	if s.options.Certificate != nil {
		args = append(args, "-c", "ssl=on")
	}
	for _, setting := range s.options.Settings {
		args = append(args, "-c", setting)
	}
	s.log.Reset()
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = s.dir, &s.log, &s.log, attributes()
	cmd.WaitDelay = time.Second // children of a killed server may hold its output
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process, s.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // however it ended, it has
		close(ended)
	}(s.ended)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		err := execute(ctx, s.dsn(), "SELECT 1")
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			s.process = nil
			return fmt.Errorf("the server ended: %s", s.log.String())
		case <-tick.C:
			if time.Now().After(deadline) {
				s.signal(syscall.SIGQUIT)
				return fmt.Errorf("the server does not answer: %w", err)
			}
		}
	}
}

func (s *Server) dsn() string {
	return fmt.Sprintf("postgres://gatehouse:"+Password+"@127.0.0.1:%d/postgres?sslmode=disable", s.port)
}

// freePort is one that nobody listens on now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
