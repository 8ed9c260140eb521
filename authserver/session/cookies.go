// SPDX-License-Identifier: Apache-2.0

package session

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// maxAge is how long browsers keep the session cookie: the longest that they do (RFC 6265bis §5.5). The server ends sessions.
const maxAge = 400 * 24 * time.Hour

// Names of the cookies, before the prefix that the rules of Cookies give them.
const (
	sessionCookie = "gatehouse-session"
	loginCookie   = "gatehouse-login-" // one for each login under way
	formCookie    = "gatehouse-form"
)

// Prefixes that make browsers enforce attributes (RFC 6265bis §4.1.3).
const (
	hostPrefix   = "__Host-"
	securePrefix = "__Secure-"
)

var (
	// ErrNoCookie says that the browser sent no session cookie.
	ErrNoCookie = errors.New("no session cookie was sent")
	// ErrTwice says that it sent two: one of them may be of another host's making, and which is which cannot be told.
	ErrTwice = errors.New("the session cookie was sent twice")
	// ErrMalformed says that a session cookie holds what this server cannot have made.
	ErrMalformed = errors.New("the session cookie is malformed")
)

// Cookies are the rules of one server's cookies. All are HttpOnly, SameSite=Lax and Path=/, and Secure but for http on a
// loopback host; only the session's can have a Domain, so that no neighbour of the server's host can set the others.
type Cookies struct {
	session, login, form string // names
	secure, pages        bool
	domain               string
}

// NewCookies makes the rules for an external URL (scheme and host) and a cookie domain, "" for the URL's host alone. An error
// names the field and the fix.
func NewCookies(externalURL, domain string) (*Cookies, error) {
	u, err := url.Parse(externalURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("externalURL is not a URL of scheme and host")
	}
	c := &Cookies{session: sessionCookie, login: loginCookie, form: formCookie, secure: u.Scheme == "https", domain: domain}
	c.pages = c.secure || u.Scheme == "http" && IsLoopback(u.Hostname())
	if domain != "" {
		if err := checkDomain(u.Hostname(), domain); err != nil {
			return nil, err
		}
	}
	if c.secure {
		c.login, c.form = hostPrefix+loginCookie, hostPrefix+formCookie
		c.session = hostPrefix + sessionCookie
		if domain != "" {
			c.session = securePrefix + sessionCookie
		}
	}
	return c, nil
}

// IsLoopback tells hosts that browsers trust without TLS (Secure Contexts §3.1).
func IsLoopback(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// checkDomain checks login.cookieDomain against the external URL's host.
func checkDomain(host, domain string) error {
	_, isAddress := netip.ParseAddr(domain)
	registrable, err := publicsuffix.EffectiveTLDPlusOne(domain)
	switch {
	case isAddress == nil || domain != strings.ToLower(domain) || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, "."):
		return fmt.Errorf("login.cookieDomain: %q is not a domain such as example.com: lower case, no dot around it, no address", domain)
	case err != nil || registrable == "":
		return fmt.Errorf("login.cookieDomain: %q is a public suffix, under which anybody can have a host: name a domain of your own below it", domain)
	case !strings.EqualFold(host, domain) && !strings.HasSuffix(strings.ToLower(host), "."+domain):
		return fmt.Errorf("login.cookieDomain: externalURL's host does not lie under %q, so browsers would refuse the cookie", domain)
	}
	return nil
}

// Pages tells whether browsers may log in at all: over https, or over http on a loopback host.
func (c *Cookies) Pages() bool { return c.pages }

// Session is the cookie that holds a session.
func (c *Cookies) Session(value string) *http.Cookie { return c.in(c.domain, c.session, value, maxAge) }

// NoSession removes the session cookie.
func (c *Cookies) NoSession() *http.Cookie { return c.in(c.domain, c.session, "", over) }

// of makes a cookie of the server's own host; with a lifetime of 0 it ends with the browser.
func (c *Cookies) of(name, value string, lifetime time.Duration) *http.Cookie {
	return c.in("", name, value, lifetime)
}

func (c *Cookies) none(name string) *http.Cookie { return c.of(name, "", over) }

// over is the lifetime of a cookie that is to be removed (RFC 6265bis §5.6.2).
const over = -time.Second

func (c *Cookies) in(domain, name, value string, lifetime time.Duration) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure goes by the rule that Cookies tells: without it only over http on a loopback host
		Name: name, Value: value, Domain: domain, Path: "/", MaxAge: int(lifetime / time.Second),
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Read returns the value of the session cookie among the Cookie header's lines: ErrNoCookie, ErrTwice or ErrMalformed if there
// is not one that can be looked up.
func (c *Cookies) Read(lines []string) (string, error) {
	value, sent := "", false
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			name, v, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name != c.session {
				continue
			}
			if sent {
				return "", ErrTwice
			}
			value, sent = v, true
		}
	}
	switch {
	case !sent:
		return "", ErrNoCookie
	case !wellFormed(value):
		return "", ErrMalformed
	}
	return value, nil
}

// readAll returns the cookies whose names begin with a prefix.
func readAll(lines []string, prefix string) (found []pair) {
	for _, line := range lines {
		for p := range strings.SplitSeq(line, ";") {
			name, value, _ := strings.Cut(strings.Trim(p, " \t"), "=")
			if strings.HasPrefix(name, prefix) {
				found = append(found, pair{name, value})
			}
		}
	}
	return found
}

type pair struct{ name, value string }
