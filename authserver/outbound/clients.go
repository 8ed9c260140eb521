// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"weak"
)

// Profile names a client: what it may reach and whom it trusts. It is comparable; equal profiles share one client.
type Profile struct {
	// AllowedCIDRs as written by [FormatCIDRs]; empty for none.
	AllowedCIDRs string
	// CABundle is trusted instead of the system's roots; the zero value stands for the system's.
	CABundle Bundle
}

// Rules parses the profile.
func (p Profile) Rules() (Rules, error) {
	var r Rules
	if p.AllowedCIDRs != "" {
		cidrs, err := ParseCIDRs(strings.Split(p.AllowedCIDRs, ","))
		if err != nil {
			return Rules{}, fmt.Errorf("parsing allowedCIDRs: %w", err)
		}
		r.AllowedCIDRs = cidrs
	}
	if p.CABundle != (Bundle{}) {
		roots, err := ParseCABundle([]byte(p.CABundle.PEM()))
		if err != nil {
			return Rules{}, err
		}
		r.RootCAs = roots
	}
	return r, nil
}

// Clients shares one client, and so one pool of connections, among all that use a profile. A client lives as long as
// somebody holds it; nothing needs to be closed.
type Clients struct {
	options Options

	mu   sync.Mutex
	live map[Profile]weak.Pointer[http.Client]
}

// NewClients returns an empty pool whose clients are made with the options.
func NewClients(o Options) *Clients {
	return &Clients{options: o, live: make(map[Profile]weak.Pointer[http.Client])}
}

// Get returns the profile's client. The error names what of the profile cannot be read.
func (c *Clients) Get(p Profile) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.live[p].Value(); client != nil {
		return client, nil
	}
	rules, err := p.Rules()
	if err != nil {
		return nil, err
	}
	client := NewClient(rules, c.options)
	c.live[p] = weak.Make(client)
	runtime.AddCleanup(client, c.forget, p)
	return client, nil
}

// forget drops a collected client's entry, unless a successor has taken its place.
func (c *Clients) forget(p Profile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if entry, ok := c.live[p]; ok && entry.Value() == nil {
		delete(c.live, p)
	}
}
