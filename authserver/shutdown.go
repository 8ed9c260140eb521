// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// settleTime is how long a connection taken at the very end has to send its first request.
const settleTime = 50 * time.Millisecond

// shutdown ends all servers. First it only says so, at /readyz, by Connection: close and in the gRPC health service, while
// new connections still come: load balancers need a moment to hear of it. Then it closes the listener, lets connections taken just before send
// their request (net/http drops a first request that it reads after its own Shutdown has begun), and waits for requests in
// flight. The operations listener goes last, since it is where the end can be watched.
//
// What remains: the kernel resets connections that it had completed and nobody had taken when the listener closed. Clients that
// still open new ones after ShutdownDelay may meet that, and have sent nothing that was acted on: they may retry.
func (s *Server) shutdown(public, ops *http.Server) {
	s.draining.Store(true)
	s.envoy.Drain()
	s.log.Info("shutting down", "event", logs.EventShutdown, "delay", s.options.ShutdownDelay.String(), "drain", s.options.DrainTimeout.String())
	timer := time.NewTimer(s.options.ShutdownDelay)
	defer timer.Stop()
	<-timer.C

	ctx, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.envoy.Shutdown(ctx) }()
	_ = s.public.Close()
	s.settle()
	err := public.Shutdown(ctx)
	if errors.Is(err, net.ErrClosed) { // the listener is closed already
		err = nil
	}
	if err = errors.Join(err, <-ended); err != nil {
		s.log.Warn("requests were still in flight at the end", "event", logs.EventShutdown, "error", err)
		_ = public.Close()
	}
	_ = ops.Close()
	s.log.Info("stopped", "event", logs.EventShutdown)
}
