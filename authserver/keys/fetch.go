// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// fetched is how a fetch ended: with a set, or with a failure.
type fetched struct {
	set      *jwk.Set
	problems []jwk.Problem
	failure  *failure
	client   *http.Client // that was used; nil if it did not come to that
}

// fetcher gets key sets over HTTP.
type fetcher struct {
	clients *outbound.Clients
	hosts   *hostLimits
	timeout time.Duration
}

// fetch gets a source's keys with the client that its rules allow.
func (f *fetcher) fetch(ctx context.Context, src Source) fetched {
	client, err := f.clients.Get(src.profile())
	if err != nil {
		return fetched{failure: &failure{ReasonInvalidSource, clean(err.Error())}}
	}
	result := (&exchange{hosts: f.hosts, client: client, left: f.timeout}).run(ctx, src)
	result.client = client
	return result
}

// exchange is one fetch's requests.
type exchange struct {
	hosts  *hostLimits
	client *http.Client
	left   time.Duration // of the time limit
}

// run resolves the source to a URL, waits for a turn at its host, and gets and parses the document. With discovery that
// happens twice, and the metadata are read with every fetch: a jwks_uri that changes is followed at once. The time limit is
// one for both; waiting for a turn does not count.
func (x *exchange) run(ctx context.Context, src Source) fetched {
	kind := &keySet
	if src.Discovery {
		kind = &metadataDocument
	}
	target, err := kind.parseURL(src.URL)
	if err != nil {
		return fetched{failure: &failure{ReasonInvalidSource, clean(err.Error())}}
	}
	if src.Discovery {
		var refusal *failure
		if target, refusal = x.discover(ctx, &src, target); refusal != nil {
			return fetched{failure: refusal}
		}
		kind = &discoveredKeySet
	}
	return x.keys(ctx, kind, target)
}

// get waits for a turn at the target's host and gets the document.
func (x *exchange) get(ctx context.Context, d *document, target *url.URL) ([]byte, string, error) {
	release, err := x.hosts.acquire(ctx, host(target))
	if err != nil {
		return nil, "", err
	}
	defer release()
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, x.left)
	defer cancel()
	body, mediaType, err := d.get(ctx, x.client, target)
	x.left -= time.Since(started)
	return body, mediaType, err
}

// discover returns the jwks_uri of the metadata at target.
func (x *exchange) discover(ctx context.Context, src *Source, target *url.URL) (*url.URL, *failure) {
	d := &metadataDocument
	body, mediaType, err := x.get(ctx, d, target)
	if err != nil {
		return nil, explain(err, d, target.Host)
	}
	m, err := parseMetadata(body)
	if err != nil {
		return nil, explain(&contentError{mediaType, err}, d, target.Host)
	}
	if f := m.check(src, target.Host); f != nil {
		return nil, f
	}
	next, err := discoveredKeySet.parseURL(m.JWKSURI)
	if err != nil {
		return nil, &failure{ReasonNoJWKSURI, clean(err.Error() + "; it is at " + target.Host)}
	}
	return next, nil
}

// keys gets and parses the JWKS at target.
func (x *exchange) keys(ctx context.Context, d *document, target *url.URL) fetched {
	body, mediaType, err := x.get(ctx, d, target)
	if err != nil {
		return fetched{failure: explain(err, d, target.Host)}
	}
	set, problems, err := jwk.ParsePublicSet(body)
	if err != nil {
		return fetched{failure: explain(&contentError{mediaType, err}, d, target.Host)}
	}
	return fetched{set: set, problems: problems}
}
