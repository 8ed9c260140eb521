// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/pages"
)

// target is what a raw request target asks for.
type target int

const (
	targetOther   target = iota // the route table decides
	targetVerify                // /verify: not by route
	targetTenant                // /verify/{tenant}, /envoy/{tenant}/{rest...}: by route
	targetMissing               // below /verify, and nothing
)

// rawPath is the path of a request as it was sent, nothing of it unescaped, cleaned or resolved: gateways append what
// clients send, and two readings of one path would be two tenants. It is "" for targets without a path (`*`,
// authority form).
//
// One limit is net/http's: it parses the target before any handler, and answers 400 in plain text, without identity headers, to
// one that is no URI (RFC 3986 §2.1), such as /envoy/acme/%zz. A client gets that refusal instead of a decision.
func rawPath(r *http.Request) string {
	raw := r.RequestURI
	if raw == "" { // a request that no server has read
		raw = r.URL.RequestURI()
	}
	if i := strings.IndexByte(raw, '?'); i >= 0 {
		raw = raw[:i]
	}
	if strings.HasPrefix(raw, "/") {
		return raw
	}
	// absolute form (RFC 9112 §3.2.2)
	if _, rest, ok := strings.Cut(raw, "://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
	}
	return ""
}

// parseTarget matches the endpoints whose paths are never cleaned or redirected. tenant is the raw segment, checked by
// nobody yet; it is set with targetTenant.
func parseTarget(path string) (t target, tenant string) {
	if rest, ok := strings.CutPrefix(path, "/verify"); ok {
		switch {
		case rest == "":
			return targetVerify, ""
		case rest[0] != '/':
			return targetOther, ""
		case rest == "/" || strings.IndexByte(rest[1:], '/') >= 0:
			return targetMissing, ""
		}
		return targetTenant, rest[1:]
	}
	if rest, ok := strings.CutPrefix(path, "/envoy/"); ok {
		tenant, _, _ = strings.Cut(rest, "/")
		if tenant == "-" {
			return targetVerify, ""
		}
		return targetTenant, tenant
	}
	return targetOther, ""
}

var connectionClose = []string{"close"}

// servePublic is the handler of the public listener.
func (s *Server) servePublic(w http.ResponseWriter, r *http.Request) {
	defer s.recovered(w)
	if s.draining.Load() {
		w.Header()["Connection"] = connectionClose // so that clients move on while the listener is still open
	}
	path := rawPath(r)
	switch t, tenant := parseTarget(path); t {
	case targetVerify:
		s.serveVerify(w, r, "", false)
	case targetTenant:
		s.serveVerify(w, r, tenant, true)
	case targetMissing:
		leaveBody(w, r)
		writeError(w, http.StatusNotFound, codeNotFound, "there is nothing at this path: use /verify or /verify/{tenant}")
	default:
		switch {
		case strings.HasPrefix(path, pathAuth):
			s.browsers.serveAuth(w, r, path)
		case strings.HasPrefix(path, pages.AssetPath):
			s.browsers.asset(w, r)
		case isCredentials(path):
			s.routes.serve(w, r, routeCredentials)
		case s.share(w, r, path):
		default:
			s.routes.serve(w, r, path)
		}
	}
}
