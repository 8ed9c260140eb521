// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/tokens"
)

const (
	settle        = time.Second            // from the ready line to the reading of idle memory
	warm          = 300 * time.Millisecond // at the start of every window, not measured
	tokenLifetime = 2 * time.Hour          // longer than any run
	firstGuess    = 10_000                 // requests of a server's first window, and the fewest of any other
	maxRequests   = 400_000                // of one window; some 1.5 KiB of memory each
)

// bench holds what all scenarios share.
type bench struct {
	options
	settle      time.Duration
	warm        time.Duration
	maxRequests int
	self        string // this program, for its floor
	cores       []int  // the first is the server's, the second the generator's; signing tokens may use all
	subject     startSubject
	progress    io.Writer
}

// side is one of the two servers of a scenario.
type side struct {
	server  *process.Process
	rate    float64 // requests per second at most, or the fixed rate of the open loop
	windows []load.Result
}

// turn is a side and what it is asked next.
type turn struct {
	*side
	requests []load.Request
}

// run measures one scenario: start both servers, learn how fast they are, then one pair of windows after the other.
func (b *bench) run(ctx context.Context, s scenario) (result, error) {
	minter, err := tokens.NewMinter(s.workload.algorithm, time.Now(), tokenLifetime)
	if err != nil {
		return result{}, err
	}
	var floor, subject side
	if floor.server, err = b.startFloor(ctx, s.floor); err != nil {
		return result{}, err
	}
	defer floor.server.Stop()
	if s.subject == authServer {
		subject.server, err = b.subject(ctx, b.cores[0], s.workload, minter.PublicKey())
	} else {
		subject.server, err = b.startFloor(ctx, s.subject)
	}
	if err != nil {
		return result{}, err
	}
	defer subject.server.Stop()

	idle, err := b.settledMemory(ctx, subject.server)
	if err != nil {
		return result{}, err
	}
	if err := b.calibrate(ctx, s, minter, &floor, &subject); err != nil {
		return result{}, err
	}
	for i := range b.pairs {
		if err := b.pair(ctx, s, minter, &floor, &subject, i); err != nil {
			return result{}, err
		}
	}
	loaded, err := subject.server.Memory()
	if err != nil {
		return result{}, err
	}
	return b.summarize(s, &floor, &subject, memory{ReadyMillis: millis(subject.server.Took), Idle: idle, Loaded: loaded})
}

func (b *bench) startFloor(ctx context.Context, mode string) (*process.Process, error) {
	return process.Start(ctx, b.cores[0], b.self, "floor", "-mode", mode)
}

// calibrate learns each server's maximum from a short window and then a full one. The first answers of a new process
// are slow, and a window needs as many distinct tokens as it will use.
func (b *bench) calibrate(ctx context.Context, s scenario, m *tokens.Minter, floor, subject *side) error {
	need := b.tokensFor(0)
	for _, window := range []time.Duration{min(b.window, 500*time.Millisecond), b.window} {
		batch, err := s.workload.newBatch(m, need, s.subject)
		if err != nil {
			return err
		}
		for _, at := range []turn{{floor, batch.floor}, {subject, batch.subject}} {
			r, err := b.oneWindow(ctx, at.server, load.Options{Requests: at.requests, Window: window})
			if err != nil {
				return err
			}
			at.rate = r.PerSecond()
		}
		need = b.tokensFor(math.Max(floor.rate, subject.rate))
	}
	if s.latency {
		floor.rate /= 2
		subject.rate /= 2
	}
	return nil
}

// tokensFor returns how many requests a window takes at rate, with a half to spare. If that is too few after all, the
// window ends early; no token is sent twice.
func (b *bench) tokensFor(rate float64) int {
	return min(max(firstGuess, int(1.5*rate*(b.warm+b.window).Seconds())), b.maxRequests)
}

// pair measures one window of each server with the same requests. Who goes first alternates, so that a drift of the
// machine favours neither.
func (b *bench) pair(ctx context.Context, s scenario, m *tokens.Minter, floor, subject *side, i int) error {
	batch, err := s.workload.newBatch(m, b.tokensFor(math.Max(floor.rate, subject.rate)), s.subject)
	if err != nil {
		return err
	}
	order := []turn{{floor, batch.floor}, {subject, batch.subject}}
	if i%2 == 1 {
		order[0], order[1] = order[1], order[0]
	}
	for _, at := range order {
		o := load.Options{Requests: at.requests, Warm: b.warm, Window: b.window}
		if s.latency {
			o.Rate = at.rate
		}
		r, err := b.oneWindow(ctx, at.server, o)
		if err != nil {
			return err
		}
		at.windows = append(at.windows, r)
		if !s.latency {
			at.rate = math.Max(at.rate, r.PerSecond())
		}
	}
	_, _ = fmt.Fprintf(b.progress, "%s: pair %d of %d: %.2f\n", s.name, i+1, b.pairs,
		floor.windows[i].CPUPerRequest()/subject.windows[i].CPUPerRequest())
	return nil
}

// oneWindow runs one window with the generator alone on its core. Garbage is collected before and not during it: a pause
// of the generator would show as latency of the server.
func (b *bench) oneWindow(ctx context.Context, server *process.Process, o load.Options) (r load.Result, err error) {
	o.Addr, o.Connections, o.CPU = server.Ready.Listen, b.connections, server.CPUTime
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer func() { err = errors.Join(err, process.PinSelf(b.cores...)) }()
	if err := process.PinSelf(b.cores[1]); err != nil {
		return load.Result{}, err
	}
	if r, err = load.Run(ctx, o); err != nil {
		return r, fmt.Errorf("%w; the last output of %s:\n%s", err, server, server.Output())
	}
	return r, nil
}

// settledMemory reads the memory of a server that has been ready, and unasked, for a while.
func (b *bench) settledMemory(ctx context.Context, server *process.Process) (process.Memory, error) {
	select {
	case <-time.After(b.settle):
		return server.Memory()
	case <-ctx.Done():
		return process.Memory{}, context.Cause(ctx)
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
