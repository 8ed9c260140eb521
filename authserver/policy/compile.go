// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// What counts for fetched key sets where a policy says nothing.
const (
	defaultRefreshInterval = 10 * time.Minute
	defaultStaleIfError    = 24 * time.Hour
)

// Outbound is what compiled policies reach beyond themselves. A policy compiled for one value is not used with another.
type Outbound struct {
	// AllowedCIDRs as written by outbound.FormatCIDRs.
	AllowedCIDRs string
	// CABundle is for policies without one of their own; the zero value stands for the system's roots.
	CABundle outbound.Bundle
	// Keys fetches.
	Keys KeySource
	// Decisions remembers what was decided; nil remembers nothing.
	Decisions *Decisions
}

// Policy is one compiled policy. It is immutable.
type Policy struct {
	sum        config.Sum      // of the text that it was compiled from, to tell whether it still stands
	bundleName string          // in that text, "" for none
	bundle     outbound.Bundle // that has this name
	number     uint64          // of no other policy that its Outbound.Decisions has to do with

	tenant    string
	object    string
	byDefault bool

	rules     token.Rules // what counts for the tokens of its issuers
	wide      token.Rules // under which own tokens parse too
	sources   []source
	audiences []string
	maxAge    time.Duration // 0: age is not checked
	nonce     string        // "": not checked
	claims    *claims.Rules
	acceptOwn bool
	upstream  string        // name of the credential for the application, "" for none
	refresh   time.Duration // how often its key sets are fetched while they are in use
	exchange  *exchange     // how it takes assertions; nil: it takes none
}

// Object is "TenantJWTPolicy/namespace/name", the key at /configz.
func (p *Policy) Object() string { return p.object }

// Tenant is the policy's tenant ID.
func (p *Policy) Tenant() string { return p.tenant }

// Upstream is the name of the credential whose token the application gets; "" for none.
func (p *Policy) Upstream() string { return p.upstream }

// Algorithms are the signature algorithms that the policy allows; the caller must not change the slice.
func (p *Policy) Algorithms() []string { return p.rules.Algorithms }

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

// refreshInterval is how often a policy wants its key sets fetched while they are in use.
func refreshInterval(c *config.Policy) time.Duration {
	if c.JWKS == nil {
		return defaultRefreshInterval
	}
	return c.JWKS.RefreshInterval.Value()
}

// staleIfError is how long the policy takes keys after their fetch while later fetches fail; 0 for not at all.
func staleIfError(c *config.Policy) time.Duration {
	if c.JWKS == nil {
		return defaultStaleIfError
	}
	return c.JWKS.StaleIfError.Value()
}

// bundle is the one that counts for a policy that names b, which may be none.
func (o *Outbound) bundle(b outbound.Bundle) outbound.Bundle {
	if b == (outbound.Bundle{}) {
		return o.CABundle
	}
	return b
}

// compiler compiles the policies of one file. Equal lists and texts of theirs, of which there are many, become one.
type compiler struct {
	outbound Outbound
	bundles  map[string]outbound.Bundle
	lists    map[string][]string // by the texts, one after the other
	texts    map[string]string
}

func (m *compiler) list(l []string) []string {
	if len(l) == 0 {
		return nil
	}
	key := strings.Join(l, "\x00")
	same := m.lists[key]
	if same == nil {
		same = slices.Clip(l)
		m.lists[key] = same
	}
	if !slices.Equal(same, l) { // a text may hold what stands between two
		return l
	}
	return same
}

func (m *compiler) text(s string) string {
	same, ok := m.texts[s]
	if !ok {
		same, m.texts[s] = s, s
	}
	return same
}

// unite replaces the lists and texts of c that other policies are likely to have too.
func (m *compiler) unite(c *config.Policy) {
	c.Algorithms, c.TokenTypes, c.Audiences = m.list(c.Algorithms), m.list(c.TokenTypes), m.list(c.Audiences)
	for _, s := range []*config.Source{&c.Claims.Username.Source, &c.Claims.Email, &c.Claims.Groups} {
		s.Claims, s.Joined = m.list(s.Claims), m.list(s.Joined)
	}
	c.Claims.EmailVerified = m.text(c.Claims.EmailVerified)
	for i := range c.Issuers {
		c.Issuers[i].Issuer, c.Issuers[i].JWKSURI = m.text(c.Issuers[i].Issuer), m.text(c.Issuers[i].JWKSURI)
	}
}

