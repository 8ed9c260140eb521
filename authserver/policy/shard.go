// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// Shard is the compiled policies of one tenants file, and what a [Set] has to know of all of them. It is immutable.
type Shard struct {
	number, count int
	outbound      Outbound // that its policies were compiled for
	tenants       map[string]*Policy
	defaults      []*Policy
	headers       []string // that its policies map, each once
	remotes       map[keys.Source]time.Duration
	takers        map[string][]*Policy // of assertions, by issuer, in the order of their tenants

	credentials []Credential
}

// Credential is what a tenants file holds of a credential; its policies do not need it.
type Credential struct {
	*config.Credential // not to be changed
	// CABundle is the one that the credential names; the zero value stands for the server's own.
	CABundle outbound.Bundle
}

// Credentials are those of the file, in its order. They are shared: not to be changed.
func (s *Shard) Credentials() []Credential { return s.credentials }

// ReadShard reads and compiles a tenants file. A policy whose text is that of one in previous, the shard that this file held
// before or nil, is taken over without being read again: its bundle is named by content. pause, which may be nil, is called
// between pieces of the work. An error names the file, the object and the field.
func ReadShard(file string, data []byte, o Outbound, previous *Shard, pause func()) (*Shard, error) {
	if pause == nil {
		pause = func() {}
	}
	known := previous.known(o)
	r := config.Reader{Pause: pause, Known: func(sum config.Sum) (config.Names, bool) {
		p := known[sum]
		if p == nil {
			return config.Names{}, false
		}
		return config.Names{Object: p.object, TenantID: p.tenant, CABundle: p.bundleName}, true
	}}
	read, err := r.Read(file, data)
	if err != nil {
		return nil, err
	}
	s, err := compileShard(read, o, known, pause)
	if err != nil {
		return nil, fmt.Errorf("checking %s: %w", file, err)
	}
	return s, nil
}

// known are the shard's policies, as compiled for o, by the sums of their texts. A nil shard has none.
func (s *Shard) known(o Outbound) map[config.Sum]*Policy {
	if s == nil {
		return nil
	}
	known := make(map[config.Sum]*Policy, len(s.tenants))
	for _, p := range s.For(o).tenants {
		known[p.sum] = p
	}
	return known
}

// compileShard compiles the policies of a file that are not known.
func compileShard(t *config.Shard, o Outbound, known map[config.Sum]*Policy, pause func()) (*Shard, error) {
	c := &compiler{outbound: o, bundles: make(map[string]outbound.Bundle, len(t.Bundles)), lists: make(map[string][]string), texts: make(map[string]string)}
	for hash, pem := range t.Bundles {
		c.bundles[hash] = outbound.NewBundle(pem)
	}
	s := &Shard{number: t.Number, count: t.Count, outbound: o, tenants: make(map[string]*Policy, len(t.Entries))}
	for i := range t.Entries {
		e := &t.Entries[i]
		p := known[e.Sum]
		if e.Policy != nil {
			var err error
			if p, err = c.compile(e.Policy); err != nil {
				return nil, fmt.Errorf("%s: %w", t.At(i), err)
			}
			p.sum = e.Sum
			e.Policy = nil // it may go while the others are compiled
			pause()
		}
		if p == nil || s.tenants[p.tenant] != nil || config.ShardOf(p.tenant, s.count) != s.number {
			return nil, fmt.Errorf("%s: its tenant has another policy, or is of another shard", t.At(i)) // cannot happen: the file was checked
		}
		s.tenants[p.tenant] = p
	}
	for i := range t.Credentials {
		text := &t.Credentials[i]
		bundle, ok := c.bundles[text.CABundle]
		if !ok && text.CABundle != "" {
			return nil, fmt.Errorf("credentials[%d]: caBundle names none of bundles", i) // cannot happen: the file was checked
		}
		s.credentials = append(s.credentials, Credential{text, bundle})
	}
	s.describe()
	return s, nil
}

// describe gathers what a [Set] has to know of the policies together.
func (s *Shard) describe() {
	headers := make(map[string]bool)
	for _, p := range s.tenants {
		if p.byDefault {
			s.defaults = append(s.defaults, p)
		}
		if p.claims.HeaderCount() > 0 {
			for _, name := range p.claims.HeaderNames() {
				headers[name] = true
			}
		}
		for i := range p.sources {
			if p.sources[i].set == nil {
				if s.remotes == nil {
					s.remotes = make(map[keys.Source]time.Duration)
				}
				keepShortest(s.remotes, p.sources[i].remote, p.refresh)
			}
		}
	}
	s.headers = slices.Sorted(maps.Keys(headers))
	s.takers = takersOf(s.tenants)
}

// For returns the shard for another way of reaching URLs. Nothing is read or parsed for it; policies that name no URL, and
// s itself if nothing changes, stay as they are.
func (s *Shard) For(o Outbound) *Shard {
	if s.outbound == o {
		return s
	}
	next := &Shard{number: s.number, count: s.count, outbound: o, tenants: make(map[string]*Policy, len(s.tenants)), credentials: s.credentials}
	for tenant, p := range s.tenants {
		if s.outbound.Decisions != o.Decisions || slices.ContainsFunc(p.sources, func(s source) bool { return s.set == nil }) {
			p = p.through(o)
		}
		next.tenants[tenant] = p
	}
	next.describe()
	return next
}

// through is the policy as compiling it for o would give it.
func (p *Policy) through(o Outbound) *Policy {
	next := *p
	next.number = o.Decisions.next()
	next.sources = slices.Clone(p.sources)
	for i := range next.sources {
		s := &next.sources[i]
		s.fetch = o.Keys
		if s.set == nil {
			s.remote.AllowedCIDRs, s.remote.CABundle = o.AllowedCIDRs, o.bundle(p.bundle)
		}
	}
	return &next
}
