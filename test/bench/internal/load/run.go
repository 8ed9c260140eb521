// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Request is one request and the answer it must get.
type Request struct {
	Bytes  []byte // the whole request as sent; for gRPC the message, a CheckRequest of Envoy's external authorization
	Status int    // the status the answer must have; for gRPC that of the DeniedHttpResponse, 200 for an OkHttpResponse
	User   string // the exact X-Auth-Request-User the answer must have; "" = the header must be absent
}

// Options says what to send and for how long.
type Options struct {
	Addr        string    // IPv4 address and port
	Connections int       // keep-alive connections; with HTTP/1.1 in a closed loop also the number of requests in flight
	Streams     int       // gRPC: requests in flight on each connection; 0 = HTTP/1.1
	Requests    []Request // sent in this order, each once; the run ends early when all have been sent
	Warm        time.Duration
	Window      time.Duration // measured, after Warm
	Rate        float64       // requests due per second; 0 = closed loop

	// Each is called once a second from the end of Warm on, between requests: it must be quick. nil = nothing is done.
	Each func() error

	// CPU returns the CPU time that the server has used so far. It is asked at both ends of the window.
	CPU func() (time.Duration, error)
}

// Result is what one window measured.
type Result struct {
	Requests int           // answers inside the window, all of them right
	Elapsed  time.Duration // length of the window; shorter than asked for if the requests ran out
	CPU      time.Duration // of the server, inside the window
	Latency  *Histogram    // open loop only: from the moment a request was due to the end of its answer
}

// PerSecond returns the answers per second.
func (r Result) PerSecond() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// CPUPerRequest returns the server's CPU time per answer in microseconds.
func (r Result) CPUPerRequest() float64 {
	return float64(r.CPU.Nanoseconds()) / 1e3 / float64(r.Requests)
}

var errEmptyWindow = errors.New("no answer fell inside the window: it is too short, or too few requests outlast the warm-up")

// Run measures one window. It returns the first wrong answer, broken connection or stall (no answer for 10 s) as an
// error; whatever was in flight at the end of the window is waited for and checked too, but not counted.
func Run(ctx context.Context, o Options) (Result, error) {
	if len(o.Requests) == 0 || o.Connections < 1 || o.Window <= 0 {
		return Result{}, errors.New("running load: requests, connections and window must not be empty")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p, err := dial(o.Addr, o.Connections, o.Streams)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	l := &loop{o: o, poller: p, idle: append([]*lane(nil), p.lanes...)}
	if o.Rate > 0 {
		l.latency = new(Histogram)
	}
	err = l.run(ctx)
	if err == nil && l.result.Requests == 0 {
		err = errEmptyWindow
	}
	if err != nil {
		return Result{}, fmt.Errorf("running load on %s: %w", o.Addr, err)
	}
	l.result.Latency = l.latency
	return l.result, nil
}
