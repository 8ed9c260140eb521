// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"iter"
	"maps"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Set is every policy of one server, and how its own tokens are checked. It is immutable.
type Set struct {
	own      *own
	tenants  map[string]*Policy
	fallback *Policy // the default policy; nil for none
}

// Shard is the compiled policies of one tenants file. It is immutable.
type Shard struct{ policies []*Policy }

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
	s := &Shard{policies: make([]*Policy, 0, len(t.Policies))}
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
	next := &Shard{policies: make([]*Policy, len(s.policies))}
	changed := false
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
// ages may disagree for a moment. A tenant ID that is there twice is a fault of the caller and an error.
func NewSet(o Own, shards ...*Shard) (*Set, error) {
	s := &Set{own: compileOwn(o), tenants: make(map[string]*Policy)}
	claims := 0
	for _, shard := range shards {
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
	return s, nil
}

// Policies yields every policy, in no order.
func (s *Set) Policies() iter.Seq[*Policy] { return maps.Values(s.tenants) }

// Len is the number of policies.
func (s *Set) Len() int { return len(s.tenants) }

// Remotes are the key sources that the policies name by URL, each once.
func (s *Set) Remotes() []keys.Source {
	seen := make(map[keys.Source]bool)
	var remotes []keys.Source
	for _, p := range s.tenants {
		for _, src := range p.Remotes() {
			if !seen[src] {
				seen[src] = true
				remotes = append(remotes, src)
			}
		}
	}
	return remotes
}

// intake returns the rules that a request's token is parsed with before its issuer is known. They are wider than those
// that count: either the policy's or the own ones are checked once it is.
func (s *Set) intake(p *Policy) *token.Rules {
	if p == nil {
		return &s.own.rules
	}
	return &p.wide
}
