// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// document is a kind of document that is fetched, in the words of messages.
type document struct {
	name   string // what it is called
	is     string // what its content must be
	accept string
	limit  int64  // bytes
	field  string // that holds its URL
	small  string // what to do about one that is too large
}

var (
	// keySet is a JWKS at the URL that a policy names.
	keySet = document{
		name: "JWKS", is: "a JWK Set", accept: "application/jwk-set+json, application/json;q=0.9, */*;q=0.1",
		limit: 512 << 10, field: "jwksURI", small: "publish only current signature keys there", // DESIGN §7
	}
	// discoveredKeySet is a JWKS at the URL that metadata name.
	discoveredKeySet = document{
		name: keySet.name, is: keySet.is, accept: keySet.accept,
		limit: keySet.limit, field: "jwks_uri of the issuer's metadata", small: keySet.small,
	}
	// metadataDocument is an issuer's metadata. Real ones have 1 to 10 KiB.
	metadataDocument = document{
		name: "metadata", is: "OpenID Provider metadata", accept: "application/json, */*;q=0.1",
		limit: 64 << 10, field: "discoveryURL", small: "set discoveryURL to the issuer's metadata, or jwksURI to its keys",
	}
)

// get asks once and returns the body, or next: the URL that the answer redirects to. Else only 200 counts; the content type
// does not, since providers send all sorts. It is returned for messages. Redirects are not followed.
func (d *document) get(ctx context.Context, client *http.Client, target *url.URL) (body []byte, mediaType string, next *url.URL, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, "", nil, err
	}
	req.Header.Set("Accept", d.accept)
	req.Header.Set("User-Agent", "gatehouse")
	resp, err := outbound.WithoutRedirects(client).Do(req)
	if err != nil {
		return nil, "", nil, err
	}
	if next, err := outbound.Redirect(resp); next != nil || err != nil {
		_ = resp.Body.Close()
		return nil, "", next, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, "", nil, statusError(resp.StatusCode)
	}
	body, err = outbound.ReadBody(resp, d.limit)
	return body, mediaTypeOf(resp.Header), nil, err
}

// parseURL reads a URL to fetch the document from; errors call it by the field's name and do not repeat it, since it may
// hold a password.
func (d *document) parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New(d.field + " is not a URL such as https://idp.example/keys")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New(d.field + " is neither https:// nor http://: use https://")
	case u.Hostname() == "":
		return nil, errors.New(d.field + " names no host")
	case u.User != nil:
		return nil, errors.New(d.field + " holds a user name or password, which is never sent: remove it")
	}
	return u, nil
}

// toldTypes are the media types that a message names. Any other is text of the upstream's choosing.
var toldTypes = []string{"text/html", "text/plain", "application/json", "application/jwk-set+json", "application/xml", "text/xml", "application/octet-stream"}

// mediaTypeOf is the answer's content type for a message, without parameters; "" if it is none of those that are told.
func mediaTypeOf(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || !slices.Contains(toldTypes, t) {
		return ""
	}
	return t
}

// host is the source's host and port in lower case, for messages.
func host(u *url.URL) string { return strings.ToLower(u.Host) }

type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// contentError is a body that is not what it should be.
type contentError struct {
	mediaType string
	err       error
}

func (e *contentError) Error() string { return e.err.Error() }
func (e *contentError) Unwrap() error { return e.err }
