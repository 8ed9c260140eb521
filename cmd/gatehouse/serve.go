// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/telemetry"
	"github.com/gatehouse-auth/gatehouse/cmd/internal/heap"
)

// shutdownDelay is how long the listeners stay open after a signal. No load balancer has to notice first, as in a cluster,
// and someone waits at a terminal.
const shutdownDelay = 100 * time.Millisecond

// defaultListen is reached from this machine only.
const defaultListen = "127.0.0.1:8080"

type serveFlags struct {
	paths                                     []string
	listen, opsListen, extAuthzListen, server string
	dataDir, opsTokenFile                     string
}

func newServeCommand(stdin io.Reader) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve -f PATH…",
		Short: "Run an auth server from a folder of manifests",
		Long: `Run an auth server from manifests, without a cluster: the same checks, the same configuration and the same decisions as
the operator's. The manifests are watched, and changes are served at once.

A document with a mistake is left out, at the start and on each change, and reported; the others are served. When the
AuthServer's own document becomes bad, its last good settings stay. When nothing is left to serve, every request is refused.

Without --data-dir, signing keys and refresh tokens live in memory, and every login ends with the process. Without
externalURL the server calls itself http://<listen>. Listening on a loopback address, it may also fetch keys from
127.0.0.0/8 and ::1.

Logs go to standard error, one JSON object a line; the line with "msg":"ready" has the addresses as bound. Traces are
exported as the OTEL_* environment variables of OpenTelemetry say, and not at all without one.

Exit codes: 0 ended by a signal, 1 a listener or the data folder failed, 2 wrong usage, or nothing to serve at the start.`,
		Example: `  gatehouse serve -f deploy/
  gatehouse serve -f deploy/ -f secrets/ --listen 127.0.0.1:0 --ops-listen 127.0.0.1:0 --ext-authz-listen 127.0.0.1:0
  gatehouse serve -f deploy/ --data-dir ~/.local/share/gatehouse
  curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/verify/acme`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.paths, err = checkPaths(f.paths, args); err != nil {
				return err
			}
			return serve(cmd.Context(), &f, stdin, cmd.OutOrStdout(), logs.New(cmd.ErrOrStderr(), slog.LevelInfo))
		},
	}
	addPaths(cmd, &f.paths)
	addServer(cmd, &f.server)
	fs := cmd.Flags()
	fs.StringVar(&f.listen, "listen", defaultListen, "address of the public listener; port 0 takes a free one")
	fs.StringVar(&f.opsListen, "ops-listen", "127.0.0.1:9090", "address of the operations listener: /metrics, /healthz, /readyz, /configz, /explain, /users")
	fs.StringVar(&f.extAuthzListen, "ext-authz-listen", "127.0.0.1:9191", "address of Envoy's gRPC ext_authz and its health service; port 0 takes a free one")
	fs.StringVar(&f.dataDir, "data-dir", "", "folder for signing keys and the embedded store; without it they live in memory")
	fs.StringVar(&f.opsTokenFile, "ops-token-file", "", "file with the bearer token that /explain and /users ask for; without it they are refused")
	return cmd
}

func serve(ctx context.Context, f *serveFlags, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	name, err := parseServer(f.server)
	if err != nil {
		return err
	}
	options, err := f.options(log)
	if err != nil {
		return err
	}
	site, err := newSite(f, name, stdin, log)
	if err != nil {
		return err
	}
	if err := site.begin(); err != nil {
		return err
	}
	tracer, flush := telemetry.Start(ctx, stdout, log)
	defer flush()
	options.Tracer = tracer
	heap.Pace()
	server, err := authserver.New(options)
	if err != nil {
		return failed(err)
	}
	if err := server.Listen(ctx); err != nil {
		return failed(err)
	}
	site.url = externalURL(f.listen, server.Addr())
	background, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		site.run(background, server)
	}()
	err = server.Run(ctx)
	stop()
	<-ended
	if err != nil {
		return failed(err)
	}
	return nil
}

// options checks the flags and turns them into the server's options.
func (f *serveFlags) options(log *slog.Logger) (authserver.Options, error) {
	o := authserver.Options{Listen: f.listen, OpsListen: f.opsListen, ExtAuthzListen: f.extAuthzListen, DataDir: f.dataDir, Logger: log, ShutdownDelay: shutdownDelay}
	for _, a := range []struct{ flag, address string }{
		{"--listen", f.listen}, {"--ops-listen", f.opsListen}, {"--ext-authz-listen", f.extAuthzListen},
	} {
		if _, _, err := net.SplitHostPort(a.address); err != nil {
			return o, fmt.Errorf("%s: want host:port or :port: %w", a.flag, err)
		}
	}
	if onLoopback(f.listen) {
		o.ExtraAllowedCIDRs = loopback()
	}
	if f.dataDir != "" {
		if err := os.MkdirAll(f.dataDir, 0o700); err != nil {
			return o, failed(fmt.Errorf("making the data folder: %w", err))
		}
	}
	token, err := authserver.ReadOpsToken(f.opsTokenFile)
	if err != nil {
		return o, fmt.Errorf("--ops-token-file: %w", err)
	}
	o.OpsToken = token
	return o, nil
}

// loopback are the addresses of this machine alone.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// onLoopback tells whether a listen address can be reached from this machine only. A name counts if it is localhost.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// externalURL is http://<listen> with the port as bound. An address that stands for all of the machine's reads localhost.
func externalURL(listen string, bound net.Addr) string {
	host, _, _ := net.SplitHostPort(listen) // checked before
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(bound.String())
	if err != nil { // cannot happen for TCP
		return "http://" + listen
	}
	return "http://" + net.JoinHostPort(host, port)
}

// newSite reads standard input, if it is asked for: it can be read only once.
func newSite(f *serveFlags, name types.NamespacedName, stdin io.Reader, log *slog.Logger) (*site, error) {
	s := &site{name: name, paths: f.paths, dataDir: f.dataDir, local: onLoopback(f.listen), log: log, told: map[string]bool{}}
	if !slices.Contains(f.paths, "-") {
		return s, nil
	}
	if stdin == nil {
		return nil, errors.New("there is no standard input for -f -")
	}
	text, err := io.ReadAll(io.LimitReader(stdin, maxStdin))
	if err != nil {
		return nil, unusable("reading standard input: %w", err)
	}
	s.stdin = text
	return s, nil
}

// maxStdin is more than package manifests reads of one file, so that it is the one to refuse more.
const maxStdin = 32 << 20
