// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"io"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
)

// opsRoutes is the table of the operations listener's endpoints.
func (s *Server) opsRoutes() routes {
	t := routes{}
	t.add(http.MethodGet, "/metrics", s.metrics.handler().ServeHTTP)
	t.add(http.MethodGet, "/healthz", handleHealth)
	t.add(http.MethodGet, "/readyz", s.handleReady)
	t.add(http.MethodGet, "/configz", s.handleConfigz)
	t.add(http.MethodPost, "/explain", s.guarded(s.handleExplain))
	(&usersHandler{directory: s.browsers.directory, snapshot: s.people, forget: s.browsers.sessions.Forget, log: s.log}).add(t, s.guarded)
	return t
}

// people is what accounts are decided by now; nil before the first configuration.
func (s *Server) people() *directory.Snapshot {
	snap := s.snapshot.Load()
	if snap == nil {
		return nil
	}
	return snap.site.directory
}

func (s *Server) serveOps(t routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer s.recovered(w)
		t.serve(w, r, usersKey(r, rawPath(r)))
	}
}

// handleHealth answers GET /healthz: the process can answer. Nothing that a restart would not mend is asked.
func handleHealth(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") }

// handleReady answers GET /readyz: 200 from the first good configuration on until the shutdown begins, else 503.
func (s *Server) handleReady(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.draining.Load():
		writeText(w, http.StatusServiceUnavailable, "shutting down\n")
	case s.snapshot.Load() == nil:
		writeText(w, http.StatusServiceUnavailable, "no configuration has been read yet: see /configz\n")
	default:
		writeText(w, http.StatusOK, "ok\n")
	}
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header()["Cache-Control"] = noStore
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
