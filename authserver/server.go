// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// Options configure a server. Zero values mean the defaults.
type Options struct {
	// Listen, OpsListen and ExtAuthzListen are the addresses of the three listeners; ":8080", ":9090" and ":9191". Port 0
	// takes a free one.
	Listen, OpsListen, ExtAuthzListen string
	// ConfigDir is the directory of rendered files, watched while the server runs. Empty: files come by [Server.Load].
	ConfigDir string
	// DataDir is where the Embedded store lives; empty: in memory, until the server ends.
	DataDir string
	// OpsToken is the bearer token of those operations endpoints that need one, until the configuration brings another; empty
	// refuses them all. It also is the secret by which a hash is chosen for names of no user (see [login.DecoyKey]).
	OpsToken logs.Secret
	// ExtraAllowedCIDRs may be dialled in addition to those of the configuration.
	ExtraAllowedCIDRs []netip.Prefix
	// MemoryLimit is what the process may use, in bytes, 0 if nobody says: passwords are hashed within it.
	MemoryLimit int64
	// Logger is never handed a secret; nil discards.
	Logger *slog.Logger
	// Tracer makes spans of decisions, key fetches, logins and grants; nil makes none. Package telemetry makes one from the
	// environment.
	Tracer trace.Tracer
	// Now is the clock of decisions; nil: time.Now.
	Now func() time.Time
	// ShutdownDelay is how long the listeners stay open after Run's context has ended, while /readyz says 503; 5s.
	ShutdownDelay time.Duration
	// DrainTimeout is how long requests in flight may take then; 25s.
	DrainTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = ":8080"
	}
	if o.OpsListen == "" {
		o.OpsListen = ":9090"
	}
	if o.ExtAuthzListen == "" {
		o.ExtAuthzListen = ":9191"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Now = o.clock()
	if o.ShutdownDelay <= 0 {
		o.ShutdownDelay = 5 * time.Second
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = 25 * time.Second
	}
	return o
}

// clock is Now, or what stands for nil.
func (o *Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

// Server is one auth server. Its methods may be called from several goroutines.
type Server struct {
	options  Options
	log      *slog.Logger
	now      func() time.Time
	metrics  *metrics
	refusals *refusalLog
	tracer   trace.Tracer // nil: traces are off
	overHTTP *front
	overGRPC *front
	// forPrograms decides who asks for credentials.
	forPrograms *front
	opsAuth     opsAuth
	keys        *keys.Engine
	store       *lateStore
	browsers    *browsers
	routes      routes

	snapshot   atomic.Pointer[snapshot]
	configured chan struct{} // closed with the first snapshot
	draining   atomic.Bool
	settle     func() // waits between closing the listener and shutting down

	mu     sync.Mutex // held to load
	loader *loader

	listening     sync.Once
	listenErr     error
	public, ops   net.Listener
	extAuthz      net.Listener
	publicHandler http.Handler
	opsHandler    http.Handler
	envoy         *extauthz.Server
}

// New makes a server that serves nothing yet: [Server.Run] does.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{options: o, log: o.Logger, now: o.Now, metrics: newMetrics(), configured: make(chan struct{}), tracer: o.Tracer}
	s.settle = func() { time.Sleep(settleTime) }
	s.refusals = newRefusalLog(s.log, s.metrics)
	s.opsAuth.set(o.OpsToken.Reveal())
	s.overHTTP, s.overGRPC = s.newFront(protocolHTTP, spanVerify), s.newFront(protocolGRPC, spanExtAuthz)
	s.forPrograms = s.newFront(protocolCredentials, spanCredentials)
	s.keys = keys.New(keys.Options{Hooks: keys.Hooks{Fetched: s.fetched}})
	var err error
	if s.loader, err = newLoader(&o, s.keys); err != nil {
		s.keys.Close()
		return nil, fmt.Errorf("making an auth server: %w", err)
	}
	s.loader.credentials.Ended = s.credentialEnded
	s.metrics.registry.MustRegister(newStateCollector(s.keys, s.loader.decisions.Stats, s.credentialStates))
	s.store = newLateStore(o.DataDir, o.Now, s.log)
	service := s.newService()
	s.browsers = s.newBrowsers(service)
	s.routes = s.publicRoutes(service)
	s.publicHandler = http.HandlerFunc(s.servePublic)
	s.opsHandler = s.serveOps(s.opsRoutes())
	s.envoy = extauthz.NewServer(gate{s.overGRPC})
	return s, nil
}

// newService makes what logs people in, and newBrowsers what does so with a browser: they know of each other's sessions.
func (s *Server) newService() *login.Service {
	return &login.Service{
		Store: s.store, Verifier: password.NewVerifier(password.Slots(s.options.MemoryLimit)),
		Now: s.now, Random: rand.Reader, Log: s.log, Observe: s.metrics.passwordChecked,
	}
}

