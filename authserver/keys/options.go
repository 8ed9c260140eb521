// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"math/rand/v2"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// Options tune an engine. Zero values mean the defaults.
type Options struct {
	// Clients are the guarded HTTP clients to fetch with; nil makes a pool of the engine's own.
	Clients *outbound.Clients
	// Hooks observe fetches.
	Hooks Hooks

	// RefreshInterval is the longest time between fetches of a source in use, where [Engine.Name] gives none; 10m. Each is
	// up to a tenth earlier, and may use what another source has fetched within UnknownKeyInterval.
	RefreshInterval time.Duration
	// Keep is how long keys are kept after their fetch while later fetches fail: the longest Ask.MaxStale; 168h.
	Keep time.Duration
	// UnknownKeyInterval is the shortest time between two fetches because of an unknown kid, by one source and of one
	// document; 30s.
	UnknownKeyInterval time.Duration
	// BackoffMin and BackoffMax bound the time to the next attempt after a failure; 1s and 5m. It doubles with each
	// failure, and half of it is random.
	BackoffMin, BackoffMax time.Duration
	// FetchTimeout bounds the fetch of one document, its redirects and body included; 10s. With discovery there are two.
	FetchTimeout time.Duration
	// MaxWait bounds how long a caller waits for a fetch; 5s. Where the last fetch failed, it waits at most a fifth.
	MaxWait time.Duration
	// IdleAfter is how long after its last use a source is still refreshed; 1h.
	IdleAfter time.Duration
	// DropAfter is how long a source that no snapshot names and nobody asks for keeps its keys; 10m.
	DropAfter time.Duration
	// FetchesPerHost bounds the requests in flight at one host and port; 8. Slow ones and those of documents that failed get
	// at most half, at least one. There is no bound over all hosts, so hosts that hang cannot take the turn of others.
	FetchesPerHost int
	// MaxWaiters bounds the callers that wait at one source; 1024. Further ones get ErrUnavailable at once.
	MaxWaiters int
	// Rand returns numbers in [0,1) for jitter, from several goroutines; nil: math/rand/v2.
	Rand func() float64
}

// Hooks observe an engine, for metrics and logs. They run on the fetching goroutine, must not block and may be nil.
// The age of each key set is read with [Engine.All].
type Hooks struct {
	// Fetched is called after each fetch with the source's new status and the time the fetch took, turns waited for included.
	// Status.Reason tells how this fetch ended. A fetch that asked nobody, since other sources had just asked for all of its
	// documents or were about to, does not count.
	Fetched func(src Source, status Status, took time.Duration)
}

func (o Options) withDefaults() Options {
	if o.Clients == nil {
		o.Clients = outbound.NewClients(outbound.Options{})
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	fill(&o.RefreshInterval, 10*time.Minute)
	fill(&o.Keep, 168*time.Hour)
	fill(&o.UnknownKeyInterval, 30*time.Second)
	fill(&o.BackoffMin, time.Second)
	fill(&o.BackoffMax, 5*time.Minute)
	fill(&o.FetchTimeout, 10*time.Second)
	fill(&o.MaxWait, 5*time.Second)
	fill(&o.IdleAfter, time.Hour)
	fill(&o.DropAfter, 10*time.Minute)
	fill(&o.FetchesPerHost, 8)
	fill(&o.MaxWaiters, 1024)
	return o
}

func fill[T time.Duration | int](v *T, standard T) {
	if *v <= 0 {
		*v = standard
	}
}

// backoff is the time to wait after the given number of failures in a row, at least one.
func (o *Options) backoff(failures int) time.Duration {
	d := o.BackoffMin
	for i := 1; i < failures && d < o.BackoffMax; i++ {
		d *= 2
	}
	d = min(d, o.BackoffMax)
	return d/2 + time.Duration(o.Rand()*float64(d/2))
}

// patience is how long a request may take while others wait for a turn at the same host. A key server answers in less.
const patience = 500 * time.Millisecond

// Bounds of a refresh interval (TenantJWTPolicy spec.jwks.refreshInterval).
const minInterval, maxInterval = time.Minute, 24 * time.Hour

// interval is the refresh interval for a source that was named with d.
func (o *Options) interval(d time.Duration) time.Duration {
	if d <= 0 {
		return o.RefreshInterval
	}
	return min(max(d, minInterval), maxInterval)
}

// jittered is the time to the next fetch after a good one.
func (o *Options) jittered(interval time.Duration) time.Duration {
	return interval - time.Duration(o.Rand()*float64(interval)/10)
}
