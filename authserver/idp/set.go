// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// KeySource fetches verification keys by URL; [keys.Engine] is the one in use.
type KeySource interface {
	Find(ctx context.Context, src keys.Source, a keys.Ask) (keys.Found, error)
	Status(src keys.Source) keys.Status
}

// Options are what providers work with.
type Options struct {
	// Clients are the guarded HTTP clients; required.
	Clients *outbound.Clients
	// Keys finds the keys of ID tokens; required.
	Keys KeySource
	// ExtraAllowedCIDRs may be dialled in addition to those of base.json.
	ExtraAllowedCIDRs []netip.Prefix
	// Now and Random default to time.Now and crypto/rand.
	Now    func() time.Time
	Random io.Reader
}

// Set is the OIDC and OAuth2 providers of one configuration. It is immutable, apart from what its providers fetch. A nil Set is empty.
type Set struct {
	all      []*Provider // in the configuration's order
	byName   map[string]*Provider
	byObject map[string]*Provider

	discoveries map[discoveryKey]*discovery // of this set's providers; providers of one issuer share them
}

// discoveryKey says whose metadata are read where, and how.
type discoveryKey struct {
	source, issuer string
	reach          outbound.Profile
}

// keep takes over what old knows of a provider's metadata.
func (s *Set) keep(old *Set, k discoveryKey) *discovery {
	if d := s.discoveries[k]; d != nil {
		return d
	}
	if old == nil || old.discoveries[k] == nil {
		return nil
	}
	s.discoveries[k] = old.discoveries[k]
	return s.discoveries[k]
}

// NewSet makes the providers of base, and keeps those of old that did not change with all they know. It fetches nothing. A
// provider that cannot be used as it is written is there all the same: its Status says why, and each login at it is refused with
// [ReasonMisconfigured]. The error names a provider of a type that this server does not know, or outbound rules that cannot be read.
func NewSet(old *Set, base *config.Base, o Options) (*Set, error) {
	cidrs, err := outbound.ParseCIDRs(base.Outbound.AllowedCIDRs)
	if err != nil {
		return nil, fmt.Errorf("reading outbound.allowedCIDRs%w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	allowed := outbound.FormatCIDRs(slices.Concat(cidrs, o.ExtraAllowedCIDRs))
	s := &Set{byName: map[string]*Provider{}, byObject: map[string]*Provider{}, discoveries: map[discoveryKey]*discovery{}}
	for i := range base.Providers {
		c := &base.Providers[i]
		if c.Type == config.ProviderPassword {
			continue
		}
		ca := base.Outbound.CABundle
		if c.CABundle != "" {
			ca = base.Bundles[c.CABundle]
		}
		reach := outbound.Profile{AllowedCIDRs: allowed, CABundle: outbound.NewBundle(ca)}
		p := old.unchanged(c, reach)
		if p == nil {
			if p, err = s.newProvider(old, c, reach, &o); err != nil {
				return nil, err
			}
		}
		if kept, ok := p.connector.(*oidc); ok && kept.discovery != nil {
			s.discoveries[discoveryKey{kept.config.Discovery, kept.config.Issuer, reach}] = kept.discovery
		}
		s.all = append(s.all, p)
		s.byName[c.Name], s.byObject[c.Object] = p, p
	}
	return s, nil
}

// unchanged returns the provider of s that was made from the same, nil if there is none.
func (s *Set) unchanged(c *config.Provider, reach outbound.Profile) *Provider {
	p := s.ByObject(c.Object)
	if p == nil || p.reach != reach || !reflect.DeepEqual(p.config, c) {
		return nil
	}
	return p
}

func (s *Set) newProvider(old *Set, c *config.Provider, reach outbound.Profile, o *Options) (*Provider, error) {
	connect, ok := connectors[c.Type]
	if !ok {
		return nil, fmt.Errorf("%s: this server knows no providers of its type", c.Object)
	}
	p := &Provider{config: c, reach: reach}
	client, err := o.Clients.Get(reach)
	if err == nil {
		discover := func(source, issuer string) *discovery {
			if d := s.keep(old, discoveryKey{source, issuer, reach}); d != nil {
				return d
			}
			return &discovery{now: o.Now, read: func(ctx context.Context) (*metadata, *failure) {
				return fetchMetadata(ctx, client, source, issuer)
			}}
		}
		p.connector, err = connect(c, deps{client: client, reach: reach, keys: o.Keys, now: o.Now, random: o.Random, discover: discover})
	}
	if err != nil {
		p.connector = &broken{err: err, since: o.Now()}
	}
	return p, nil
}

// Get returns the provider with a name, nil if there is none.
func (s *Set) Get(name string) *Provider {
	if s == nil {
		return nil
	}
	return s.byName[name]
}

// ByObject returns the provider of an object, "IdentityProvider/namespace/name", nil if there is none.
func (s *Set) ByObject(object string) *Provider {
	if s == nil {
		return nil
	}
	return s.byObject[object]
}

// All returns the providers in the configuration's order. The slice is the caller's.
func (s *Set) All() []*Provider {
	if s == nil {
		return nil
	}
	return slices.Clone(s.all)
}

// Remotes returns where the providers' keys are, each with 0, for [keys.Engine.Name] together with those of policies: sources that it is not told of are
// forgotten when nobody has logged in for a while.
func (s *Set) Remotes() map[keys.Source]time.Duration {
	named := map[keys.Source]time.Duration{}
	for _, p := range s.All() {
		if c, ok := p.connector.(*oidc); ok {
			named[c.source] = 0
		}
	}
	return named
}
