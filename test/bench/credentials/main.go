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
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/rig"
)

const (
	runWithin = 10 * time.Minute
	settle    = 2 * time.Second // before memory is read
	// maxMore is what all providers may take over one, in MiB.
	maxMore = 50
	// maxShare is the part of all renewals that the busiest tenth of their time may have.
	maxShare = 0.2
)

// bench is one run.
type bench struct {
	bin, scratch string
	operator     bool
	providers    int
	lifetime     time.Duration
	score        rig.Score
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("credentials", flag.ContinueOnError)
	flags.SetOutput(stderr)
	b := &bench{score: rig.Score{Out: stdout}}
	flags.StringVar(&b.bin, "bin", "", "`directory` with authserver, gatehouse and operator; default: build them from this module")
	flags.IntVar(&b.providers, "providers", 1000, "how many there are")
	flags.BoolVar(&b.operator, "operator", false, "measure the operator, with outputSecretName, in place of the server")
	flags.DurationVar(&b.lifetime, "lifetime", 40*time.Second, "of their tokens, whole seconds")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if b.providers < 10 || b.lifetime < 10*time.Second || b.lifetime%time.Second != 0 || flags.NArg() > 0 {
		_, _ = fmt.Fprintln(stderr, "credentials: want 10 providers or more, a lifetime of whole seconds from 10s on, and nothing else")
		return 2
	}
	ctx, cancel := context.WithTimeoutCause(ctx, runWithin, fmt.Errorf("the run took longer than %s", runWithin))
	defer cancel()
	if err := b.measure(ctx); err != nil {
		_, _ = fmt.Fprintln(stderr, "credentials:", err)
		return 1
	}
	if b.score.Missed > 0 {
		_, _ = fmt.Fprintf(stderr, "credentials: %d targets missed\n", b.score.Missed)
		return 1
	}
	return 0
}

func (b *bench) measure(ctx context.Context) (err error) {
	if b.scratch, err = os.MkdirTemp("", "gatehouse-credentials-"); err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(b.scratch) }()
	names, serve := []string{"authserver", "gatehouse"}, b.serve
	if b.operator {
		names, serve = []string{"operator"}, b.operate
	}
	if b.bin, err = rig.Programs(ctx, b.bin, b.scratch, names...); err != nil {
		return err
	}
	one, _, err := serve(ctx, 1)
	if err != nil {
		return err
	}
	all, parts, err := serve(ctx, b.providers)
	if err != nil {
		return err
	}
	more := all - one
	b.score.Tell(more < maxMore, "memory of %d providers over one: %.1f MiB (%.1f and %.1f MiB RssAnon), limit %d MiB", b.providers, more, all, one, maxMore)
	busiest, text := spread(parts)
	b.score.Tell(busiest <= maxShare, "renewals in each tenth of the time from 80 to 90 %% of the tokens' life: %s; the busiest has %.0f %%, limit %.0f %%", text, 100*busiest, 100*maxShare)
	return nil
}

// serve starts the server of so many providers, and asks for their tokens until all are renewed. It returns the memory in MiB, and after which parts of their life they were
// renewed. The server of one is asked as often as that of all: what garbage a server has before it collects any is the same then.
func (b *bench) serve(ctx context.Context, providers int) (memory float64, parts []float64, err error) {
	e, err := startEndpoint(b.lifetime)
	if err != nil {
		return 0, nil, err
	}
	defer e.stop()
	dir, caller, err := b.site(ctx, providers, e.url)
	if err != nil {
		return 0, nil, err
	}
	server, err := process.Start(ctx, 0, filepath.Join(b.bin, "authserver"), "--config-dir", dir, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	defer server.Stop()
	a := newAsker(server.Ready.Listen, caller, providers, b.providers)
	for done := false; !done; {
		if err := a.round(ctx); err != nil {
			return 0, nil, err
		}
		if parts, done = e.renewals(providers); time.Since(a.start) > 2*b.lifetime {
			return 0, nil, fmt.Errorf("after two lifetimes only %d of %d tokens are renewed", len(parts), providers)
		}
	}
	select { // the runtime gives memory back bit by bit and tells nobody when it is done: there is nothing else to wait for
	case <-ctx.Done():
		return 0, nil, context.Cause(ctx)
	case <-time.After(settle):
	}
	m, err := server.Memory()
	return mib(m.Anonymous), parts, err
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }

// spread counts the renewals in each tenth of the time in which they should be, those before and after it with the first and the last.
func spread(parts []float64) (busiest float64, text string) {
	var counts [10]int
	for _, part := range parts {
		counts[min(max(int((part-0.8)*100), 0), 9)]++
	}
	shown := make([]string, len(counts))
	for i, n := range counts {
		busiest = max(busiest, float64(n)/float64(len(parts)))
		shown[i] = fmt.Sprint(n)
	}
	return busiest, strings.Join(shown, " ")
}
