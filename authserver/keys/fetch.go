// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// maxBody is the largest JWKS document, in bytes (DESIGN §7).
const maxBody = 512 << 10

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

// fetch resolves the source to a URL, waits for a turn at its host and gets and parses the document. The time limit
// counts from that turn.
func (f *fetcher) fetch(ctx context.Context, src Source) fetched {
	target, err := src.locate()
	if err != nil {
		return fetched{failure: &failure{ReasonInvalidSource, clean(err.Error())}}
	}
	client, err := f.clients.Get(src.profile())
	if err != nil {
		return fetched{failure: &failure{ReasonInvalidSource, clean(err.Error())}}
	}
	release, err := f.hosts.acquire(ctx, host(target))
	if err != nil {
		return fetched{failure: explain(err, target.Host)}
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	set, problems, err := get(ctx, client, target)
	if err != nil {
		return fetched{failure: explain(err, target.Host), client: client}
	}
	return fetched{set: set, problems: problems, client: client}
}

// get asks once. Only 200 counts; the content type does not, since providers send all sorts.
func get(ctx context.Context, client *http.Client, target *url.URL) (*jwk.Set, []jwk.Problem, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json;q=0.9, */*;q=0.1")
	req.Header.Set("User-Agent", "gatehouse")
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, nil, statusError(resp.StatusCode)
	}
	body, err := outbound.ReadBody(resp, maxBody)
	if err != nil {
		return nil, nil, err
	}
	set, problems, err := jwk.ParsePublicSet(body)
	if err != nil {
		return nil, nil, &contentError{mediaType(resp.Header), err}
	}
	return set, problems, nil
}

// mediaType is the answer's content type for a message, without parameters; "" if it has none that can be read.
func mediaType(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || len(t) > 64 {
		return ""
	}
	return t
}

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// contentError is a body that is no JWK Set.
type contentError struct {
	mediaType string
	err       error
}

func (e *contentError) Error() string { return e.err.Error() }
func (e *contentError) Unwrap() error { return e.err }
