// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net"
	"net/http"

	"go.opentelemetry.io/otel/propagation"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// serveVerify answers ANY /verify, /verify/{tenant} and /envoy/{tenant}/{rest...}: is this request let in, who is it, and with which
// Authorization does it reach the application, if its policy names a credential?
// It reads no body (see leaveBody), and of the query whether a browser is to be redirected to /login.
func (s *Server) serveVerify(w http.ResponseWriter, r *http.Request, tenant string, byRoute bool) {
	q := question{facts: &policy.Facts{Route: tenant, ByRoute: byRoute}, cookies: r.Header["Cookie"], carrier: propagation.HeaderCarrier(r.Header)}
	q.facts.Read(r.Header)
	v := s.overHTTP.decide(r.Context(), &q)
	d, snap := &v.Decision, v.snap
	leaveBody(w, r)
	if d.Status == http.StatusOK {
		writeIdentity(w.Header(), &d.Identity, snap.mapped)
		if v.authorization != "" {
			w.Header()["Authorization"] = []string{v.authorization}
		}
		return // net/http writes 200
	}
	answer := refusalOf(d)
	if snap == nil {
		s.overHTTP.logRefusal(d, clientOf(r))
		answer.write(w)
		return
	}
	s.overHTTP.logRefusal(d, clientText(r, snap))
	if d.Status == http.StatusUnauthorized && isVisit(r.Header, r.Method) {
		if location, ok := snap.site.loginLocation(originalURL(r.Header)); ok {
			if wantsRedirect(r) {
				answer.redirected(w, location)
				return
			}
			w.Header()[headerLoginLocation] = []string{location}
		}
	}
	answer.write(w)
}

// clientOf is the address of the connection's other end, for logs; "" if it has none.
func clientOf(r *http.Request) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return client
}
