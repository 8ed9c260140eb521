// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"net/http"
	"time"
)

// shutdown ends both servers. First it only says so, at /readyz and by Connection: close, while new connections still
// come: load balancers need a moment to hear of it. Then it closes the listeners and waits for requests in flight. The
// operations listener goes last, since it is where the end can be watched.
func (s *Server) shutdown(public, ops *http.Server) {
	s.draining.Store(true)
	s.log.Info("shutting down", "event", "shutdown", "delay", s.options.ShutdownDelay.String(), "drain", s.options.DrainTimeout.String())
	timer := time.NewTimer(s.options.ShutdownDelay)
	defer timer.Stop()
	<-timer.C

	ctx, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer cancel()
	if err := public.Shutdown(ctx); err != nil {
		s.log.Warn("requests were still in flight at the end", "event", "shutdown", "error", err)
		_ = public.Close()
	}
	_ = ops.Close()
	s.log.Info("stopped", "event", "shutdown")
}
