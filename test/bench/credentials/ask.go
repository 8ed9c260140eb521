// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	connections = 8
	// every is how often there is a round.
	every = 250 * time.Millisecond
)

// asker asks for the token of each provider in turn, round by round.
type asker struct {
	address, token string
	providers      int // that there are
	times          int // that one of them is asked for in a round
	client         *http.Client
	start, next    time.Time
}

func newAsker(address, token string, providers, times int) *asker {
	transport := &http.Transport{MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}
	return &asker{address: address, token: token, providers: providers, times: times, client: &http.Client{Timeout: 30 * time.Second, Transport: transport}, start: time.Now()}
}

// round asks so many times, not before the next round is due.
func (a *asker) round(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Until(a.next)):
	}
	a.next = time.Now().Add(every)
	group, ctx := errgroup.WithContext(ctx)
	for first := range connections {
		group.Go(func() error {
			for i := first; i < a.times; i += connections {
				if err := a.ask(ctx, provider(i%a.providers)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (a *asker) ask(ctx context.Context, name string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.address+"/credentials/"+name, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+a.token)
	r.Header.Set("X-Jwt-Tenant-Id", tenant)
	answer, err := a.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for the token of %s: status %d", name, answer.StatusCode)
	}
	return nil
}
