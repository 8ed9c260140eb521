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
	"slices"
	"syscall"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
)

const (
	fullPairs  = 9               // the fewest pairs that a target is judged by
	fullWindow = 3 * time.Second // the shortest window that a target is judged by
	runWithin  = time.Hour
)

type options struct {
	pairs, connections int
	window             time.Duration
	run                *regexp.Regexp
	output, bin        string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// command runs the program with its arguments and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "floor" {
		return floorCommand(args[1:], stderr)
	}
	if len(args) > 0 && args[0] == "keys" {
		return keysCommand(args[1:], stderr)
	}
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		complain(stderr, err)
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, runWithin, fmt.Errorf("the run took longer than %s", runWithin))
	defer cancel()
	r, err := measure(ctx, o, stderr)
	if r != nil { // what was measured before something went wrong is told, too
		err = errors.Join(err, r.write(stdout, o.output))
	}
	if err != nil {
		complain(stderr, err)
		return 1
	}
	if missed := r.missed(); len(missed) > 0 {
		complain(stderr, fmt.Errorf("below target: %q", missed))
		return 1
	}
	return 0
}

// complain tells the user what went wrong; where nobody reads it, nothing is lost.
func complain(stderr io.Writer, err error) { _, _ = fmt.Fprintln(stderr, "bench:", err) }

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&o.pairs, "pairs", fullPairs, "pairs of windows a scenario")
	flags.DurationVar(&o.window, "window", fullWindow, "length of a window")
	flags.IntVar(&o.connections, "connections", 32, "keep-alive connections, each with one request in flight")
	quick := flags.Bool("quick", false, "smoke run: 3 pairs of 1s; targets are shown, not judged")
	run := flags.String("run", "", "only scenarios whose name matches this regular `expression`")
	flags.StringVar(&o.output, "o", "text", "output format: text or json")
	flags.StringVar(&o.bin, "bin", "", "`directory` with authserver and gatehouse; default: build both from this module")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if *quick {
		o.pairs, o.window = 3, time.Second
	}
	var err error
	switch o.run, err = regexp.Compile(*run); {
	case err != nil:
		return o, fmt.Errorf("-run: %w", err)
	case !o.selected():
		return o, fmt.Errorf("-run %q: nothing has such a name", *run)
	case flags.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q: only flags and the subcommands floor and keys are taken", flags.Arg(0))
	case o.pairs < 1 || o.pairs > 1000:
		return o, fmt.Errorf("-pairs %d: must be 1 to 1000", o.pairs)
	case o.window < 10*time.Millisecond || o.window > time.Minute:
		return o, fmt.Errorf("-window %s: must be 10ms to 1m", o.window)
	case o.connections < 1 || o.connections > 1000:
		return o, fmt.Errorf("-connections %d: must be 1 to 1000", o.connections)
	case o.output != "text" && o.output != "json":
		return o, fmt.Errorf("-o %s: must be text or json", o.output)
	}
	return o, nil
}

// measure runs every scenario that o selects.
func measure(ctx context.Context, o options, progress io.Writer) (*report, error) {
	cores, err := process.Cores()
	if err != nil {
		return nil, err
	}
	if len(cores) < 2 {
		return nil, errors.New("two cores are needed, one for the server and one for the load generator")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	scratch, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a scratch directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()

	b := &bench{options: o, settle: settle, warm: warm, maxRequests: maxRequests, manyTenants: many, self: self, scratch: scratch, cores: cores, progress: progress}
	defer b.close()
	r := &report{Machine: describeMachine(), Settings: b.settings()}
	if b.deploy, err = prepareBinaries(ctx, o.bin, scratch); err != nil {
		return nil, err
	}
	if err = b.measureAll(ctx, r); len(r.Scenarios)+len(r.Footprints) == 0 {
		return nil, err
	}
	return r, err
}

// measureAll runs what is selected, footprints first: a machine that was just busy is slow to start anything.
func (b *bench) measureAll(ctx context.Context, r *report) error {
	for _, f := range footprints {
		if !b.options.run.MatchString(f.name) {
			continue
		}
		o, err := b.runFootprint(ctx, f)
		if err != nil {
			return fmt.Errorf("measuring %q: %w", f.name, err)
		}
		r.Footprints = append(r.Footprints, o)
	}
	for _, s := range scenarios {
		if !b.options.run.MatchString(s.name) {
			continue
		}
		result, err := b.run(ctx, s)
		if err != nil {
			return fmt.Errorf("measuring %q: %w", s.name, err)
		}
		r.Scenarios = append(r.Scenarios, result)
	}
	return nil
}

// selected tells whether -run selects anything.
func (o options) selected() bool {
	return slices.ContainsFunc(footprints, func(f footprint) bool { return o.run.MatchString(f.name) }) ||
		slices.ContainsFunc(scenarios, func(s scenario) bool { return o.run.MatchString(s.name) })
}
