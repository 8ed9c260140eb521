// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
)

// Limits of the listener.
const (
	// maxMessage bounds a CheckRequest, in bytes. Beyond the 64 KiB of headers that are looked at it leaves room for what
	// Envoy adds: addresses, certificates, metadata, and a body where with_request_body is set for other services. It is
	// generous because a longer message is an error of the call.
	maxMessage = 4 << 20
	// maxStreams bounds the requests in flight on one connection; Envoy holds further ones back.
	maxStreams = 1000
	// maxMetadata bounds the call's own headers, in bytes.
	maxMetadata = 64 << 10
	// connectionAge makes Envoy connect anew from time to time, and so find replicas that are new. Calls in flight end
	// as they would have.
	connectionAge      = 10 * time.Minute
	connectionAgeGrace = time.Minute
	// idleTime and pingTimeout find connections whose other end is gone.
	idleTime    = time.Minute
	pingTimeout = 10 * time.Second
	// pingInterval is how often a client may ping.
	pingInterval = 10 * time.Second
	// window is the flow-control window, in bytes. Fixed, it spares the pings that measure one.
	window = 256 << 10
)

// Server answers ext_authz and grpc.health.v1 on one listener.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
}

// NewServer makes a server that is not yet SERVING, as its health service says.
func NewServer(gate Gate) *Server {
	s := &Server{health: health.NewServer()}
	s.grpc = grpc.NewServer(
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxConcurrentStreams(maxStreams),
		grpc.MaxHeaderListSize(maxMetadata),
		grpc.InitialWindowSize(window),
		grpc.InitialConnWindowSize(4*window),
		grpc.NumStreamWorkers(uint32(runtime.GOMAXPROCS(0))),
		grpc.WaitForHandlers(true),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionAge: connectionAge, MaxConnectionAgeGrace: connectionAgeGrace, Time: idleTime, Timeout: pingTimeout,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingInterval, PermitWithoutStream: true}),
	)
	s.grpc.RegisterService(&serviceDesc, &service{gate})
	healthv1.RegisterHealthServer(s.grpc, s.health)
	s.SetServing(false)
	return s
}

// SetServing says what the health service answers, for the server as a whole ("") and for the ext_authz service by name.
func (s *Server) SetServing(serving bool) {
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if serving {
		status = healthv1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", status)
	s.health.SetServingStatus(ServiceName, status)
}

// Serve serves until [Server.Shutdown] or [Server.Close]; then it returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.grpc.Serve(l); err != nil {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}

// Drain has the health service say NOT_SERVING from now on, whatever is set later. Calls are answered as before.
func (s *Server) Drain() { s.health.Shutdown() }

// Shutdown closes the listener, tells clients to go elsewhere and waits for the calls in flight. Those that are still
// there when ctx ends are broken off, and the error is the context's.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.grpc.GracefulStop()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.Close()
		<-done
		return ctx.Err()
	}
}

// Close breaks everything off.
func (s *Server) Close() { s.grpc.Stop() }
