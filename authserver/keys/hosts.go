// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// errGaveWay ends a request that was slow while others waited for a turn at its host.
var errGaveWay = fmt.Errorf("giving way to others: %w", context.DeadlineExceeded)

// hostLimits bounds the requests in flight per host: a provider with a thousand tenants is not stormed, and a thousand
// sources at a host that hangs hold no more connections than its share.
//
// A turn is for one request to one host; what follows a redirect needs a turn of its own where it leads. Nobody's bad path
// holds up others at the same host: documents whose last fetch failed, and requests that take longer than patience, get at
// most half of the turns. Where more are slow than that and others wait, those that have taken longest give way. Of the
// others, the last to come is the first to be served, so that a crowd that came before does not stand in its way.
type hostLimits struct {
	perHost  int
	patience time.Duration
	mu       sync.Mutex
	hosts    map[string]*hostTurns // those with a turn held or waited for
}

// hostTurns are the turns of one host, guarded by hostLimits.mu.
type hostTurns struct {
	held     []*turn // the longest held first
	waiting  []*turn // the last to come last
	troubled []*turn // wait as well: of documents whose last fetch failed
}

// turn is one request's, waited for or held.
type turn struct {
	host    string
	cancel  context.CancelCauseFunc
	granted chan struct{}
	timer   *time.Timer
	slow    bool
	leaving bool // it was told to give way
}

// acquire waits for a turn at the host, and returns the context of the request it is for and what ends it. troubled says that
// the last fetch of the document failed.
func (h *hostLimits) acquire(ctx context.Context, host string, troubled bool) (_ context.Context, release func(), err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	t := &turn{host: host, cancel: cancel, granted: make(chan struct{}), slow: troubled}
	h.mu.Lock()
	at := h.hosts[host]
	if at == nil {
		at = &hostTurns{}
		h.hosts[host] = at
	}
	if troubled {
		at.troubled = append(at.troubled, t)
	} else {
		at.waiting = append(at.waiting, t)
	}
	h.settle(at)
	h.mu.Unlock()
	select {
	case <-t.granted:
		return ctx, func() { h.release(t) }, nil
	case <-ctx.Done():
		err := context.Cause(ctx)
		h.release(t)
		return nil, nil, err
	}
}

// release ends a turn, or the wait for it.
func (h *hostLimits) release(t *turn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer t.cancel(nil)
	if t.timer != nil {
		t.timer.Stop()
	}
	at := h.hosts[t.host]
	is := func(other *turn) bool { return other == t }
	at.held = slices.DeleteFunc(at.held, is)
	at.waiting = slices.DeleteFunc(at.waiting, is)
	at.troubled = slices.DeleteFunc(at.troubled, is)
	if len(at.held)+len(at.waiting)+len(at.troubled) == 0 {
		delete(h.hosts, t.host)
		return
	}
	h.settle(at)
}

// settle gives turns to those who may have one, and sees to it that too many slow requests give way. It is called with mu
// held, whenever something has changed.
func (h *hostLimits) settle(at *hostTurns) {
	share := max(1, h.perHost/2) // of those that are slow
	for n := len(at.waiting); n > 0 && len(at.held) < h.perHost; n-- {
		h.grant(at, at.waiting[n-1])
		at.waiting = slices.Delete(at.waiting, n-1, n)
	}
	for len(at.troubled) > 0 && len(at.held) < h.perHost && at.count(func(t *turn) bool { return t.slow }) < share {
		h.grant(at, at.troubled[0])
		at.troubled = slices.Delete(at.troubled, 0, 1)
	}
	leaving := at.count(func(t *turn) bool { return t.leaving })
	slow := at.count(func(t *turn) bool { return t.slow && !t.leaving })
	for _, t := range at.held {
		if leaving >= len(at.waiting) || slow <= share {
			return
		}
		if t.slow && !t.leaving {
			t.leaving = true
			t.cancel(errGaveWay)
			leaving, slow = leaving+1, slow-1
		}
	}
}

func (at *hostTurns) count(is func(*turn) bool) (n int) {
	for _, t := range at.held {
		if is(t) {
			n++
		}
	}
	return n
}

// grant is called with mu held.
func (h *hostLimits) grant(at *hostTurns, t *turn) {
	at.held = append(at.held, t)
	if !t.slow {
		t.timer = time.AfterFunc(h.patience, func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			t.slow = true
			if at := h.hosts[t.host]; at != nil {
				h.settle(at)
			}
		})
	}
	close(t.granted)
}

// turnsAt names the host and port that a request to the URL takes a turn at, however it is spelled.
func turnsAt(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port
}
