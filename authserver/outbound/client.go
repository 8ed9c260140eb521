// SPDX-License-Identifier: Apache-2.0

package outbound

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"
)

// MaxRedirects is how many redirects a client follows for one request.
const MaxRedirects = 3

// ErrRedirect is returned (wrapped) for a redirect that is not followed: one too many, of a request with a body, or to a
// URL that no request may have.
var ErrRedirect = errors.New("redirect not followed")

// Options tune a client. Zero values mean the defaults.
type Options struct {
	DialTimeout           time.Duration // name resolution and connect, all addresses together; 3 s
	TLSHandshakeTimeout   time.Duration // 5 s
	ResponseHeaderTimeout time.Duration // from the request's last byte to the answer's headers; 5 s
	Timeout               time.Duration // the whole exchange, redirects and body included; 10 s
	Resolver              *net.Resolver // nil: net.DefaultResolver

	// DeniedCIDRs are networks that the process never dials, whatever the rules allow: those of its own place in the network. They are told as the operator's,
	// which alone has any.
	DeniedCIDRs []netip.Prefix
}

func (o Options) withDefaults() Options {
	defaults := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	defaults(&o.DialTimeout, 3*time.Second)
	defaults(&o.TLSHandshakeTimeout, 5*time.Second)
	defaults(&o.ResponseHeaderTimeout, 5*time.Second)
	defaults(&o.Timeout, 10*time.Second)
	return o
}

// NewClient returns an HTTP client that connects only where the rules allow. It speaks HTTP/1.1, uses no proxy from the
// environment, keeps no cookies, follows at most [MaxRedirects] redirects of GET and HEAD (each checked like the first
// URL, without credentials), asks for no compression (so that a limit on what is read is a limit on what was sent) and
// demands TLS 1.2. The size of a body is the caller's to limit: see [ReadBody].
//
// A refused address is an [*AddressError] (errors.As, or errors.Is with [ErrAddressNotAllowed]).
func NewClient(r Rules, o Options) *http.Client {
	o = o.withDefaults()
	r.AllowedCIDRs = slices.Clone(r.AllowedCIDRs)
	r.DeniedCIDRs = slices.Concat(r.DeniedCIDRs, o.DeniedCIDRs)
	return &http.Client{
		Transport: &transport{
			plain:  newTransport("http", r, o),
			secure: newTransport("https", r, o),
		},
		CheckRedirect: checkRedirect,
		Timeout:       o.Timeout,
	}
}

// transport keeps plain and secure connections apart: a dialer that knows its scheme needs no word from the request.
type transport struct{ plain, secure *http.Transport }

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	switch {
	case req.URL.User != nil:
		return nil, refuse(req, errors.New("a URL with a user name or password is not allowed"))
	case req.URL.Scheme == "https":
		return t.secure.RoundTrip(req)
	case req.URL.Scheme == "http":
		return t.plain.RoundTrip(req)
	}
	return nil, refuse(req, fmt.Errorf("scheme %q is not allowed: use https://", req.URL.Scheme))
}

// refuse closes the body, as a RoundTripper must also when it fails.
func refuse(req *http.Request, err error) error {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return err
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *transport) CloseIdleConnections() {
	t.plain.CloseIdleConnections()
	t.secure.CloseIdleConnections()
}

func newTransport(scheme string, r Rules, o Options) *http.Transport {
	guarded := &guardedDialer{scheme: scheme, rules: r, dialer: net.Dialer{
		Timeout:   o.DialTimeout,
		KeepAlive: 15 * time.Second,
		Resolver:  o.Resolver,
	}}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, and unchecked
		DialContext:            guarded.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: r.RootCAs},
		TLSHandshakeTimeout:    o.TLSHandshakeTimeout,
		ResponseHeaderTimeout:  o.ResponseHeaderTimeout,
		DisableCompression:     true,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    2,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		Protocols:              protocols,
	}
}

// WithoutRedirects returns a client that is as c but follows no redirect, for callers that follow them with [Redirect], at
// most [MaxRedirects]. It shares c's connections.
func WithoutRedirects(c *http.Client) *http.Client {
	single := *c
	single.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &single
}

// Redirect returns the URL that the answer to a GET redirects to, as it may be asked for next; nil if it does not redirect,
// which an answer without Location never does. It does not close the body. The error wraps [ErrRedirect].
func Redirect(resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	next, err := resp.Location()
	switch {
	case errors.Is(err, http.ErrNoLocation):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: its Location is no URL", ErrRedirect) // which is not quoted
	}
	if err := checkTarget(next); err != nil {
		return nil, err
	}
	return next, nil
}

// checkTarget tells whether a redirect may lead to the URL.
func checkTarget(u *url.URL) error {
	if u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%w: its URL has a user name, or a scheme other than https and http", ErrRedirect)
	}
	return nil
}

// checkRedirect lets GET and HEAD go on, without what the first request proved or told.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > MaxRedirects {
		return fmt.Errorf("%w: more than %d in a row", ErrRedirect, MaxRedirects)
	}
	if m := via[0].Method; m != http.MethodGet && m != http.MethodHead && m != "" {
		return fmt.Errorf("%w: the request was a %s", ErrRedirect, m)
	}
	if err := checkTarget(req.URL); err != nil {
		return err
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Www-Authenticate", "Cookie", "Cookie2", "Referer"} {
		req.Header.Del(name)
	}
	return nil
}
