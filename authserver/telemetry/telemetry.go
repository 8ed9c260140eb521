// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

const (
	// serviceName is what OTEL_SERVICE_NAME is by default.
	serviceName = "gatehouse-authserver"
	// scope names the instrumentation.
	scope = "github.com/gatehouse-auth/gatehouse/authserver"
	// stopTimeout bounds the export of the last spans.
	stopTimeout = 5 * time.Second
	// quiet is how long failures of export are not told again.
	quiet = time.Minute
)

// Start makes a tracer as the process's environment says; it is nil where traces are off. Variables that cannot be used are
// removed from the environment. Console spans go to console. stop exports what is left, within 5 s, and must be called at the end.
func Start(ctx context.Context, console io.Writer, log *slog.Logger) (tracer trace.Tracer, stop func()) {
	off := func() {}
	s, problems := read(os.Getenv)
	for _, p := range problems {
		log.Warn("a setting of traces is not used", "event", logs.EventTracesSettings, "variable", p.variable, "error", p.err)
		_ = os.Unsetenv(p.variable) // the SDK reads it too: it fails on some mistakes and tells values of others; this cannot fail
	}
	if len(s.exporters) == 0 {
		return nil, off
	}
	// The SDK tells its troubles to the process as a whole. Its log repeats values of variables.
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(&failures{log: log, now: time.Now})
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(describe(ctx))}
	for _, name := range s.exporters {
		exporter, err := newExporter(ctx, name, s.protocol, console)
		if err != nil { // of a certificate's file, for one
			log.Warn("spans are not exported", "event", logs.EventTracesSettings, "variable", variableExporter, "error", fmt.Errorf("making the exporter %s: %w", name, err))
			continue
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	if len(options) == 1 {
		return nil, off
	}
	provider := sdktrace.NewTracerProvider(options...)
	log.Info("traces are exported", "event", logs.EventTracesOn, "exporter", strings.Join(s.exporters, ","), "sampler", s.sampler)
	return provider.Tracer(scope), func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("the last spans were not exported", "event", logs.EventTracesFailed, "error", err)
		}
	}
}

func newExporter(ctx context.Context, name, protocol string, console io.Writer) (sdktrace.SpanExporter, error) {
	switch {
	case name == exporterConsole:
		return stdouttrace.New(stdouttrace.WithWriter(console))
	case protocol == protocolGRPC:
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

// describe is what the spans come from: OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win over the default name.
func describe(ctx context.Context) *resource.Resource {
	r, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", serviceName)), resource.WithFromEnv())
	if r == nil || err != nil && r.Len() == 0 {
		return resource.NewSchemaless(attribute.String("service.name", serviceName))
	}
	return r // what could be read of it; the rest was told
}

// failures logs what goes wrong with exports, now and then.
type failures struct {
	log *slog.Logger
	now func() time.Time

	mu   sync.Mutex
	last time.Time
}

// Handle implements otel.ErrorHandler.
func (f *failures) Handle(err error) {
	f.mu.Lock()
	now := f.now()
	tell := f.last.IsZero() || now.Sub(f.last) >= quiet
	if tell {
		f.last = now
	}
	f.mu.Unlock()
	if tell {
		f.log.Warn("spans are lost", "event", logs.EventTracesFailed, "error", err)
	}
}
