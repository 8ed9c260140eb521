// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/watch"
)

// Limits of both HTTP listeners; those of Envoy's are in package extauthz. A handler may wait 5 s for a key set and somewhat longer for its turn to hash a password.
const (
	readTimeout  = 10 * time.Second // of headers and body together: one deadline for a request instead of two
	writeTimeout = 45 * time.Second
	idleTimeout  = 120 * time.Second // longer than gateways keep a connection, so that they are the ones to close it
	// net/http reads 4 KiB more than it is told: 64 KiB together, request line included.
	maxHeaderBytes = 60 << 10
)

// Listen opens all listeners, so that their addresses are known before Run. A second call does nothing.
func (s *Server) Listen(ctx context.Context) error {
	s.listening.Do(func() {
		var opened []net.Listener
		var lc net.ListenConfig
		for _, l := range []struct {
			name, address string
			into          *net.Listener
		}{
			{"public", s.options.Listen, &s.public},
			{"operations", s.options.OpsListen, &s.ops},
			{"ext_authz", s.options.ExtAuthzListen, &s.extAuthz},
		} {
			if *l.into, s.listenErr = lc.Listen(ctx, "tcp", l.address); s.listenErr != nil {
				s.listenErr = fmt.Errorf("opening the %s listener: %w", l.name, s.listenErr)
				for _, other := range opened {
					_ = other.Close()
				}
				return
			}
			opened = append(opened, *l.into)
		}
	})
	return s.listenErr
}

// Addr is the public listener's address as bound; it may be asked after Listen.
func (s *Server) Addr() net.Addr { return s.public.Addr() }

// OpsAddr is the operations listener's address as bound; it may be asked after Listen.
func (s *Server) OpsAddr() net.Addr { return s.ops.Addr() }

// ExtAuthzAddr is the address, as bound, of the listener for Envoy's ext_authz; it may be asked after Listen.
func (s *Server) ExtAuthzAddr() net.Addr { return s.extAuthz.Addr() }

// Run serves until ctx ends, and then ends without dropping a request that it has taken: /readyz says 503 at once, the
// listeners stay open for Options.ShutdownDelay, and requests in flight have Options.DrainTimeout. The error is that of a
// listener; a server runs once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(ctx); err != nil {
		return err
	}
	defer s.keys.Close()
	defer s.store.close()
	public, ops := s.newHTTPServer(s.publicHandler), s.newHTTPServer(s.opsHandler)
	failed := make(chan error, 3)
	go func() { failed <- serve(public, s.public) }()
	go func() { failed <- serve(ops, s.ops) }()
	go func() { failed <- s.envoy.Serve(s.extAuthz) }()

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if s.options.ConfigDir != "" {
		go s.watch(background)
	}
	go s.tellReady(background)

	select {
	case err := <-failed:
		_, _ = public.Close(), ops.Close()
		s.envoy.Close()
		return err
	case <-ctx.Done():
	}
	s.shutdown(public, ops)
	return nil
}

func (s *Server) newHTTPServer(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:                      h,
		ReadHeaderTimeout:            readTimeout,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true, // `OPTIONS *` is no endpoint
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		Protocols:                    protocols,
	}
}

func serve(server *http.Server, l net.Listener) error {
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
	return nil
}

// watch loads what the configuration directory holds, now and after each change.
func (s *Server) watch(ctx context.Context) {
	var last string // the errors told last
	var settled sync.Once
	watch.Run(ctx, watch.Options{Dir: s.options.ConfigDir, Wanted: wanted, Limit: config.MaxFile, Log: s.log}, func(files map[string][]byte) {
		text := ""
		if err := s.Load(files); err != nil {
			text = err.Error()
		}
		if text != "" && text != last {
			s.log.Error("a part of the configuration is not used; the last good one stays in force", "event", logs.EventConfigRejected, "error", text)
		}
		last = text
		if s.snapshot.Load() != nil {
			// Reading many tenants for the first time takes memory that reloads, which read what changed, do not need again.
			settled.Do(func() { go debug.FreeOSMemory() })
		}
	})
}

// tellReady writes the one line that says that requests are served.
func (s *Server) tellReady(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.configured:
		s.log.Info("ready", "event", logs.EventReady, "listen", s.Addr().String(), "ops_listen", s.OpsAddr().String(), "ext_authz_listen", s.ExtAuthzAddr().String())
	}
}
