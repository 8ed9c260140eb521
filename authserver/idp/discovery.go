// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

const (
	// metadataFresh is how long metadata serve before they are read again in the background of the next login.
	metadataFresh = 10 * time.Minute
	// metadataStale is how long they serve while they cannot be read again.
	metadataStale = 24 * time.Hour
	// metadataTimeout bounds one reading, metadataWait how long a login waits for it.
	metadataTimeout = 10 * time.Second
	metadataWait    = 5 * time.Second
	// The time to the next attempt doubles from one to the other with each failure; half of it is random.
	metadataBackoffMin = time.Second
	metadataBackoffMax = 5 * time.Minute
)

// discovery is a provider's metadata, read when they are first needed. There is one reading at a time, which belongs to nobody who waits for it.
type discovery struct {
	read func(context.Context) (*metadata, *failure)
	now  func() time.Time

	mu       sync.Mutex
	flight   chan struct{} // closed when the reading in flight has ended; nil without one
	current  *metadata     // nil before the first good reading
	fetched  time.Time     // when current was asked for
	failure  *failure      // of the last reading; nil if it was good
	failures int           // in a row
	next     time.Time     // no reading before
	since    time.Time     // since when the outcome is what it is; zero before the first
}

// get returns the metadata: at once where they are at hand, else after a bounded wait. Who can do without waits for the first reading alone: where the last one
// has failed, the next is not waited for.
func (d *discovery) get(ctx context.Context, needed bool) (*metadata, *failure) {
	d.mu.Lock()
	m, flight := d.at(d.now())
	failed := d.failure
	d.mu.Unlock()
	switch {
	case m != nil:
		return m, nil
	case flight == nil, failed != nil && !needed:
		return nil, failed
	}
	wait := time.NewTimer(metadataWait)
	defer wait.Stop()
	select {
	case <-flight:
	case <-ctx.Done():
		return nil, &failure{reason: keys.ReasonUnreachable, message: "discovery: the login was given up before the provider answered"}
	case <-wait.C:
		return nil, &failure{reason: keys.ReasonUnreachable, message: "discovery: the provider did not answer in time"}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure != nil {
		return nil, d.failure
	}
	return d.current, nil
}

// prepare starts a reading where it is time for one, and waits for nothing.
func (d *discovery) prepare() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, _ = d.at(d.now())
}

// at returns the metadata that serve now, and starts a reading where it is time for one. Without metadata, it returns the reading to wait for; nil
// where the last has failed just now. mu is held.
func (d *discovery) at(now time.Time) (*metadata, chan struct{}) {
	age := now.Sub(d.fetched)
	if d.current != nil && d.failure == nil && age < metadataFresh {
		return d.current, nil
	}
	if d.flight == nil && !now.Before(d.next) {
		d.start(now)
	}
	if d.current != nil && age < metadataStale {
		return d.current, nil
	}
	return nil, d.flight
}

// start begins a reading; mu is held.
func (d *discovery) start(now time.Time) {
	done := make(chan struct{})
	d.flight = done
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), metadataTimeout)
		defer cancel()
		m, f := d.readSafely(ctx)
		d.land(m, f, now)
		close(done)
	}()
}

// readSafely turns a panic into a failure: what is read is hostile, and must not end the process.
func (d *discovery) readSafely(ctx context.Context) (m *metadata, f *failure) {
	defer func() {
		if recover() != nil {
			m, f = nil, &failure{reason: keys.ReasonInternalError, message: "reading the provider's metadata failed: a fault of Gatehouse"}
		}
	}()
	return d.read(ctx)
}

// land notes what a reading brought.
func (d *discovery) land(m *metadata, f *failure, started time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if d.since.IsZero() || reasonOf(d.failure) != reasonOf(f) {
		d.since = now
	}
	d.flight, d.failure = nil, f
	if f == nil {
		d.current, d.fetched, d.failures, d.next = m, started, 0, now
		return
	}
	backoff := min(metadataBackoffMin<<min(d.failures, 16), metadataBackoffMax)
	d.failures++
	d.next = now.Add(backoff/2 + rand.N(backoff/2)) //nolint:gosec // spreads attempts, guards nothing
}

func reasonOf(f *failure) keys.Reason {
	if f == nil {
		return keys.ReasonReady
	}
	return f.reason
}

// status reports on the last reading, and fetches nothing.
func (d *discovery) status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since.IsZero() {
		return Status{Reason: keys.ReasonNotYetFetched}
	}
	s := Status{Fetched: true, Ready: d.failure == nil, Reason: reasonOf(d.failure), Since: d.since}
	if d.failure != nil {
		s.Message = d.failure.message
		if d.current != nil && d.now().Sub(d.fetched) < metadataStale {
			s.Message += "; the metadata of an earlier reading serve for a day"
		}
	}
	return s
}
