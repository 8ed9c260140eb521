// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatehouse-auth/gatehouse/authserver"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/telemetry"
	"github.com/gatehouse-auth/gatehouse/cmd/internal/heap"
	_ "github.com/gatehouse-auth/gatehouse/cmd/internal/roots" // CA roots and time zones for images without them
)

// Exit codes.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its surroundings handed in; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newCommand(stderr)
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, new(serveError)):
		_, _ = fmt.Fprintf(stderr, "authserver: %v\n", err)
		return exitFailed
	default:
		_, _ = fmt.Fprintf(stderr, "authserver: %v\nRun 'authserver --help' for usage.\n", err)
		return exitUsage
	}
}

// serveError is an error after the usage was found to be right.
type serveError struct{ error }

func (e serveError) Unwrap() error { return e.error }

type flags struct {
	configDir, listen, opsListen, extAuthzListen, dataDir, opsTokenFile string
}

func newCommand(stderr io.Writer) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:           "authserver --config-dir DIR",
		Short:         "Serve the rendered configuration of one auth server",
		Long:          "Serve the rendered configuration of one auth server.\n\nTraces are exported as the OTEL_* environment variables of OpenTelemetry say, and not at all without one.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), &f, cmd.OutOrStdout(), logs.New(stderr, slog.LevelInfo))
		},
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	fs := cmd.Flags()
	fs.StringVar(&f.configDir, "config-dir", "", "directory of the rendered files; watched for changes (required)")
	fs.StringVar(&f.listen, "listen", ":8080", "address of the public listener; port 0 takes a free one")
	fs.StringVar(&f.opsListen, "ops-listen", ":9090", "address of the operations listener: /metrics, /healthz, /readyz, /configz, /explain")
	fs.StringVar(&f.extAuthzListen, "ext-authz-listen", ":9191", "address of Envoy's gRPC ext_authz and its health service; port 0 takes a free one")
	fs.StringVar(&f.dataDir, "data-dir", "", "directory of the embedded store; without it the store is lost when the server ends")
	fs.StringVar(&f.opsTokenFile, "ops-token-file", "", "file with the bearer token that POST /explain asks for; without it that is refused")
	return cmd
}

func serve(ctx context.Context, f *flags, stdout io.Writer, log *slog.Logger) error {
	options, err := f.options(log)
	if err != nil {
		return err
	}
	limitHeap(options.MemoryLimit, log)
	heap.Pace()
	tracer, stop := telemetry.Start(ctx, stdout, log)
	defer stop()
	options.Tracer = tracer
	server, err := authserver.New(options)
	if err != nil {
		return serveError{err}
	}
	if err := server.Run(ctx); err != nil {
		return serveError{err}
	}
	return nil
}
