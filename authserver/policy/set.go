// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// Set is every policy of one server, and how its own tokens are checked. It is immutable.
type Set struct {
	own       *own
	tenants   map[string]*Policy
	fallback  *Policy // the default policy; nil for none
	headers   []string
	decisions *Decisions // that numbered the policies; nil remembers nothing
}

// Shard is the compiled policies of one tenants file. It is immutable.
type Shard struct {
	policies  []*Policy
	decisions *Decisions
}

// CompileShard compiles the policies of one tenants file. What previous, which may be nil, holds unchanged is taken
// over. An error names the object and the field.
func CompileShard(t *config.Tenants, o Outbound, previous *Shard) (*Shard, error) {
	old := make(map[string]*Policy)
	if previous != nil {
		for _, p := range previous.policies {
			old[p.tenant] = p
		}
	}
	bundles := make(map[string]outbound.Bundle, len(t.Bundles))
	for hash, pem := range t.Bundles {
		bundles[hash] = outbound.NewBundle(pem)
	}
	s := &Shard{policies: make([]*Policy, 0, len(t.Policies)), decisions: o.Decisions}
	for i := range t.Policies {
		c := &t.Policies[i]
		p := old[c.TenantID]
		if p == nil || !p.sameAs(c, o) {
			bundle, ok := bundles[c.CABundle]
			if !ok && c.CABundle != "" { // the system's roots must not stand in for it
				return nil, fmt.Errorf("%s: caBundle names none of bundles", t.At(i))
			}
			own := *c // not a pointer into the file's slice, which would keep all of it
			var err error
			if p, err = compile(&own, bundle, o); err != nil {
				return nil, fmt.Errorf("%s: %w", t.At(i), err)
			}
		}
		s.policies = append(s.policies, p)
	}
	return s, nil
}

// For returns the shard for another way of reaching URLs; the policies that stay as they are, and s itself if all do, are
// not made again.
func (s *Shard) For(o Outbound) (*Shard, error) {
	next := &Shard{policies: make([]*Policy, len(s.policies)), decisions: o.Decisions}
	changed := s.decisions != o.Decisions
	for i, p := range s.policies {
		next.policies[i] = p
		if p.outbound == o {
			continue
		}
		changed = true
		var err error
		if next.policies[i], err = compile(p.from, p.bundle, o); err != nil {
			return nil, fmt.Errorf("%s: %w", p.object, err)
		}
	}
	if !changed {
		return s, nil
	}
	return next, nil
}

// NewSet joins the shards of one server. Where several policies claim to be the default, none is: files of different
// ages may disagree for a moment. A tenant ID that is there twice, and shards with different Decisions, which would number
// two policies alike, are faults of the caller and errors.
func NewSet(o Own, shards ...*Shard) (*Set, error) {
	own, err := compileOwn(o)
	if err != nil {
		return nil, err
	}
	s := &Set{own: own, tenants: make(map[string]*Policy)}
	claims := 0
	for i, shard := range shards {
		if i == 0 {
			s.decisions = shard.decisions
		} else if s.decisions != shard.decisions {
			return nil, errors.New("the shards were compiled for different Decisions")
		}
		for _, p := range shard.policies {
			if other := s.tenants[p.tenant]; other != nil {
				return nil, fmt.Errorf("tenant %s: both %s and %s claim it", p.tenant, other.object, p.object)
			}
			s.tenants[p.tenant] = p
			if p.byDefault {
				s.fallback = p
				claims++
			}
		}
	}
	if claims > 1 {
		s.fallback = nil
	}
	s.headers = s.nameHeaders()
	return s, nil
}

// nameHeaders collects the names of the headers that the policies map, sorted.
func (s *Set) nameHeaders() []string {
	names := make(map[string]bool)
	for _, p := range s.tenants {
		for _, name := range p.claims.HeaderNames() {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// HeaderNames are the names, canonical and sorted, of all headers that some policy of the server maps. An answer of 200
// carries every one of them, empty where the deciding policy gives no value: a gateway copies them from the answer, so none
// that a client sent gets through. The caller must not change them.
func (s *Set) HeaderNames() []string { return s.headers }

// Policies yields every policy, in no order.
func (s *Set) Policies() iter.Seq[*Policy] { return maps.Values(s.tenants) }

// Len is the number of policies.
func (s *Set) Len() int { return len(s.tenants) }

// Remotes are the key sources that the policies name by URL, each with the shortest of the intervals at which those policies
// want it refreshed.
func (s *Set) Remotes() map[keys.Source]time.Duration {
	remotes := make(map[keys.Source]time.Duration)
	for _, p := range s.tenants {
		interval := p.refreshInterval()
		for i := range p.sources {
			if p.sources[i].set != nil {
				continue
			}
			src := p.sources[i].remote
			if shortest, ok := remotes[src]; !ok || interval < shortest {
				remotes[src] = interval
			}
		}
	}
	return remotes
}
