// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	_ "github.com/gatehouse-auth/gatehouse/cmd/internal/roots" // CA roots and time zones for images without them
	"github.com/gatehouse-auth/gatehouse/cmd/internal/version"
	"github.com/gatehouse-auth/gatehouse/controllers"
)

// Exit codes.
const (
	exitFine   = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx := ctrl.SetupSignalHandler()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stderr))
}

// run is main with its surroundings handed in; it returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) int {
	f, err := parseFlags(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitFine
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "operator: %v\nRun 'operator --help' for usage.\n", err)
		return exitUsage
	}
	log := logr.FromSlogHandler(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: f.logLevel}))
	ctrl.SetLogger(log)
	klog.SetLogger(log.WithName("client"))
	if err := operate(ctx, f, log); err != nil {
		log.Error(err, "the operator has to end")
		return exitFailed
	}
	return exitFine
}

// operate runs the controller until ctx ends.
func operate(ctx context.Context, f *flags, log logr.Logger) error {
	rest, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	rest.QPS = -1 // the API server's priority and fairness limits us; a limit here would only delay whole passes
	rest.UserAgent = "gatehouse-operator/" + version.String()
	suspicion := &controllers.Suspicion{}
	suspicion.Observe(rest)
	options := controllers.Options{
		Suspicion: suspicion, Namespaces: f.namespaces, RequireSecretLabel: f.requireSecretLabel, Image: f.image, OperatorNamespace: f.podNamespace,
		CredentialDeniedCIDRs: f.deniedCIDRs, Metrics: metrics.Registry,
	}
	mgr, err := ctrl.NewManager(rest, ctrl.Options{
		Scheme:                        controllers.NewScheme(),
		Cache:                         controllers.CacheOptions(options),
		Metrics:                       server.Options{BindAddress: f.metricsAddress},
		HealthProbeBindAddress:        f.probeAddress,
		LeaderElection:                f.leaderElect,
		LeaderElectionID:              "operator.auth.gatehouse.dev",
		LeaderElectionNamespace:       f.podNamespace,
		LeaderElectionReleaseOnCancel: true, // the process ends with the manager
		Logger:                        log,
	})
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	if options.Image == "" {
		if options.Image, err = ownImage(ctx, mgr.GetAPIReader(), f.podNamespace, f.podName); err != nil {
			return err
		}
	}
	if err := controllers.Setup(ctx, mgr, options); err != nil {
		return err
	}
	if err := errors.Join(mgr.AddHealthzCheck("ping", healthz.Ping), mgr.AddReadyzCheck("ping", healthz.Ping)); err != nil {
		return fmt.Errorf("adding probes: %w", err)
	}
	log.Info("starting", "version", version.String(), "image", options.Image, "namespaces", f.namespaces)
	return mgr.Start(ctx)
}
