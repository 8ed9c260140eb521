// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
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
	started  time.Time    // when the set was asked for, where that is earlier than the source's own fetch
	read     readings     // kept until the next fetch, so that others can share the pages
	shared   bool         // nothing was asked for: others had just done so
	client   *http.Client // that was used; nil if it did not come to that
}

// readings are the documents that a source's last fetch came from.
type readings struct{ metadata, keys *reading }

// fetcher gets key sets over HTTP.
type fetcher struct {
	client  func(outbound.Profile) (*http.Client, error)
	options *Options
	pages   *pages
	hosts   *hostLimits
}

// fetch gets a source's keys with the client that its rules allow.
func (f *fetcher) fetch(ctx context.Context, src Source, seen readings) fetched {
	client, err := f.client(src.profile())
	if err != nil {
		return fetched{failure: &failure{ReasonInvalidSource, clean(err.Error())}}
	}
	x := &exchange{fetcher: f, client: client, profile: src.profile()}
	result := x.run(ctx, src, seen)
	result.read, result.shared, result.client = x.read, x.reads > 0 && !x.asked, client
	return result
}

// exchange is one source's fetch.
type exchange struct {
	*fetcher
	client  *http.Client
	profile outbound.Profile
	read    readings
	reads   int  // pages read
	asked   bool // at least one of them was asked for here
}

// run resolves the source to a URL, and reads the keys there. With discovery two pages are read, the metadata with every
// fetch: a jwks_uri that changes is followed at once.
func (x *exchange) run(ctx context.Context, src Source, seen readings) fetched {
	kind := &keySet
	if src.Discovery {
		kind = &metadataDocument
	}
	target, err := kind.parseURL(src.URL)
	if err != nil {
		return fetched{failure: &failure{ReasonInvalidSource, clean(err.Error())}}
	}
	if src.Discovery {
		x.read.metadata = x.page(ctx, kind, target, seen.metadata)
		var refusal *failure
		if target, refusal = x.read.metadata.keysOf(&src, target.Host); refusal != nil {
			return fetched{failure: refusal}
		}
		kind = &discoveredKeySet
	}
	r := x.page(ctx, kind, target, seen.keys)
	x.read.keys = r
	if r.err != nil {
		return fetched{failure: explain(r.err, kind, target.Host)}
	}
	return fetched{set: r.set, problems: r.problems, started: r.started}
}

// page reads the document at target, which another source may have done just now.
func (x *exchange) page(ctx context.Context, d *document, target *url.URL, seen *reading) *reading {
	bare := *target
	bare.Fragment, bare.RawFragment = "", ""
	p := x.pages.at(pageKey{x.profile, d.name, bare.String()})
	r, own := p.read(ctx, x.options, seen, func(troubled bool) reading {
		body, mediaType, err := x.get(ctx, d, &bare, troubled)
		if err != nil {
			return reading{err: err}
		}
		var r reading
		if d == &metadataDocument {
			r.metadata, err = parseMetadata(body)
		} else {
			r.set, r.problems, err = jwk.ParsePublicSet(body)
		}
		if err != nil {
			return reading{err: &contentError{mediaType, err}}
		}
		return r
	})
	x.reads++
	x.asked = x.asked || own
	return r
}

// keysOf returns the jwks_uri of metadata that were read at the host.
func (r *reading) keysOf(src *Source, host string) (*url.URL, *failure) {
	if r.err != nil {
		return nil, explain(r.err, &metadataDocument, host)
	}
	if f := r.metadata.check(src, host); f != nil {
		return nil, f
	}
	next, err := discoveredKeySet.parseURL(r.metadata.JWKSURI)
	if err != nil {
		return nil, &failure{ReasonNoJWKSURI, clean(err.Error() + "; it is at " + shorten(host))}
	}
	return next, nil
}

// get gets the document in steps: each redirect is followed with a turn at the host it leads to, when the turn at the host
// that redirects has ended. The time limit covers all steps; waiting for turns does not count.
func (x *exchange) get(ctx context.Context, d *document, target *url.URL, troubled bool) (body []byte, mediaType string, err error) {
	left := x.options.FetchTimeout
	for redirects := 0; ; redirects++ {
		var next *url.URL
		var took time.Duration
		body, mediaType, next, took, err = x.step(ctx, d, target, troubled, left)
		if err != nil || next == nil {
			return body, mediaType, err
		}
		if redirects == outbound.MaxRedirects {
			return nil, "", outbound.ErrRedirect
		}
		target, left = next, left-took
	}
}

// step asks one host once; next is where it redirects.
func (x *exchange) step(ctx context.Context, d *document, target *url.URL, troubled bool, left time.Duration) (body []byte, mediaType string, next *url.URL, took time.Duration, err error) {
	turn, release, err := x.hosts.acquire(ctx, turnsAt(target), troubled)
	if err != nil {
		return nil, "", nil, 0, err
	}
	defer release()
	started := time.Now()
	limited, cancel := context.WithTimeout(turn, left)
	defer cancel()
	body, mediaType, next, err = d.get(limited, x.client, target)
	if err != nil && errors.Is(context.Cause(turn), errGaveWay) {
		err = errGaveWay
	}
	return body, mediaType, next, time.Since(started), err
}