func (s *Server) newBrowsers(service *login.Service) *browsers {
	people := &directory.Directory{
		Store: s.store, Now: s.now, Random: rand.Reader, Log: s.log,
		Hash: func(ctx context.Context, secret []byte) (string, error) {
			return service.Verifier.Hash(ctx, secret, rand.Reader)
		},
	}
	sessions := session.New(session.Options{
		Store: s.store, Accounts: service, Renewer: renewer{people, s.snapshot.Load}, Now: s.now, Random: rand.Reader, Log: s.log,
	})
	service.Sessions = sessions
	return &browsers{
		service: service, sessions: sessions, directory: people, uses: s.store, snapshot: s.snapshot.Load, now: s.now, log: s.log,
		refusals: newRefusalLog(s.log, s.metrics), tempo: newTempo(s.now), turns: newTurns(), loggedIn: s.metrics.loggedIn, traced: s.traced,
	}
}

// publicRoutes is the table of the public listener's endpoints, but for /verify and /envoy (dispatch.go).
func (s *Server) publicRoutes(service *login.Service) routes {
	t := routes{}
	login := &loginHandler{service: service, snapshot: s.logins, log: s.log}
	t.add(http.MethodPost, "/api/v1/login", s.traced(spanLogin, login.ServeHTTP))
	tokens := newTokenHandler(service, s.logins, s.log)
	tokens.grants[grantJWTBearer] = s.newAssertions(service).grant
	t.add(http.MethodPost, pathToken, s.traced(spanToken, tokens.ServeHTTP))
	t.add(http.MethodPost, pathRevoke, (&revokeHandler{service: service, snapshot: s.logins, log: s.log}).ServeHTTP)
	userInfo := &userInfoHandler{snapshot: s.logins, session: s.browsers.ofRequest, granted: s.granted, now: s.now, log: s.log}
	t.add(http.MethodGet, pathUserInfo, userInfo.ServeHTTP)
	t.add(http.MethodPost, pathUserInfo, userInfo.ServeHTTP)
	s.browsers.add(t)
	t.add(http.MethodGet, routeCredentials, s.handleCredentials)
	t.add(http.MethodGet, pathDiscovery, (&discoveryHandler{snapshot: s.logins}).ServeHTTP)
	t.add(http.MethodGet, pathJWKS, (&jwksHandler{snapshot: s.logins}).ServeHTTP)
	return t
}

// granted is [policy.Set.Granted] of the policies by which is decided now.
func (s *Server) granted(organization, mark string) bool {
	snap := s.snapshot.Load()
	return snap != nil && snap.policies.Granted(organization, mark)
}

// logins is what logins are decided by now; nil before the first configuration.
func (s *Server) logins() *login.Snapshot {
	snap := s.snapshot.Load()
	if snap == nil {
		return nil
	}
	return snap.login
}

// Load serves the files instead of those before, from the next request on: all files there are, by name. It may be
// called before and while the server runs. What could not be used is told in the error, with the field and the fix; for
// each such file the last good one stays in force, so the server goes on with an error as well as without.
func (s *Server) Load(files map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opsAuth.set(string(files[config.FileOpsToken])) // a new one counts at once; without one the last stays
	old := s.snapshot.Load()
	next := s.loader.load(files)
	err := errors.Join(s.loader.problems()...)
	result := resultGood
	if err != nil {
		result = resultBad
	}
	s.metrics.reloads.WithLabelValues(result).Inc()
	if next == old {
		return err
	}
	if old == nil || !next.policies.SameRemotes(old.policies) {
		s.keys.Name(next.policies.Remotes()) // before the first request asks for them
	}
	s.prepareLogins(old, next)
	s.metrics.tenants.use(next.policies, next.tenantSeries)
	s.snapshot.Store(next)
	if old == nil {
		close(s.configured)
		s.envoy.SetServing(true)
	}
	s.metrics.reloaded.SetToCurrentTime()
	s.metrics.policies.Set(float64(next.policies.Len()))
	s.log.Info("configuration in force", "event", logs.EventConfigApplied, "policies", next.policies.Len())
	return err
}

// prepareLogins opens the store where one is needed and tells of users that cannot log in.
func (s *Server) prepareLogins(old, next *snapshot) {
	if old != nil && old.login == next.login {
		return
	}
	if next.login.Store() {
		s.store.use(next.site.dsn, next.site.caBundle)
		s.store.prepare()
	}
	for _, problem := range next.login.Problems() {
		s.log.Warn("a user is left out", "event", logs.EventUserLeftOut, "problem", problem)
	}
}

// recovered answers 500 where a handler panicked, and tells in the log where, without the values at hand, which may hold
// a token.
func (s *Server) recovered(w http.ResponseWriter) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v) // net/http's own way to end an answer
	}
	s.tellPanic(v)
	w.Header()["Connection"] = connectionClose
	refusedByFault.write(w)
}

// tellPanic counts and logs a panic.
func (s *Server) tellPanic(v any) {
	s.metrics.panics.Inc()
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	s.log.LogAttrs(context.Background(), slog.LevelError, "a request met a fault in the server",
		slog.String("event", logs.EventPanic), slog.String("panic", what), slog.String("stack", string(debug.Stack())))
}
