// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/url"
	"slices"
	"strings"
)

// Home is where a login leads that was not on the way to somewhere.
const Home = "/account"

// maxReturnTo bounds return_to, in bytes: it has to fit into a cookie beside the rest of a login.
const maxReturnTo = 1024

// Places are where a login may lead back to.
type Places struct {
	origin string // scheme and host of the external URL
	hosts  []string
}

// NewPlaces takes the external URL and login.allowedRedirectHosts ("host" or "host:port" in lower case).
func NewPlaces(externalURL string, hosts []string) Places {
	return Places{origin: strings.TrimSuffix(externalURL, "/"), hosts: hosts}
}

// ReturnTo is the absolute URL that return_to stands for: a path of this origin, or an https URL on an allowed host. Everything
// else stands for Home. What browsers, gateways and this program could read in two ways is refused rather than repaired.
func (p Places) ReturnTo(raw string) string {
	if to, ok := p.Allowed(raw); ok {
		return to
	}
	return p.origin + Home
}

// Allowed is ReturnTo that says whether the place is one that a login may lead to.
func (p Places) Allowed(raw string) (to string, ok bool) {
	if raw == "" || len(raw) > maxReturnTo || !plain(raw) {
		return "", false
	}
	if rest, own := strings.CutPrefix(raw, p.origin); own && (rest == "" || strings.HasPrefix(rest, "/")) {
		if raw = rest; raw == "" {
			raw = "/"
		}
	}
	if strings.HasPrefix(raw, "/") {
		if !ownPath(raw) {
			return "", false
		}
		return p.origin + raw, true
	}
	if !strings.HasPrefix(raw, "https://") {
		return "", false
	}
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" || !p.isAllowed(u) {
		return "", false
	}
	// As it was read, so that nobody reads it in another way.
	return u.String(), true
}

// isAllowed compares the host exactly; "host" stands for "host:443".
func (p Places) isAllowed(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":443")
	return slices.ContainsFunc(p.hosts, func(allowed string) bool { return strings.TrimSuffix(allowed, ":443") == host })
}

// plain tells whether a URL is made of what RFC 3986 §2 has: of these, no browser reads any as a slash, or leaves any out.
func plain(raw string) bool {
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c > '~' || strings.IndexByte("\\\"<>^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

// ownPath tells whether a path is one of this origin, with a query and a fragment or not, and a place to go to: not one that
// ends the session, begins another login or answers programs.
func ownPath(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(raw, "//") || !plainPath(u.Path) {
		return false
	}
	for _, at := range []string{"/login", "/logout", "/auth", "/oauth2"} {
		if u.Path == at || strings.HasPrefix(u.Path, at+"/") {
			return false
		}
	}
	return true
}

// plainPath tells whether a path, with every escape read, neither begins with two slashes nor has a dot segment, a backslash or a
// control character: what others resolve or unescape before they look at it.
func plainPath(path string) bool {
	for last := ""; path != last; {
		if strings.HasPrefix(path, "//") || strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			return false
		}
		for segment := range strings.SplitSeq(path, "/") {
			if segment == "." || segment == ".." {
				return false
			}
		}
		last = path
		if unescaped, err := url.PathUnescape(path); err == nil {
			path = unescaped // escapes of escapes too
		}
	}
	return true
}
