// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Bounds of [gate]: how many token endpoints are asked at once, one host among them, and endpoints that did not answer the last time. An endpoint that hangs holds a
// place for 10 s: however many do, half of the places stay for those that answer.
const (
	gatePlaces   = 64
	gateHost     = 4
	gateDoubtful = 32
)

// ticket is one provider's wish to ask a token endpoint.
type ticket struct {
	provider types.NamespacedName
	// host of the endpoint; empty where the JWT itself is the token, so that nobody is asked.
	host string
	// doubtful tells that the last attempt got no answer in time.
	doubtful bool
}

// gate lets a bounded number of providers at token endpoints, the others in the order in which they came. One that has to wait holds no worker: it is woken with its
// place kept, and gives it back like any other when it needs it no more.
type gate struct {
	// wake is called without the lock for a provider that has been let in after it waited.
	wake func(types.NamespacedName)

	mu      sync.Mutex
	inside  map[types.NamespacedName]ticket
	waiting []ticket
}

func newGate(wake func(types.NamespacedName)) *gate {
	return &gate{wake: wake, inside: map[types.NamespacedName]ticket{}}
}

// enter returns true when the provider may ask now. If not, it waits from now on until it is woken or leaves.
func (g *gate) enter(t ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if held, ok := g.inside[t.provider]; ok {
		if held == t {
			return true
		}
		delete(g.inside, t.provider)
	}
	i := slices.IndexFunc(g.waiting, func(w ticket) bool { return w.provider == t.provider })
	switch {
	case g.fits(t):
		if i >= 0 {
			g.waiting = slices.Delete(g.waiting, i, i+1)
		}
		g.inside[t.provider] = t
		return true
	case i >= 0:
		g.waiting[i] = t
	default:
		g.waiting = append(g.waiting, t)
	}
	return false
}

// leave gives back the provider's place, or its turn, and lets in whoever fits now.
func (g *gate) leave(provider types.NamespacedName) {
	for _, t := range g.release(provider) {
		g.wake(t.provider)
	}
}

func (g *gate) release(provider types.NamespacedName) (admitted []ticket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.inside, provider)
	g.waiting = slices.DeleteFunc(g.waiting, func(t ticket) bool {
		if t.provider == provider {
			return true
		}
		if !g.fits(t) {
			return false
		}
		g.inside[t.provider] = t
		admitted = append(admitted, t)
		return true
	})
	return admitted
}

// fits tells whether there is a place for the ticket.
func (g *gate) fits(t ticket) bool {
	host, doubtful := 0, 0
	for _, in := range g.inside {
		if t.host != "" && in.host == t.host {
			host++
		}
		if in.doubtful {
			doubtful++
		}
	}
	return len(g.inside) < gatePlaces && host < gateHost && (!t.doubtful || doubtful < gateDoubtful)
}
