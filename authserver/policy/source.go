// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// directoryTemplate stands in Entra ID's metadata and keys for the directory's ID.
const directoryTemplate = "{tenantid}"

// authorities are the clouds of Entra ID, each with directories of its own: what keys name whose copy or proxy is elsewhere.
var authorities = []string{"https://login.microsoftonline.com", "https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn"}

// KeySource fetches verification keys by URL; [keys.Engine] is the one in use. An error that is [keys.ErrUnavailable] is
// answered with 503, every other with 401.
type KeySource interface {
	Find(ctx context.Context, src keys.Source, a keys.Ask) (keys.Found, error)
	Current(src keys.Source, maxStale time.Duration) *jwk.Set
}

// source is one issuer of a policy and where its keys are.
type source struct {
	issuer    string   // "" fits every token; only in a single entry with keys
	directory string   // of Entra ID, which tid must name; "" for every other issuer
	set       *jwk.Set // inline keys; nil: fetched from remote

	remote     keys.Source
	fetch      KeySource
	stale      time.Duration // staleIfError
	keyIssuers []string      // what a key may say that its issuer is; with a directory only
}

// compileSource parses the keys of one issuer. An error names the field and holds nothing of its value.
func compileSource(issuer *config.Issuer, bundle outbound.Bundle, o Outbound, stale time.Duration) (source, error) {
	s := source{issuer: issuer.Issuer, directory: issuer.Directory, stale: stale, fetch: o.Keys}
	if len(issuer.Keys) == 0 {
		if bundle == (outbound.Bundle{}) {
			bundle = o.CABundle
		}
		s.remote = keys.Source{URL: issuer.JWKSURI, AllowedCIDRs: o.AllowedCIDRs, CABundle: bundle}
		if issuer.Discovery != "" { // else issuers with one URL share what is fetched
			s.remote.URL, s.remote.Discovery = issuer.Discovery, true
			s.remote.Issuer, s.remote.Directory = issuer.Issuer, issuer.Directory
		}
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

// nameKeyIssuers notes, for each source of an Entra ID directory, by which names its keys may be published: the issuers
// that the policy has for this directory, and the directory's v2.0 issuer at the origin of the issuer and at that of the
// keys. Keys name the v2.0 issuer also where the tokens are v1.0.
func nameKeyIssuers(sources []source) {
	for i := range sources {
		s := &sources[i]
		if s.directory == "" {
			continue
		}
		for j := range sources {
			if sources[j].directory == s.directory {
				s.keyIssuers = append(s.keyIssuers, sources[j].issuer)
			}
		}
		for _, text := range [...]string{s.issuer, s.remote.URL} {
			if u, err := url.Parse(text); err == nil && u.Host != "" {
				s.keyIssuers = append(s.keyIssuers, u.Scheme+"://"+u.Host+"/"+s.directory+"/v2.0")
			}
		}
	}
}

// find returns the one key for the token, as jwk.Set.Select defines it, unless it is another directory's.
func (s *source) find(ctx context.Context, t *token.Token) (keys.Found, error) {
	found, err := s.choose(ctx, t)
	if err != nil {
		return keys.Found{}, err
	}
	if err := s.checkKeyIssuer(found.Key); err != nil {
		return keys.Found{}, err
	}
	return found, nil
}

// choose takes the key from where the source's keys are: inline, or fetched.
func (s *source) choose(ctx context.Context, t *token.Token) (keys.Found, error) {
	if s.set != nil {
		key, err := t.Select(s.set)
		return keys.Found{Key: key, Set: s.set}, err
	}
	kid, hasKid := t.KeyID()
	found, err := s.fetch.Find(ctx, s.remote, keys.Ask{Algorithm: t.Algorithm(), KeyID: kid, HasKeyID: hasKid, MaxStale: s.stale})
	if err != nil {
		return keys.Found{}, token.SelectError(err)
	}
	if found.Key.Type() == "oct" { // the engine leaves them out; that it does is not relied on
		return keys.Found{}, refuse(token.ReasonUnknownKey, "a symmetric key of a public document is no secret")
	}
	return found, nil
}

// checkKeyIssuer refuses a key that Entra ID publishes for another directory than the source's: its document is common to
// several, wherever a copy of it stands, and a key of one must not vouch for users of another.
func (s *source) checkKeyIssuer(key *jwk.Key) error {
	named := key.Issuer()
	if s.directory == "" || named == "" {
		return nil
	}
	named = strings.ReplaceAll(named, directoryTemplate, s.directory)
	if slices.Contains(s.keyIssuers, named) {
		return nil
	}
	if authority, ok := strings.CutSuffix(named, "/"+s.directory+"/v2.0"); ok && slices.Contains(authorities, authority) {
		return nil
	}
	return refuse(ReasonKeyIssuer, "the key's member issuer names another Entra ID directory than the token's")
}

// current returns the set whose keys count now, nil where none is at hand.
func (s *source) current() *jwk.Set {
	if s.set != nil {
		return s.set
	}
	return s.fetch.Current(s.remote, s.stale)
}