// compile parses a policy's keys and expressions once and for all. c is the compiler's from then on. An error names the
// field and holds nothing of its value: it is told at /configz.
func (m *compiler) compile(c *config.Policy) (*Policy, error) {
	bundle, ok := m.bundles[c.CABundle]
	if !ok && c.CABundle != "" { // the system's roots must not stand in for it
		return nil, errors.New("caBundle names none of bundles")
	}
	m.unite(c)
	p := &Policy{
		bundleName: c.CABundle, bundle: bundle, number: m.outbound.Decisions.next(),
		tenant: c.TenantID, object: c.Object, byDefault: c.Default,
		rules:     token.Rules{Algorithms: c.Algorithms, Types: c.TokenTypes, Leeway: c.Leeway.Value()},
		audiences: c.Audiences,
		maxAge:    c.MaxTokenAge.Value(),
		nonce:     c.RequiredNonce,
		acceptOwn: c.AcceptIssuedTokens,
		upstream:  c.UpstreamCredential,
		refresh:   refreshInterval(c),
	}
	for i, name := range c.Algorithms {
		if _, ok := jwk.Algorithm(name); !ok {
			return nil, fmt.Errorf("algorithms[%d] is not one of %v", i, jwk.AlgorithmNames())
		}
	}
	p.wide = token.Rules{Algorithms: m.list(union(c.Algorithms, ownAlgorithms)), Types: m.list(union(c.TokenTypes, ownTypes))}
	p.sources = make([]source, 0, len(c.Issuers))
	for i := range c.Issuers {
		s, err := compileSource(&c.Issuers[i], bundle, m.outbound, staleIfError(c))
		if err != nil {
			return nil, fmt.Errorf("issuers[%d]: %w", i, err)
		}
		p.sources = append(p.sources, s)
	}
	nameKeyIssuers(p.sources)
	var err error
	if p.rules.Encryption, err = compileEncryption(c.Decryption); err != nil {
		return nil, fmt.Errorf("decryption: %w", err)
	}
	p.exchange = compileExchange(c.TokenExchange, &p.rules)
	if p.claims, err = claims.Compile(&c.Claims, c.TenantID); err != nil {
		return nil, err
	}
	return p, nil
}

// compileEncryption parses the keys that decrypt; c may be nil. Only the policy's own tokens can be encrypted, so p.wide has
// none of it.
func compileEncryption(c *config.Decryption) (*token.Encryption, error) {
	if c == nil {
		return nil, nil
	}
	parsed := make([]*jwe.Key, len(c.Keys))
	for i, text := range c.Keys {
		key, err := jwe.ParseKey(text)
		if err != nil {
			// Render has parsed it, and told its author what it says.
			return nil, fmt.Errorf("keys[%d] is not a JWK that this server can decrypt with", i)
		}
		parsed[i] = key
	}
	for i, name := range c.KeyAlgorithms {
		if !slices.Contains(jwe.KeyAlgorithms(), name) {
			return nil, fmt.Errorf("keyAlgorithms[%d] is not one of %v", i, jwe.KeyAlgorithms())
		}
	}
	for i, name := range c.ContentAlgorithms {
		if !slices.Contains(jwe.ContentAlgorithms(), name) {
			return nil, fmt.Errorf("contentAlgorithms[%d] is not one of %v", i, jwe.ContentAlgorithms())
		}
	}
	return &token.Encryption{
		KeyAlgorithms: c.KeyAlgorithms, ContentAlgorithms: c.ContentAlgorithms,
		Required: c.Required, Direct: c.Direct, Keys: jwe.NewSet(parsed...),
	}, nil
}

// source returns the index of the issuer of the policy with exactly that name; -1 if there is none.
func (p *Policy) source(issuer string) int {
	return slices.IndexFunc(p.sources, func(s source) bool { return s.issuer == "" || s.issuer == issuer })
}

// union returns a without copying where it holds all of b.
func union(a, b []string) []string {
	missing := slices.DeleteFunc(slices.Clone(b), func(s string) bool { return slices.Contains(a, s) })
	if len(missing) == 0 {
		return a
	}
	return slices.Concat(a, missing)
}
