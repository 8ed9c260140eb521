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
)

const (
	settle        = time.Second            // from the ready line to the reading of idle memory
	warm          = 300 * time.Millisecond // at the start of every window, not measured
	tokenLifetime = 2 * time.Hour          // longer than any run
	firstGuess    = 10_000                 // requests of a server's first window, and the fewest of any other
	firstCostly   = 2_000                  // the same where a request may cost many times as much
	maxRequests   = 400_000                // of one window; some 1.5 KiB of memory each

	briefPairs  = 3
	briefWindow = time.Second
)

// bench holds what all scenarios share.
type bench struct {
	options
	settle      time.Duration
	warm        time.Duration
	maxRequests int
	manyTenants int
	self        string // this program, for its floor and its key server
	scratch     string
	cores       []int // the first is the server's, the second the generator's; signing tokens may use all
	deploy      deployment
	sites       map[string]*deployed // made when they are first needed
	progress    io.Writer
}

// side is one of the two parties of a scenario.
type side struct {
	party
	server  *process.Process
	at      *deployed // whose configuration the server has, or whose tokens the floor is sent
	rate    float64   // requests per second at most, or the fixed rate of the open loop
	windows []load.Result
}

// turn is a side and what it is asked next.
type turn struct {
	*side
	requests []load.Request
}

// duel is one scenario while it runs.
type duel struct {
	*bench
	scenario
	base, subject side
	pairs         int
	window        time.Duration
	inFlight      int // requests at a time
}

// run measures one scenario: start the servers, learn how fast they are, then one pair of windows after the other.
func (b *bench) run(ctx context.Context, s scenario) (result, error) {
	d := &duel{bench: b, scenario: s, base: side{party: s.base}, subject: side{party: s.subject}, pairs: b.pairs, window: b.window}
	if s.brief {
		d.pairs, d.window = min(b.pairs, briefPairs), min(b.window, briefWindow)
	}
	d.inFlight = b.connections
	if s.figure == figureCost { // with many at once, the first answer to a costly request would take long to come
		d.inFlight = min(d.inFlight, streams)
	}
	defer d.stop()
	if err := d.start(ctx); err != nil {
		return result{}, err
	}
	m := memory{ReadyMillis: millis(d.subject.server.Took)}
	var err error
	if m.Idle, err = b.settledMemory(ctx, d.subject.server); err != nil {
		return result{}, err
	}
	counted, err := d.countFetches(ctx)
	if err != nil {
		return result{}, err
	}
	if err := d.calibrate(ctx); err != nil {
		return result{}, err
	}
	for i := range d.pairs {
		if err := d.pair(ctx, i); err != nil {
			return result{}, err
		}
	}
	if m.Loaded, err = d.subject.server.Memory(); err != nil {
		return result{}, err
	}
	r, err := d.summarize(m)
	if err != nil {
		return result{}, err
	}
	if r.Fetches, err = counted(); err != nil {
		return result{}, err
	}
	return r, d.checkReloads(ctx)
}

