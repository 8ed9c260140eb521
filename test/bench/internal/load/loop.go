// SPDX-License-Identifier: Apache-2.0

//go:build linux

package load

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stall is how long the loop waits for any answer before it gives up.
const stall = 10 * time.Second

// loop is the state of one run. Times are offsets from its start.
type loop struct {
	o      Options
	poller *poller
	idle   []*lane

	start    time.Time
	sent     int // requests handed out, so also the index of the next one
	answered int

	open       bool // the window has been opened
	done       bool // the window has been closed
	openedAt   time.Duration
	openedCPU  time.Duration
	openedWith int // answers before the window
	ticks      int // calls of Each
	latency    *Histogram
	result     Result
}

func (l *loop) run(ctx context.Context) error {
	l.start = time.Now()
	lastAnswer := time.Duration(0)
	for round := 0; ; round++ {
		if round%256 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		now := time.Since(l.start)
		if err := l.mark(now); err != nil {
			return err
		}
		if err := l.each(now); err != nil {
			return err
		}
		if err := l.dispatch(now); err != nil {
			return err
		}
		if l.done && len(l.idle) == len(l.poller.lanes) && !l.due(now) {
			return nil
		}
		ready, err := l.poller.ready()
		if err != nil {
			return err
		}
		if len(ready) > 0 {
			lastAnswer = now
		} else if now-lastAnswer > stall && len(l.idle) < len(l.poller.lanes) {
			return fmt.Errorf("waiting for an answer: none within %s", stall)
		}
		for _, c := range ready {
			if err := c.receive(l.finished); err != nil {
				return err
			}
		}
	}
}

// mark opens and closes the window, reading the server's CPU clock at both ends.
func (l *loop) mark(now time.Duration) error {
	closes := !l.done && l.open && (now >= l.o.Warm+l.o.Window || l.exhausted())
	opens := !l.open && now >= l.o.Warm
	if !closes && !opens {
		return nil
	}
	cpu, err := l.o.CPU()
	if err != nil {
		return err
	}
	if opens {
		l.open, l.openedAt, l.openedCPU, l.openedWith = true, now, cpu, l.answered
		return nil
	}
	l.done = true
	l.result = Result{Requests: l.answered - l.openedWith, Elapsed: now - l.openedAt, CPU: cpu - l.openedCPU}
	return nil
}

// each calls Options.Each when it is time to.
func (l *loop) each(now time.Duration) error {
	if l.o.Each == nil || l.done || now < l.o.Warm+time.Duration(l.ticks)*time.Second {
		return nil
	}
	l.ticks++
	return l.o.Each()
}

// dispatch sends on idle lanes: everything that is due in an open loop, as much as fits in a closed one.
func (l *loop) dispatch(now time.Duration) error {
	sent := l.sent
	for len(l.idle) > 0 && l.due(now) {
		at := l.idle[len(l.idle)-1]
		l.idle = l.idle[:len(l.idle)-1]
		at.request = &l.o.Requests[l.sent]
		at.due = l.dueAt(l.sent)
		l.sent++
		if err := at.conn.send(at); err != nil {
			return err
		}
	}
	if l.sent == sent {
		return nil
	}
	for _, c := range l.poller.conns {
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}

// due reports whether the next request is to be sent. In an open loop requests whose time lies inside the window are
// sent even after its end: leaving out those that queued would hide the very delays that the percentiles are about.
func (l *loop) due(now time.Duration) bool {
	if l.exhausted() {
		return false
	}
	if l.o.Rate == 0 {
		return !l.done
	}
	at := l.dueAt(l.sent)
	return at <= now && at < l.o.Warm+l.o.Window
}

func (l *loop) dueAt(i int) time.Duration {
	if l.o.Rate == 0 {
		return 0
	}
	return time.Duration(float64(i) * float64(time.Second) / l.o.Rate)
}

func (l *loop) exhausted() bool { return l.sent >= len(l.o.Requests) }

// finished counts the answer on a lane, which is complete and right, and frees the lane.
func (l *loop) finished(at *lane) {
	if l.latency != nil && at.due >= l.o.Warm {
		l.latency.Add(time.Since(l.start) - at.due)
	}
	l.answered++
	at.request = nil
	l.idle = append(l.idle, at)
}

// check compares an answer with what the request demands. The answer's head is shown: it holds no token.
func check(want *Request, got response, raw []byte) error {
	switch {
	case want == nil:
		return errors.New("checking answer: it arrived without a request")
	case got.status != want.Status:
		return fmt.Errorf("checking answer: status %d, want %d; answer: %.400q", got.status, want.Status, raw)
	case string(got.user) != want.User:
		return fmt.Errorf("checking answer: X-Auth-Request-User %q, want %q", got.user, want.User)
	case len(raw) != got.size:
		return fmt.Errorf("checking answer: %d bytes follow it unasked", len(raw)-got.size)
	}
	return nil
}
