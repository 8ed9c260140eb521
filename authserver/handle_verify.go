// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net"
	"net/http"

	"go.opentelemetry.io/otel/propagation"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// serveVerify answers ANY /verify, /verify/{tenant} and /envoy/{tenant}/{rest...}: is this request let in, and who is it?
// It reads neither query nor body (see leaveBody).
func (s *Server) serveVerify(w http.ResponseWriter, r *http.Request, tenant string, byRoute bool) {
	q := question{facts: &policy.Facts{Route: tenant, ByRoute: byRoute}, carrier: propagation.HeaderCarrier(r.Header)}
	q.facts.Read(r.Header)
	d, snap := s.overHTTP.decide(r.Context(), &q)
	leaveBody(w, r)
	if d.Status == http.StatusOK {
		writeIdentity(w.Header(), &d.Identity, snap.mapped)
		return // net/http writes 200
	}
	s.overHTTP.logRefusal(&d, clientOf(r))
	refusalOf(&d).write(w)
}

// clientOf is the address of the connection's other end, for logs; "" if it has none.
func clientOf(r *http.Request) string {
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return client
}
