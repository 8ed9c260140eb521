// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/rig"
)

const runWithin = 20 * time.Minute

// bench is one run.
type bench struct {
	bin     string // directory of the binaries
	scratch string
	self    string
	window  time.Duration
	pairs   int
	score   rig.Score
}

// measurements in the order in which they are made.
var measurements = []struct {
	name string
	run  func(*bench, context.Context) error
}{
	{"CPU of a login", (*bench).cpu},
	{"verification during a flood of logins", (*bench).flood},
	{"memory of 200 logins at once", (*bench).memory},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "hashes" {
		return hashesCommand(stderr)
	}
	flags := flag.NewFlagSet("logins", flag.ContinueOnError)
	flags.SetOutput(stderr)
	b := &bench{score: rig.Score{Out: stdout}}
	flags.StringVar(&b.bin, "bin", "", "`directory` with authserver and gatehouse; default: build both from this module")
	flags.DurationVar(&b.window, "window", 3*time.Second, "length of a window")
	flags.IntVar(&b.pairs, "pairs", 9, "pairs of windows of the CPU figure")
	run := flags.String("run", "", "only measurements whose name matches this regular `expression`")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	pattern, err := regexp.Compile(*run)
	if err != nil || b.window < 100*time.Millisecond || b.pairs < 1 || flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, "logins: want a regular expression, a window of 100ms or more, a pair or more, and nothing else")
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, runWithin, fmt.Errorf("the run took longer than %s", runWithin))
	defer cancel()
	if err := b.measure(ctx, pattern); err != nil {
		_, _ = fmt.Fprintln(stderr, "logins:", err)
		return 1
	}
	if b.score.Missed > 0 {
		_, _ = fmt.Fprintf(stderr, "logins: %d targets missed\n", b.score.Missed)
		return 1
	}
	return 0
}

func (b *bench) measure(ctx context.Context, pattern *regexp.Regexp) error {
	var err error
	if b.self, err = os.Executable(); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if b.scratch, err = os.MkdirTemp("", "gatehouse-logins-"); err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(b.scratch) }()
	if b.bin, err = rig.Programs(ctx, b.bin, b.scratch, "authserver", "gatehouse"); err != nil {
		return err
	}
	ran := 0
	for _, m := range measurements {
		if !pattern.MatchString(m.name) {
			continue
		}
		ran++
		if err := m.run(b, ctx); err != nil {
			return fmt.Errorf("measuring the %s: %w", m.name, err)
		}
	}
	if ran == 0 {
		return errors.New("nothing has such a name")
	}
	return nil
}