// start starts both servers, or the one that both parties are.
func (d *duel) start(ctx context.Context) (err error) {
	for _, at := range []*side{&d.subject, &d.base} {
		name := at.site
		if name == "" {
			name = d.subject.site
		}
		if name == "" {
			name = siteRS256
		}
		if at.at, err = d.site(ctx, name); err != nil {
			return err
		}
		switch {
		case at.party.server != authServer:
			at.server, err = process.Start(ctx, d.cores[0], d.self, "floor", "-mode", at.party.server)
		case at == &d.base && d.subject.party.server == authServer && d.subject.at == at.at:
			at.server = d.subject.server
		default:
			at.server, err = d.deploy.start(ctx, d.cores[0], at.at.volume)
		}
		if err != nil {
			return err
		}
		if at.reload {
			if err := d.prepareReloads(ctx, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *duel) stop() {
	for _, at := range []*side{&d.base, &d.subject} {
		if at.server != nil {
			at.server.Stop() // twice does no harm
		}
	}
}

// calibrate learns each server's maximum from a short window and then a full one. The first answers of a new process
// are slow, and a window needs as many distinct tokens as it will use.
func (d *duel) calibrate(ctx context.Context) error {
	for _, window := range []time.Duration{min(d.window, 500*time.Millisecond), d.window} {
		turns, err := d.requests()
		if err != nil {
			return err
		}
		rates := [len(turns)]float64{}
		for i, at := range turns {
			r, err := d.oneWindow(ctx, at, load.Options{Window: window})
			if err != nil {
				return err
			}
			rates[i] = r.PerSecond()
		}
		d.base.rate, d.subject.rate = rates[0], rates[1]
	}
	if d.figure == figureP99 {
		d.base.rate /= 2
		d.subject.rate /= 2
		if d.base.server == d.subject.server { // asked the same, so that what differs is what is done to it
			d.base.rate = math.Min(d.base.rate, d.subject.rate)
			d.subject.rate = d.base.rate
		}
	}
	return nil
}

// requests makes what the next pair of windows sends. Where the base has no questions of its own, both are asked the
// same.
func (d *duel) requests() (turns [2]turn, err error) {
	n, own := d.tokensFor(d.subject.rate), d.base.ask != nil
	if !own {
		n = max(n, d.tokensFor(d.base.rate))
	}
	list, err := d.subject.ask(d.subject.at.site, n)
	if err != nil {
		return turns, err
	}
	turns = [2]turn{{side: &d.base}, {side: &d.subject}}
	if turns[1].requests, err = d.subject.requests(list); err != nil {
		return turns, err
	}
	if own {
		if list, err = d.base.ask(d.base.at.site, d.tokensFor(d.base.rate)); err != nil {
			return turns, err
		}
	} else if d.subject.party.server == floorEmpty || d.subject.party.server == floorGRPC {
		// a floor that is asked without tokens is compared with one that gets them
		if list, err = repeated(d.base.at.site, n); err != nil {
			return turns, err
		}
	}
	turns[0].requests, err = d.base.requests(list)
	return turns, err
}

// tokensFor returns how many requests a window takes at rate, with a third to spare. If that is too few after all, the
// window ends early; no token is sent twice.
func (d *duel) tokensFor(rate float64) int {
	least := firstGuess
	if d.figure == figureCost {
		least = firstCostly
	}
	return min(max(least, int(1.33*rate*(d.warm+d.window).Seconds())), d.maxRequests)
}

// pair measures one window of each party. Who goes first alternates, so that a drift of the machine favours neither.
func (d *duel) pair(ctx context.Context, i int) error {
	turns, err := d.requests()
	if err != nil {
		return err
	}
	if i%2 == 1 {
		turns[0], turns[1] = turns[1], turns[0]
	}
	for _, at := range turns {
		o := load.Options{Warm: d.warm, Window: d.window}
		if d.figure == figureP99 {
			o.Rate = at.rate
		}
		if at.reload {
			o.Each = at.at.volume.swap
		}
		r, err := d.oneWindow(ctx, at, o)
		if err != nil {
			return err
		}
		at.windows = append(at.windows, r)
		if d.figure != figureP99 {
			at.rate = math.Max(at.rate, r.PerSecond())
		}
	}
	_, _ = fmt.Fprintf(d.progress, "%s: pair %d of %d: %.2f\n", d.name, i+1, d.pairs, d.ratioOf(d.base.windows[i], d.subject.windows[i]))
	return nil
}

// oneWindow runs one window with the generator alone on its core. Garbage is collected before and not during it: a pause
// of the generator would show as latency of the server.
func (d *duel) oneWindow(ctx context.Context, at turn, o load.Options) (r load.Result, err error) {
	o.Addr, o.Connections, o.CPU, o.Requests = at.server.Ready.Listen, d.inFlight, at.server.CPUTime, at.requests
	if at.grpc {
		if at.party.server == authServer {
			o.Addr = at.server.Ready.ExtAuthListen
		}
		// A proxy has one connection a thread and a stream for each request on it.
		o.Connections = max(1, d.inFlight/streams)
		o.Streams = min(d.inFlight, streams)
	}
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer func() { err = errors.Join(err, process.PinSelf(d.cores...)) }()
	if err := process.PinSelf(d.cores[1]); err != nil {
		return load.Result{}, err
	}
	if r, err = load.Run(ctx, o); err != nil {
		return r, fmt.Errorf("%w; the last output of %s:\n%s", err, at.server, at.server.Output())
	}
	return r, nil
}

// streams is how many requests are in flight on one connection of gRPC.
const streams = 8

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
