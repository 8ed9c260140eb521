// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/watch"
)

// Limits of both listeners. A handler may wait 5 s for a key set and somewhat longer for its turn to hash a password.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 45 * time.Second
	idleTimeout       = 120 * time.Second // longer than gateways keep a connection, so that they are the ones to close it
	// net/http reads 4 KiB more than it is told: 64 KiB together, request line included.
	maxHeaderBytes = 60 << 10
)

// Listen opens both listeners, so that their addresses are known before Run. A second call does nothing.
func (s *Server) Listen(ctx context.Context) error {
	s.listening.Do(func() {
		var lc net.ListenConfig
		if s.public, s.listenErr = lc.Listen(ctx, "tcp", s.options.Listen); s.listenErr != nil {
			s.listenErr = fmt.Errorf("opening the public listener: %w", s.listenErr)
			return
		}
		if s.ops, s.listenErr = lc.Listen(ctx, "tcp", s.options.OpsListen); s.listenErr != nil {
			_ = s.public.Close()
			s.listenErr = fmt.Errorf("opening the operations listener: %w", s.listenErr)
		}
	})
	return s.listenErr
}

// Addr is the public listener's address as bound; it may be asked after Listen.
func (s *Server) Addr() net.Addr { return s.public.Addr() }

// OpsAddr is the operations listener's address as bound; it may be asked after Listen.
func (s *Server) OpsAddr() net.Addr { return s.ops.Addr() }

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
	failed := make(chan error, 2)
	go func() { failed <- serve(public, s.public) }()
	go func() { failed <- serve(ops, s.ops) }()

	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if s.options.ConfigDir != "" {
		go s.watch(background)
	}
	go s.tellReady(background)

	select {
	case err := <-failed:
		_, _ = public.Close(), ops.Close()
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
		ReadHeaderTimeout:            readHeaderTimeout,
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
	watch.Run(ctx, watch.Options{Dir: s.options.ConfigDir, Wanted: wanted, Limit: config.MaxFile, Log: s.log}, func(files map[string][]byte) {
		text := ""
		if err := s.Load(files); err != nil {
			text = err.Error()
		}
		if text != "" && text != last {
			s.log.Error("a part of the configuration is not used; the last good one stays in force", "event", "config.rejected", "error", text)
		}
		last = text
	})
}

// tellReady writes the one line that says that requests are served.
func (s *Server) tellReady(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.configured:
		s.log.Info("ready", "listen", s.Addr().String(), "ops_listen", s.OpsAddr().String())
	}
}
