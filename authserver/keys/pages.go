// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
	"weak"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// pages are the documents that sources read, each shared by all whose way leads to it: many directories of Entra ID name one
// jwks_uri. A page lives as long as a source, or a fetch, holds a reading of it; nothing needs to be closed.
type pages struct {
	options *Options
	mu      sync.Mutex
	live    map[pageKey]weak.Pointer[page]
}

// pageKey names a page. What one CA or network vouches for does not answer for another.
type pageKey struct {
	profile outbound.Profile
	kind    string // document.name
	url     string // without fragment
}

// page is one document at one URL.
type page struct {
	mu     sync.Mutex // never held across a fetch
	flight *pageFlight
	last   *reading  // nil before the first
	set    *jwk.Set  // of the last good one
	again  time.Time // when somebody who had a good last reading started another fetch
}

// pageFlight is a page's one fetch; reading is set when done is closed.
type pageFlight struct {
	done    chan struct{}
	reading *reading
}

// reading is how one fetch of a page ended. It is immutable, but for its set's pointer being that of an equal predecessor.
type reading struct {
	page           *page // which it keeps alive
	started, ended time.Time

	set      *jwk.Set // of a JWKS
	problems []jwk.Problem
	metadata metadata // of metadata
	err      error
}

func newPages(o *Options) *pages {
	return &pages{options: o, live: make(map[pageKey]weak.Pointer[page])}
}

// at returns the page of a key.
func (ps *pages) at(key pageKey) *page {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if p := ps.live[key].Value(); p != nil {
		return p
	}
	p := &page{}
	ps.live[key] = weak.Make(p)
	runtime.AddCleanup(p, ps.forget, key)
	return p
}

// forget drops the entry of a page that was collected, unless a successor has taken its place.
func (ps *pages) forget(key pageKey) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if entry, ok := ps.live[key]; ok && entry.Value() == nil {
		delete(ps.live, key)
	}
}

// read returns a reading of the page that is recent enough, of the fetch in flight, or of a new one by get, which is then the
// asker's own. seen is the reading that the asker had before. get is told whether the last fetch failed; it belongs to no
// asker, and what it costs is nobody's budget.
func (p *page) read(ctx context.Context, o *Options, seen *reading, get func(troubled bool) reading) (r *reading, own bool) {
	now := time.Now()
	p.mu.Lock()
	if f := p.flight; f != nil {
		p.mu.Unlock()
		select {
		case <-f.done:
			return f.reading, false
		case <-ctx.Done():
			return &reading{err: context.Cause(ctx)}, false
		}
	}
	defer p.mu.Unlock()
	if p.recent(now, o, seen) {
		return p.last, false
	}
	troubled := false
	if p.last != nil {
		troubled = p.last.err != nil
		if !troubled && seen == p.last {
			p.again = now
		}
	}
	f := &pageFlight{done: make(chan struct{})}
	p.flight = f
	p.mu.Unlock()
	fresh := safely(func() reading { return get(troubled) })
	p.mu.Lock()
	fresh.page, fresh.started, fresh.ended = p, now, time.Now()
	if fresh.set != nil {
		if p.set.Equal(fresh.set) {
			fresh.set = p.set // the same pointer for all who share it
		}
		p.set = fresh.set
	}
	p.last, p.flight, f.reading = &fresh, nil, &fresh
	close(f.done)
	return &fresh, true
}

// recent tells whether the last reading will do. A good one does for as long as an unknown kid may not cause another fetch;
// an asker who has it already gets a newer one, but so many askers get only one in that time. A failure does for the
// shortest time that a source waits after one. It is called with mu held.
func (p *page) recent(now time.Time, o *Options, seen *reading) bool {
	switch {
	case p.last == nil:
		return false
	case p.last.err != nil:
		return now.Sub(p.last.ended) < o.BackoffMin/2
	case now.Sub(p.last.started) >= o.UnknownKeyInterval:
		return false
	}
	return seen != p.last || !p.again.IsZero() && now.Sub(p.again) < o.UnknownKeyInterval
}

// panicError is a panic while a document was read.
type panicError struct{ what string }

func (e *panicError) Error() string { return "panic: " + e.what }

// recovered says of a panic's value what may be told: it may hold a piece of the document.
func recovered(v any) *panicError {
	if err, ok := v.(runtime.Error); ok {
		return &panicError{err.Error()}
	}
	return &panicError{fmt.Sprintf("%T", v)}
}

// safely turns a panic into a failure: the document is hostile, and one tenant's must not end the process for all, nor the
// page's flight last for ever.
func safely(get func() reading) (r reading) {
	defer func() {
		if v := recover(); v != nil {
			r = reading{err: recovered(v)}
		}
	}()
	return get()
}
