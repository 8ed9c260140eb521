// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
)

const (
	floodRate    = 200                   // of /verify, in requests a second
	floodWindow  = 15 * time.Second      // of which the first second is not measured
	floodLatency = 25 * time.Millisecond // p99 at most
	floodCallers = 64
	atOnce       = 200
)

// flood asks /verify at a fixed rate while logins take all the slots there are.
func (b *bench) flood(ctx context.Context) error {
	server, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	tokens, err := accessTokens(ctx, server.Ready.Listen, floodRate*int(floodWindow.Seconds()))
	if err != nil {
		return err
	}
	flooded, stop := context.WithCancel(ctx)
	counted := make(chan outcomes, 1)
	go func() { counted <- saturate(flooded, server.Ready.Listen, floodCallers) }()
	latency, wrong, err := openLoop(ctx, server.Ready.Listen, tokens, floodRate)
	stop()
	o := <-counted
	if err != nil {
		return err
	}
	p99 := latency.Percentile(99)
	b.score.Tell(p99 <= floodLatency && wrong == 0 && o.other == 0,
		"/verify %d times a second, each with another token, during a flood of logins: p50 %.1f ms, p99 %.1f ms (target %.0f), %d answers other than 200; %d logins, %d told to come again, %d other answers",
		floodRate, millis(latency.Percentile(50)), millis(p99), millis(floodLatency), wrong, o.done, o.later, o.other)
	return nil
}

// accessTokens gets so many different access tokens, by refreshing: each request of the flood is then verified in full, none is remembered.
func accessTokens(ctx context.Context, address string, n int) ([]string, error) {
	const callers = 16
	c := client(callers)
	defer c.CloseIdleConnections()
	tokens := make([]string, n)
	failed := make(chan error, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			g, status, err := login(ctx, c, address, i)
			for at := i; err == nil && status == http.StatusOK; at += callers {
				if at >= n {
					return
				}
				tokens[at] = g.AccessToken
				g, status, err = refresh(ctx, c, address, g.RefreshToken)
			}
			failed <- fmt.Errorf("getting tokens: %d, %w", status, err)
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return nil, err
	default:
		return tokens, nil
	}
}

// deployed starts the server as a pod has it: two cores, the default limit.
func (b *bench) deployed(ctx context.Context) (*process.Process, error) {
	dir, err := b.site(ctx, "")
	if err != nil {
		return nil, err
	}
	return b.server(ctx, dir, process.Settings{Procs: 2})
}

// memory has 200 callers log in at once, again and again, and reads the largest resident set there was.
func (b *bench) memory(ctx context.Context) error {
	server, err := b.deployed(ctx)
	if err != nil {
		return err
	}
	defer server.Stop()
	flooded, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	o := saturate(flooded, server.Ready.Listen, atOnce)
	m, err := server.Memory()
	if err != nil {
		return err
	}
	b.score.Tell(m.Peak <= limit && o.done > 0 && o.other == 0,
		"memory of %d logins at once: at most %.1f MiB resident (limit %d); %d logins, %d told to come again, %d other answers",
		atOnce, float64(m.Peak)/(1<<20), limit>>20, o.done, o.later, o.other)
	return nil
}

// outcomes of a flood of logins.
type outcomes struct{ done, later, other int }

// saturate has so many callers log in without a pause until ctx ends.
func saturate(ctx context.Context, address string, callers int) outcomes {
	var mu sync.Mutex
	var out outcomes
	var wg sync.WaitGroup
	c := client(callers)
	defer c.CloseIdleConnections()
	for i := range callers {
		wg.Go(func() {
			for user := i; ctx.Err() == nil; user += callers {
				_, status, err := login(ctx, c, address, user)
				if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					return
				}
				mu.Lock()
				switch {
				case err == nil && status == http.StatusOK:
					out.done++
				case err == nil && status == http.StatusServiceUnavailable:
					out.later++
				default:
					out.other++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return out
}

// openLoop asks /verify when it is due, whatever the server does: latency counts from that moment. The load generator of the other
// figures polls, which takes a core of its own; here the server has both.
func openLoop(ctx context.Context, address string, tokens []string, rate int) (*load.Histogram, int, error) {
	c := client(rate)
	defer c.CloseIdleConnections()
	var mu sync.Mutex
	var latency load.Histogram
	var wg sync.WaitGroup
	wrong := 0
	start := time.Now()
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i, token := range tokens {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		due := start.Add(time.Duration(i+1) * time.Second / time.Duration(rate))
		wg.Go(func() {
			ok := verified(ctx, c, address, token)
			took := time.Since(due)
			mu.Lock()
			defer mu.Unlock()
			if !ok {
				wrong++
			}
			if i >= rate { // the first second opens connections
				latency.Add(took)
			}
		})
	}
	wg.Wait()
	return &latency, wrong, nil
}

func verified(ctx context.Context, c *http.Client, address, token string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/verify", http.NoBody)
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK && resp.Header.Get("X-Auth-Tenant") == "default"
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
