// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell is a page's bash, and the terminals beside it.
type shell struct {
	// dir is where commands run, own what the shell is kept in.
	dir, own    string
	environment []string
	path        string
	// address stands for the loopback addresses that pages name.
	address string
	// names of services, and where their stand-ins are.
	standIns *strings.Replacer
	// people makes somebody else log in at a stand-in.
	people map[string]func()

	stdin     io.Writer
	main      *process
	terminals []*process
	count     int
}

// process is a bash and all that it has started, in a process group of its own.
type process struct {
	command *exec.Cmd
	output  string
	ended   chan struct{}
}

var local = regexp.MustCompile(`\b(127\.0\.0\.1|localhost):`)

// brief are the times for which readers wait at most, with a cluster that has nothing else to do.
var brief = regexp.MustCompile(`--timeout=[12]m\b`)

// place puts this test's addresses into what a page says, and its patience.
func (s *shell) place(text string) string {
	text = brief.ReplaceAllString(text, "--timeout=8m")
	return s.standIns.Replace(local.ReplaceAllString(text, s.address+":"))
}

// written is the folder of the page's files as they stand there.
func (s *shell) written() string { return filepath.Join(s.own, "written") }

// plain makes what was printed comparable with what a page says.
func (s *shell) plain(text string) string {
	return local.ReplaceAllString(strings.ReplaceAll(text, s.address, "127.0.0.1"), "127.0.0.1:")
}

// begin starts the page's bash, which reads what to do from its standard input.
func (s *shell) begin(t *testing.T) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	t.Cleanup(func() { _ = writer.Close() })
	s.stdin = writer
	s.main = s.start(t, filepath.Join(s.own, "bash"), reader, "-s")
	s.say(t, `set -Eeuo pipefail; trap 'printf "%%s\n" "$BASH_COMMAND" >%s/failed' ERR`, s.own)
}

func (s *shell) say(t *testing.T, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(s.stdin, format+"\n", args...); err != nil {
		t.Fatalf("the page's bash has ended: %v\n%s", err, read(s.main.output))
	}
}

// start runs bash with output in a file. Its children are ended with it.
func (s *shell) start(t *testing.T, output string, stdin io.Reader, args ...string) *process {
	t.Helper()
	log, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the process has its own descriptor
	p := &process{command: exec.Command("bash", append([]string{"--noprofile", "--norc"}, args...)...), output: output, ended: make(chan struct{})}
	p.command.Dir, p.command.Env, p.command.Stdin = s.dir, s.environment, stdin
	p.command.Stdout, p.command.Stderr = log, log
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.command.Wait(); close(p.ended) }()
	t.Cleanup(p.stop)
	return p
}

// stop ends bash and all that it started.
func (p *process) stop() {
	group := -p.command.Process.Pid
	_ = syscall.Kill(group, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(patience):
	}
	_ = syscall.Kill(group, syscall.SIGKILL)
	// Folders are removed next. Where nobody reaps orphans, the group stays.
	for deadline := time.Now().Add(2 * time.Second); syscall.Kill(group, 0) == nil && time.Now().Before(deadline); {
		<-time.After(10 * time.Millisecond)
	}
}

// run runs a fence and returns what it printed and an error if it did not end as it should.
func (s *shell) run(t *testing.T, step *step) (string, error) {
	t.Helper()
	s.count++
	base := filepath.Join(s.own, fmt.Sprintf("step-%d", s.count))
	write(t, base, s.place(step.text))
	if step.written {
		write(t, base, "(cd "+s.written()+"\n"+step.text+")\n")
	}
	began := "set -e"
	if step.exit != 0 || step.again {
		began = "set +e"
	}
	s.say(t, `%[2]s; . %[1]s </dev/null >%[1]s.out 2>&1; echo $? >%[1]s.new; mv %[1]s.new %[1]s.status; set -e`, base, began)
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.main.ended:
			return s.plain(read(base + ".out")), fmt.Errorf("this failed: %s", strings.TrimSpace(s.plain(read(s.own+"/failed"))))
		case <-deadline:
			return s.plain(read(base + ".out")), fmt.Errorf("it has not ended within %v", patience)
		case <-tick.C:
		}
		if status := read(base + ".status"); status != "" {
			printed := s.plain(read(base + ".out"))
			if want := fmt.Sprint(step.exit); strings.TrimSpace(status) != want {
				return printed, fmt.Errorf("exit code %s, want %s", strings.TrimSpace(status), want)
			}
			return printed, nil
		}
	}
}

// again runs a fence until it ends and prints as it should.
func (s *shell) again(t *testing.T, step *step) (string, error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		printed, err := s.run(t, step)
		if err == nil {
			err = step.check(printed)
		}
		if err == nil || time.Now().After(deadline) {
			return printed, err
		}
		<-time.After(50 * time.Millisecond)
	}
}

// open runs a fence in a terminal of its own, and returns when it has printed what it should.
func (s *shell) open(t *testing.T, step *step) (string, error) {
	t.Helper()
	s.count++
	base := filepath.Join(s.own, fmt.Sprintf("step-%d", s.count))
	write(t, base, s.place(step.text))
	p := s.start(t, base+".out", nil, "-euo", "pipefail", base)
	s.terminals = append(s.terminals, p)
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := step.check(s.plain(read(p.output)))
		if err == nil {
			return "", nil
		}
		select {
		case <-p.ended:
			return s.plain(read(p.output)), fmt.Errorf("the terminal's command has ended by itself")
		case <-deadline:
			return s.plain(read(p.output)), err
		case <-tick.C:
		}
	}
}

// finish demands that what runs in terminals still does.
func (s *shell) finish() error {
	for _, p := range s.terminals {
		select {
		case <-p.ended:
			return fmt.Errorf("a terminal's command ended by itself:\n%s", s.plain(read(p.output)))
		default:
		}
	}
	return nil
}

// terminalsSaid is what was printed in all terminals.
func (s *shell) terminalsSaid() string {
	text := ""
	for _, p := range s.terminals {
		text += "terminal:\n" + s.plain(read(p.output))
	}
	return text
}

// read returns a file's text, "" where there is none.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// program writes a file that can be run.
func program(t *testing.T, path, text string) {
	t.Helper()
	write(t, path, text)
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
