// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// KeySource fetches verification keys by URL; [keys.Engine] is the one in use. An error that is [keys.ErrUnavailable] is
// answered with 503, every other with 401.
type KeySource interface {
	Key(ctx context.Context, src keys.Source, alg, kid string, hasKid bool) (*jwk.Key, error)
}

// Outbound is how the server reaches the URLs of policies. A policy compiled for one value is not used with another.
type Outbound struct {
	// AllowedCIDRs as written by outbound.FormatCIDRs.
	AllowedCIDRs string
	// CABundle is for policies without one of their own; the zero value stands for the system's roots.
	CABundle outbound.Bundle
	// Keys fetches.
	Keys KeySource
}

// Policy is one compiled policy. It is immutable.
type Policy struct {
	from     *config.Policy  // what it was compiled from, to tell whether it still stands
	bundle   outbound.Bundle // that from names
	outbound Outbound

	tenant    string
	object    string
	byDefault bool

	rules     token.Rules // what counts for the tokens of its issuers
	wide      token.Rules // under which own tokens parse too
	sources   []source
	audiences []string
	mapping   mapping
	prefix    bool
	acceptOwn bool
}

// source is one issuer of a policy and where its keys are.
type source struct {
	issuer string   // "" fits every token; only in a single entry with keys
	set    *jwk.Set // inline keys; nil: fetched from remote
	remote keys.Source
	fetch  KeySource
}

// Object is "TenantJWTPolicy/namespace/name", the key at /configz.
func (p *Policy) Object() string { return p.object }

// Tenant is the policy's tenant ID.
func (p *Policy) Tenant() string { return p.tenant }

// Remotes are the key sources that the policy names by URL, in the order of its issuers.
func (p *Policy) Remotes() []keys.Source {
	var remotes []keys.Source
	for i := range p.sources {
		if p.sources[i].set == nil {
			remotes = append(remotes, p.sources[i].remote)
		}
	}
	return remotes
}

// compile parses a policy's keys once and for all. bundle is the one that c names. c must not be changed afterwards. An
// error names the field and holds nothing of its value: it is told at /configz.
func compile(c *config.Policy, bundle outbound.Bundle, o Outbound) (*Policy, error) {
	p := &Policy{
		from: c, bundle: bundle, outbound: o,
		tenant: c.TenantID, object: c.Object, byDefault: c.Default,
		rules:     token.Rules{Algorithms: c.Algorithms, Types: c.TokenTypes, Leeway: c.Leeway.Value()},
		audiences: c.Audiences,
		mapping:   mapping{username: first(c.Claims.Username.Claims), email: first(c.Claims.Email.Claims), groups: first(c.Claims.Groups.Claims)},
		prefix:    c.Claims.Username.PrefixWithTenant,
		acceptOwn: c.AcceptIssuedTokens,
	}
	for i, name := range c.Algorithms {
		if _, ok := jwk.Algorithm(name); !ok {
			return nil, fmt.Errorf("algorithms[%d] is not one of %v", i, jwk.AlgorithmNames())
		}
	}
	p.wide = token.Rules{Algorithms: union(c.Algorithms, ownAlgorithms), Types: union(c.TokenTypes, ownTypes)}
	for i := range c.Issuers {
		s, err := compileSource(&c.Issuers[i], bundle, o)
		if err != nil {
			return nil, fmt.Errorf("issuers[%d]: %w", i, err)
		}
		p.sources = append(p.sources, s)
	}
	return p, nil
}

func compileSource(issuer *config.Issuer, bundle outbound.Bundle, o Outbound) (source, error) {
	s := source{issuer: issuer.Issuer}
	if issuer.JWKSURI != "" {
		if bundle == (outbound.Bundle{}) {
			bundle = o.CABundle
		}
		s.remote = keys.Source{URL: issuer.JWKSURI, AllowedCIDRs: o.AllowedCIDRs, CABundle: bundle}
		s.fetch = o.Keys
		return s, nil
	}
	parsed := make([]*jwk.Key, len(issuer.Keys))
	for i, text := range issuer.Keys {
		key, err := jwk.ParseKey(text)
		if err != nil {
			// Render has parsed it, and told its author what it says; err repeats kid, alg and use.
			return s, fmt.Errorf("keys[%d] is not a JWK that this server can use", i)
		}
		parsed[i] = key
	}
	s.set = jwk.NewSet(parsed...)
	return s, nil
}

// sameAs tells whether p is what compiling c for o would give.
func (p *Policy) sameAs(c *config.Policy, o Outbound) bool {
	return p.outbound == o && (p.from == c || reflect.DeepEqual(p.from, c))
}

// source returns the issuer of the policy with exactly that name; nil if there is none.
func (p *Policy) source(issuer string) *source {
	i := slices.IndexFunc(p.sources, func(s source) bool { return s.issuer == "" || s.issuer == issuer })
	if i < 0 {
		return nil
	}
	return &p.sources[i]
}

// key returns the one key for the token, as jwk.Set.Select defines it.
func (s *source) key(ctx context.Context, t *token.Token) (*jwk.Key, error) {
	if s.set != nil {
		return t.Select(s.set)
	}
	kid, hasKid := t.KeyID()
	key, err := s.fetch.Key(ctx, s.remote, t.Algorithm(), kid, hasKid)
	if err != nil {
		return nil, token.SelectError(err)
	}
	if key.Type() == "oct" { // the engine leaves them out; that it does is not relied on
		return nil, refuse(token.ReasonUnknownKey, "a symmetric key of a public document is no secret")
	}
	return key, nil
}

// union returns a without copying where it holds all of b.
func union(a, b []string) []string {
	missing := slices.DeleteFunc(slices.Clone(b), func(s string) bool { return slices.Contains(a, s) })
	if len(missing) == 0 {
		return a
	}
	return slices.Concat(a, missing)
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
