// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"
)

// How many callbacks may be under way at one provider, in each replica. Those that run are as many as the connections that an
// outbound client makes to one host, so that nobody waits for a connection in the time that the exchange itself has.
const (
	turnsRunning    = 16
	turnsPresent    = 64 // running or waiting
	turnsOfNetwork  = 8  // of these, from one network
	turnPatience    = 3 * time.Second
	turnsRetryAfter = 2 * time.Second
)

var (
	// errCrowdedNetwork says that a network has enough callbacks under way at a provider.
	errCrowdedNetwork = errors.New("too many callbacks from this network are under way at this provider")
	// errCrowded says that all networks together have, or that no turn came up in time.
	errCrowded = errors.New("too many callbacks are under way at this provider")
)

// turns bounds the callbacks that ask a provider: a code that anybody made up costs a request there, and a provider that does not
// answer holds whoever asks. Providers do not wait for each other.
type turns struct {
	patience time.Duration

	mu        sync.Mutex
	providers map[string]*queue // only those with somebody present
}

type queue struct {
	running  chan struct{}
	present  int
	networks map[netip.Prefix]int // only those with somebody present
}

func newTurns() *turns { return &turns{patience: turnPatience, providers: make(map[string]*queue)} }

// take waits for a turn at the provider, and returns what ends it. The error is errCrowdedNetwork or errCrowded, at once or after
// some seconds, or that of the context.
func (t *turns) take(ctx context.Context, provider string, network netip.Prefix) (done func(), err error) {
	q, err := t.enter(provider, network)
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(t.patience)
	defer patience.Stop()
	select {
	case q.running <- struct{}{}:
		return func() {
			<-q.running
			t.leave(provider, network)
		}, nil
	case <-patience.C:
		err = errCrowded
	case <-ctx.Done():
		err = ctx.Err()
	}
	t.leave(provider, network)
	return nil, err
}

func (t *turns) enter(provider string, network netip.Prefix) (*queue, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.providers[provider]
	switch {
	case q == nil:
		q = &queue{running: make(chan struct{}, turnsRunning), networks: make(map[netip.Prefix]int)}
		t.providers[provider] = q
	case q.networks[network] >= turnsOfNetwork:
		return nil, errCrowdedNetwork
	case q.present >= turnsPresent:
		return nil, errCrowded
	}
	q.present++
	q.networks[network]++
	return q, nil
}

func (t *turns) leave(provider string, network netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.providers[provider]
	if q.networks[network]--; q.networks[network] == 0 {
		delete(q.networks, network)
	}
	if q.present--; q.present == 0 {
		delete(t.providers, provider)
	}
}
