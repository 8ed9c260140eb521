// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// workers send requests at once, each one every pause: about 200 a second.
	workers = 8
	pause   = 40 * time.Millisecond
)

// load asks for decisions through a Service, half over kept connections as gateways do and half over new ones, half with a token
// that must pass and half with one that must not, until it is stopped.
type load struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	sent     int
	problems []string
}

// startLoad begins. good must be answered 200 for the tenant, bad 401.
func startLoad(ctx context.Context, base, tenant, good, bad string) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel}
	for n := range workers {
		keep := n%2 == 0
		c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: !keep}}
		l.done.Go(func() { l.work(ctx, c, base, tenant, good, bad) })
	}
	return l
}

func (l *load) work(ctx context.Context, c *http.Client, base, tenant, good, bad string) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	defer c.CloseIdleConnections()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		token, want := good, http.StatusOK
		if n%2 == 1 {
			token, want = bad, http.StatusUnauthorized
		}
		status, _, err := verify(context.WithoutCancel(ctx), c, base, tenant, token)
		l.count(status, want, err)
	}
}

func (l *load) count(status, want int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if err != nil {
		l.problems = append(l.problems, "dropped: "+err.Error())
	} else if status != want {
		l.problems = append(l.problems, fmt.Sprintf("wrongly decided: %d, want %d", status, want))
	}
}

// stop ends the load and returns how many requests were sent and what went wrong with which.
func (l *load) stop() (sent int, problems []string) {
	l.cancel()
	l.done.Wait()
	return l.sent, l.problems
}

// soFar is how many requests have been answered.
func (l *load) soFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}
