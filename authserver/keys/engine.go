// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// ErrUnavailable is returned (wrapped, with the cause) when it cannot be told whether a token's key is good: no key set
// could be fetched, or the kid is unknown while the last fetch failed. It is an answer of 503, not 401.
var ErrUnavailable = errors.New("verification keys are unavailable")

// Engine fetches, keeps and refreshes key sets. Its methods may be called from several goroutines.
type Engine struct {
	options Options
	fetch   func(context.Context, Source) fetched
	hosts   hostLimits
	seed    maphash.Seed

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	// entries is replaced, never changed, so that Key reads it without a lock. mu is held to replace it and is never
	// held across a fetch.
	entries atomic.Pointer[map[Source]*entry]
	mu      sync.Mutex
	sweeper *time.Timer
}

// New returns an engine that knows no source. Nothing is fetched before the first [Engine.Key] for a source.
func New(o Options) *Engine {
	e := &Engine{options: o.withDefaults(), seed: maphash.MakeSeed()}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.hosts = hostLimits{perHost: e.options.FetchesPerHost, slots: make(map[string]*hostSlot)}
	e.fetch = (&fetcher{clients: e.options.Clients, hosts: &e.hosts, timeout: e.options.FetchTimeout}).fetch
	e.entries.Store(&map[Source]*entry{})
	return e
}

// Close ends all fetches and timers and waits for them. Keys already fetched still serve.
func (e *Engine) Close() {
	e.mu.Lock()
	e.cancel()
	if e.sweeper != nil {
		e.sweeper.Stop()
	}
	for _, en := range *e.entries.Load() {
		en.stop()
	}
	e.mu.Unlock()
	e.work.Wait()
}

// Key returns the one key of the source for a token's alg and kid, as [jwk.Set.Select] does.
//
// A key that is at hand is returned without a lock, an allocation or a wait. Otherwise the caller joins the source's
// one fetch for at most Options.MaxWait; a context that ends ends the caller's wait, not the fetch. The error wraps
// [ErrUnavailable], or is that of Select: [jwk.ErrUnknownKeyID] only if the last fetch succeeded.
//
// A source should have been named with [Engine.Use]; one that was not is served all the same and forgotten later.
func (e *Engine) Key(ctx context.Context, src Source, alg, kid string, hasKid bool) (*jwk.Key, error) {
	en := (*e.entries.Load())[src]
	if en == nil {
		en = e.add(src)
	}
	return en.key(ctx, alg, kid, hasKid)
}

// Use tells the engine which sources the current snapshot names. It fetches nothing and waits for nothing. Others keep
// their keys until nobody has named or asked for them for Options.DropAfter.
func (e *Engine) Use(sources []Source) {
	e.mu.Lock()
	defer e.mu.Unlock()
	named := make(map[Source]bool, len(sources))
	for _, src := range sources {
		named[src] = true
	}
	now := time.Now()
	next := maps.Clone(*e.entries.Load())
	for src, en := range next {
		en.setNamed(named[src], now)
	}
	for src := range named {
		if next[src] == nil {
			next[src] = newEntry(e, src, true, now)
		}
	}
	e.replace(next, now)
}

// Status reports on a source, for /configz. A source never asked for is not fetched, and so not ready.
func (e *Engine) Status(src Source) Status {
	en := (*e.entries.Load())[src]
	if en == nil {
		return Status{Reason: ReasonNotYetFetched}
	}
	return en.view.Load().status(time.Now())
}

// All yields every source the engine keeps, in no order, with its status.
func (e *Engine) All() iter.Seq2[Source, Status] {
	return func(yield func(Source, Status) bool) {
		now := time.Now()
		for src, en := range *e.entries.Load() {
			if !yield(src, en.view.Load().status(now)) {
				return
			}
		}
	}
}

// add makes an entry for a source that no snapshot named.
func (e *Engine) add(src Source) *entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := *e.entries.Load()
	if en := old[src]; en != nil {
		return en
	}
	now := time.Now()
	en := newEntry(e, src, false, now)
	next := maps.Clone(old)
	next[src] = en
	e.replace(next, now)
	return en
}

// replace publishes the entries less those nobody wants, and looks again later while some are unnamed. It is called
// with mu held and owns the map.
func (e *Engine) replace(entries map[Source]*entry, now time.Time) {
	unnamed := false
	for src, en := range entries {
		if en.unwanted(now) {
			en.stop()
			delete(entries, src)
		} else if !en.named {
			unnamed = true
		}
	}
	e.entries.Store(&entries)
	if e.sweeper != nil {
		e.sweeper.Stop()
		e.sweeper = nil
	}
	if unnamed && e.ctx.Err() == nil {
		e.sweeper = time.AfterFunc(e.options.DropAfter/2, e.sweep)
	}
}

func (e *Engine) sweep() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replace(maps.Clone(*e.entries.Load()), time.Now())
}
