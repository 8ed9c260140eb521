// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// ErrUnavailable is returned (wrapped, with the cause) when it cannot be told whether a token's key is good: no key set
// could be fetched, or the kid is unknown while the last fetch failed. It is an answer of 503, not 401.
var ErrUnavailable = errors.New("verification keys are unavailable")

// Engine fetches, keeps and refreshes key sets. Its methods may be called from several goroutines.
type Engine struct {
	options Options
	fetch   func(context.Context, Source, readings) fetched
	hosts   hostLimits
	seed    maphash.Seed

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	// entries is read without a lock. mu is held to change it and is never held across a fetch.
	entries    *table
	mu         sync.Mutex
	generation uint64 // counts the calls of Name
	sweeper    *time.Timer
}

// New returns an engine that knows no source. Nothing is fetched before the first [Engine.Find] for a source.
func New(o Options) *Engine {
	e := &Engine{options: o.withDefaults(), seed: maphash.MakeSeed(), entries: newTable()}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.hosts = hostLimits{perHost: e.options.FetchesPerHost, patience: patience, hosts: make(map[string]*hostTurns)}
	e.fetch = e.newFetcher(e.options.Clients.Get).fetch
	return e
}

func (e *Engine) newFetcher(client func(outbound.Profile) (*http.Client, error)) *fetcher {
	return &fetcher{client: client, options: &e.options, pages: newPages(&e.options), hosts: &e.hosts}
}

// Close ends all fetches and timers and waits for them. Keys already fetched still serve.
func (e *Engine) Close() {
	e.mu.Lock()
	e.cancel()
	if e.sweeper != nil {
		e.sweeper.Stop()
	}
	for en := range e.entries.all() {
		en.stop()
	}
	e.mu.Unlock()
	e.work.Wait()
}

// Ask is what a token asks of a source, and how old an answer its policy takes.
type Ask struct {
	Algorithm string // the token's alg, which the policy allows
	KeyID     string // the token's kid
	HasKeyID  bool   // whether it has one
	// MaxStale is how long after their fetch keys serve while later fetches fail: the policy's jwks.staleIfError. With 0
	// none do. Options.Keep bounds it.
	MaxStale time.Duration
}

// Found is the answer to an [Ask].
type Found struct {
	Key *jwk.Key
	// Set is the set that holds Key. As long as [Engine.Current] returns the same pointer, the same Ask has the same answer.
	Set *jwk.Set
}

// Find returns the one key of the source for a token, as [jwk.Set.Select] does, and the set it is of.
//
// A key that is at hand is returned without a lock, an allocation or a wait. Otherwise the caller joins the source's
// one fetch for at most Options.MaxWait; a context that ends ends the caller's wait, not the fetch. The error wraps
// [ErrUnavailable], or is that of Select: [jwk.ErrUnknownKeyID] only if the last fetch succeeded.
//
// A source should have been named with [Engine.Name]; one that was not is served all the same and forgotten later.
func (e *Engine) Find(ctx context.Context, src Source, a Ask) (Found, error) {
	en := e.entries.get(src)
	if en == nil {
		en = e.add(src)
	}
	return en.find(ctx, a)
}

// Current returns the set from which [Engine.Find] would answer now without waiting for a fetch, nil if there is none.
// It is the same pointer for as long as the set's content is the same, so that what was decided with it can be kept. Asking
// counts as use: the set is refreshed in the background.
func (e *Engine) Current(src Source, maxStale time.Duration) *jwk.Set {
	en := e.entries.get(src)
	if en == nil {
		return nil
	}
	if v := en.use(time.Now(), maxStale); v != nil {
		return v.set
	}
	return nil
}

// Name tells the engine which sources the current snapshot names, and how often each is refreshed while in use: the
// shortest of its policies' jwks.refreshInterval, 1m to 24h (what lies outside is brought inside), 0 for
// Options.RefreshInterval. It fetches nothing and waits for nothing. Other sources keep their keys until nobody has named
// or asked for them for Options.DropAfter.
func (e *Engine) Name(named map[Source]time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	e.generation++
	changes := e.entries.edit()
	for src, interval := range named {
		en := e.entries.get(src)
		if en == nil {
			en = newEntry(e, src, now)
			changes.add(en)
		}
		en.named, en.generation = true, e.generation
		en.setInterval(e.options.interval(interval))
	}
	changes.publish()
	e.sweepNow(now)
}

// Status reports on a source, for /configz. A source never asked for is not fetched, and so not ready.
func (e *Engine) Status(src Source) Status {
	en := e.entries.get(src)
	if en == nil {
		return Status{Reason: ReasonNotYetFetched}
	}
	return en.view.Load().status(time.Now())
}

// All yields every source the engine keeps, in no order, with its status.
func (e *Engine) All() iter.Seq2[Source, Status] {
	return func(yield func(Source, Status) bool) {
		now := time.Now()
		for en := range e.entries.all() {
			if !yield(en.src, en.view.Load().status(now)) {
				return
			}
		}
	}
}

// add makes an entry for a source that no snapshot named.
func (e *Engine) add(src Source) *entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	if en := e.entries.get(src); en != nil {
		return en
	}
	now := time.Now()
	en := newEntry(e, src, now)
	changes := e.entries.edit()
	changes.add(en)
	changes.publish()
	e.watch()
	return en
}

// sweepNow drops the entries that nobody wants, and looks again later while some are unnamed. It is called with mu held.
func (e *Engine) sweepNow(now time.Time) {
	changes := e.entries.edit()
	unnamed := false
	for en := range e.entries.all() {
		if en.named && en.generation != e.generation {
			en.named, en.unnamedSince = false, now
		}
		switch {
		case en.unwanted(now):
			en.stop()
			changes.remove(en)
		case !en.named:
			unnamed = true
		}
	}
	changes.publish()
	if e.sweeper != nil {
		e.sweeper.Stop()
		e.sweeper = nil
	}
	if unnamed {
		e.watch()
	}
}

// watch sees to it that entries nobody named are looked at again. It is called with mu held.
func (e *Engine) watch() {
	if e.sweeper == nil && e.ctx.Err() == nil {
		e.sweeper = time.AfterFunc(e.options.DropAfter/2, e.sweep)
	}
}

func (e *Engine) sweep() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweeper = nil
	e.sweepNow(time.Now())
}
