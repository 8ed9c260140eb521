// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// sharedPaths are the endpoints that scripts of other origins may ask (CORS, Fetch Standard §3.2): what an application in a browser
// needs that gets codes here. Never with credentials, so no cookie ever counts there, and never a login or a page.
var sharedPaths = []string{pathToken, pathRevoke, pathUserInfo, pathDiscovery, pathJWKS}

const (
	// corsHeaders is what scripts may send beside the headers that need no leave.
	corsHeaders = "Authorization, Content-Type"
	// corsExposed is what they may read beside the body.
	corsExposed = "Retry-After, WWW-Authenticate"
	// corsMaxAge is how long a browser remembers the leave, in seconds.
	corsMaxAge = "600"
)

// share tells the browser whether a script of the request's origin may read the answer: one of the applications of
// login.redirectURIs. done is true where that was all it asked (a preflight).
func (s *Server) share(w http.ResponseWriter, r *http.Request, path string) (done bool) {
	if !slices.Contains(sharedPaths, path) {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin") // of every answer, or a cache would hand one origin's to another
	snap := s.snapshot.Load()
	origin := r.Header["Origin"]
	if snap == nil || len(origin) != 1 || !slices.Contains(snap.site.origins, origin[0]) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin[0])
	r.Header.Del("Cookie") // browsers of the same site send it, asked or not: another origin has its bearer token alone
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", corsExposed)
		return false
	}
	leaveBody(w, r)
	h.Set("Access-Control-Allow-Methods", s.routes.methods(path))
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// sharedOrigins are the origins of applications that run in a browser: those of the redirect URIs with https, or with http on a
// loopback host. own needs no leave.
func sharedOrigins(own string, redirectURIs []string) (origins []string) {
	for _, raw := range redirectURIs {
		u, err := url.Parse(raw)
		if err != nil || u.User != nil || u.Hostname() == "" {
			continue
		}
		if u.Scheme != "https" && (u.Scheme != "http" || !session.IsLoopback(u.Hostname())) {
			continue
		}
		if origin := originOf(u); !strings.EqualFold(origin, own) && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// originOf writes an origin as browsers do (HTML Standard, serialization of an origin).
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if address, err := netip.ParseAddr(host); err == nil && address.Is6() {
		host = "[" + address.String() + "]"
	}
	port := u.Port()
	if port == "" || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return u.Scheme + "://" + host
	}
	return u.Scheme + "://" + host + ":" + port
}
