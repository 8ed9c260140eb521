// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"
	"sync"
	"time"
)

// patience ends a little before the call's own deadline, so that whoever waits for a key set still has time to answer
// 503: Envoy, whose timeout is 200 ms unless it is told otherwise, takes a call that is over for an error. The timer is
// only made for those who do wait.
type patience struct {
	context.Context

	mu     sync.Mutex
	early  context.Context // nil until somebody waits
	cancel context.CancelFunc
}

// Done is closed when a tenth of the time is left.
func (p *patience) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.early == nil {
		p.early, p.cancel = p.Context, func() {}
		if deadline, ok := p.Context.Deadline(); ok {
			p.early, p.cancel = context.WithTimeout(p.Context, time.Until(deadline)/10*9)
		}
	}
	return p.early.Done()
}

// Err is that of the earlier end, once somebody waits for it.
func (p *patience) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.early == nil {
		return p.Context.Err()
	}
	return p.early.Err()
}

// end lets go of the timer.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancel != nil {
		p.cancel()
	}
}
