// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Names of the answer's headers, in canonical form so that they need not be made so again.
const (
	headerUser              = "X-Auth-Request-User"
	headerEmail             = "X-Auth-Request-Email"
	headerGroups            = "X-Auth-Request-Groups"
	headerPreferredUsername = "X-Auth-Request-Preferred-Username"
	headerTenant            = "X-Auth-Tenant"
)

// Values of WWW-Authenticate (RFC 6750 §3).
var (
	challenge        = []string{`Bearer realm="gatehouse"`}
	challengeInvalid = []string{`Bearer realm="gatehouse", error="invalid_token"`}
)

// serveVerify answers ANY /verify, /verify/{tenant} and /envoy/{tenant}/{rest...}: is this request let in, and who is it?
// It reads neither query nor body (see leaveBody).
func (s *Server) serveVerify(w http.ResponseWriter, r *http.Request, tenant string, byRoute bool) {
	start := time.Now()
	facts := policy.Facts{Route: tenant, ByRoute: byRoute}
	facts.Read(r.Header)

	var d policy.Decision
	if snap := s.snapshot.Load(); snap == nil {
		d = policy.NotConfigured()
	} else {
		d = snap.policies.Decide(r.Context(), &facts, s.now())
	}
	s.metrics.decided(&d, time.Since(start))
	leaveBody(w, r)
	if d.Status == http.StatusOK {
		writeIdentity(w.Header(), &d.Identity)
		return // net/http writes 200
	}
	s.logRefusal(r, &d)
	writeRefusal(w, &d)
}

// writeIdentity sets all identity headers, also those without a value: a gateway that copies them then overwrites
// whatever the client sent.
func writeIdentity(h http.Header, id *policy.Identity) {
	values := [5]string{id.User, id.Email, id.Groups, id.PreferredUsername, id.Tenant}
	v := values[:]
	h[headerUser] = v[0:1:1]
	h[headerEmail] = v[1:2:2]
	h[headerGroups] = v[2:3:3]
	h[headerPreferredUsername] = v[3:4:4]
	h[headerTenant] = v[4:5:5]
	h["Cache-Control"] = noStore
}

// writeRefusal tells the client that it is refused, not why: that is in the log.
func writeRefusal(w http.ResponseWriter, d *policy.Decision) {
	switch d.Status {
	case http.StatusServiceUnavailable:
		w.Header()["Retry-After"] = []string{strconv.Itoa(max(1, int(d.RetryAfter/time.Second)))}
		writeError(w, d.Status, codeUnavailable, "the request cannot be decided at the moment: try again")
	case http.StatusForbidden:
		writeError(w, d.Status, codeAccessDenied, "the token is valid, but access is denied")
	default:
		if !d.HasToken {
			w.Header()["Www-Authenticate"] = challenge
			writeError(w, http.StatusUnauthorized, codeInvalidToken, "the request carries no token")
			return
		}
		w.Header()["Www-Authenticate"] = challengeInvalid
		writeError(w, http.StatusUnauthorized, codeInvalidToken, "the token is not accepted")
	}
}
