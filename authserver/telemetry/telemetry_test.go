// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// clearEnvironment takes away what the machine says of traces.
func clearEnvironment(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "") // so that it comes back
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// lines are the log's events: each "event variable".
func lines(t *testing.T, out *bytes.Buffer) []string {
	t.Helper()
	var events []string
	for line := range strings.Lines(out.String()) {
		var e struct{ Event, Variable string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		events = append(events, strings.TrimSpace(e.Event+" "+e.Variable))
	}
	return events
}

// TestStart guards when traces are on, and that a mistake is told once, without the value, and stops nothing.
func TestStart(t *testing.T) {
	const endpoint = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		environment map[string]string
		on          bool
		events      []string
	}{
		"nothing":                 {nil, false, nil},
		"none":                    {map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, false, nil},
		"disabled":                {map[string]string{"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "bad"}, false, nil},
		"console":                 {map[string]string{"OTEL_TRACES_EXPORTER": "console"}, true, []string{"traces.on"}},
		"an endpoint":             {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SDK_DISABLED": "false"}, true, []string{"traces.on"}},
		"an endpoint for traces":  {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, true, []string{"traces.on"}},
		"otlp without endpoint":   {map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, []string{"traces.on"}},
		"both":                    {map[string]string{"OTEL_TRACES_EXPORTER": "console, otlp,none"}, true, []string{"traces.on"}},
		"an unknown exporter":     {map[string]string{"OTEL_TRACES_EXPORTER": "hunter2"}, false, []string{"traces.settings OTEL_TRACES_EXPORTER"}},
		"one unknown of two":      {map[string]string{"OTEL_TRACES_EXPORTER": "hunter2,console"}, true, []string{"traces.settings OTEL_TRACES_EXPORTER", "traces.on"}},
		"disabled, or is it":      {map[string]string{"OTEL_SDK_DISABLED": "hunter2", "OTEL_TRACES_EXPORTER": "console"}, true, []string{"traces.settings OTEL_SDK_DISABLED", "traces.on"}},
		"an unknown protocol":     {map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "hunter2"}, true, []string{"traces.settings OTEL_EXPORTER_OTLP_PROTOCOL", "traces.on"}},
		"an unknown sampler":      {map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_TRACES_SAMPLER": "hunter2"}, true, []string{"traces.settings OTEL_TRACES_SAMPLER", "traces.on"}},
		"a ratio that is none":    {map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "hunter2"}, true, []string{"traces.settings OTEL_TRACES_SAMPLER_ARG", "traces.on"}},
		"an endpoint without URL": {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "hunter2:4318"}, false, []string{"traces.settings OTEL_EXPORTER_OTLP_ENDPOINT"}},
		"headers that are none":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_HEADERS": "hunter2"}, true, []string{"traces.settings OTEL_EXPORTER_OTLP_HEADERS", "traces.on"}},
		"headers badly encoded":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=hunter2%zz"}, true, []string{"traces.settings OTEL_EXPORTER_OTLP_HEADERS", "traces.on"}},
		"attributes":              {map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_RESOURCE_ATTRIBUTES": "hunter2"}, true, []string{"traces.settings OTEL_RESOURCE_ATTRIBUTES", "traces.on"}},
		"a timeout":               {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT": "hunter2"}, true, []string{"traces.settings OTEL_EXPORTER_OTLP_TIMEOUT", "traces.on"}},
		"a certificate":           {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_CERTIFICATE": "/nonexistent/hunter2"}, true, []string{"traces.settings OTEL_EXPORTER_OTLP_CERTIFICATE", "traces.on"}},
		"a certificate of noise":  {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_CERTIFICATE": "/dev/null"}, true, []string{"traces.settings OTEL_EXPORTER_OTLP_CERTIFICATE", "traces.on"}},
		"a huge queue":            {map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_BSP_MAX_QUEUE_SIZE": "1000000000000"}, true, []string{"traces.settings OTEL_BSP_MAX_QUEUE_SIZE", "traces.on"}},
		"a queue":                 {map[string]string{"OTEL_TRACES_EXPORTER": "console", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"}, true, []string{"traces.settings OTEL_BSP_MAX_QUEUE_SIZE", "traces.on"}},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t)
			for variable, value := range c.environment {
				t.Setenv(variable, value)
			}
			var out bytes.Buffer
			tracer, stop := Start(t.Context(), io.Discard, logs.New(&out, slog.LevelInfo))
			stop()
			if (tracer != nil) != c.on {
				t.Errorf("tracer %v", tracer)
			}
			if diff := cmp.Diff(c.events, lines(t, &out)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Errorf("a value is in the log: %s", &out)
			}
		})
	}
}

// collected are requests that a collector got.
type collected struct {
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
	headers  []http.Header
}

func (c *collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	data, err := io.ReadAll(io.LimitReader(body, 1<<20))
	request := new(collector.ExportTraceServiceRequest)
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(data, request) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.add(request, r.Header)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (c *collected) add(request *collector.ExportTraceServiceRequest, h http.Header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests, c.headers = append(c.requests, request), append(c.headers, h)
}

// check looks for one span of TestExport.
func (c *collected) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.requests) != 1 {
		t.Fatalf("%d requests", len(c.requests))
	}
	spans := c.requests[0].GetResourceSpans()
	if len(spans) != 1 || len(spans[0].GetScopeSpans()) != 1 || len(spans[0].GetScopeSpans()[0].GetSpans()) != 1 {
		t.Fatalf("got %v", spans)
	}
	if got := spans[0].GetScopeSpans()[0].GetSpans()[0].GetName(); got != "a span" {
		t.Errorf("the span %q", got)
	}
	resource := map[string]string{}
	for _, a := range spans[0].GetResource().GetAttributes() {
		resource[a.GetKey()] = a.GetValue().GetStringValue()
	}
	if resource["service.name"] != "front-door" || resource["deployment.environment"] != "lab" {
		t.Errorf("resource %v", resource)
	}
}

// TestExport guards that spans reach a collector over both protocols, the last ones when the program ends.
func TestExport(t *testing.T) {
	export := func(t *testing.T, environment map[string]string) {
		t.Helper()
		clearEnvironment(t)
		t.Setenv("OTEL_SERVICE_NAME", "front-door")
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=lab,service.name=other")
		for variable, value := range environment {
			t.Setenv(variable, value)
		}
		var out bytes.Buffer
		tracer, stop := Start(t.Context(), io.Discard, logs.New(&out, slog.LevelInfo))
		_, span := tracer.Start(t.Context(), "a span")
		span.End()
		stop()
		if diff := cmp.Diff([]string{"traces.on"}, lines(t, &out)); diff != "" {
			t.Errorf("events (-want +got):\n%s\n%s", diff, &out)
		}
	}
	t.Run("http/protobuf", func(t *testing.T) {
		c := &collected{}
		server := httptest.NewServer(c)
		defer server.Close()
		export(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_EXPORTER_OTLP_HEADERS": "x-api-key=hunter2"})
		c.check(t)
		if got := c.headers[0].Get("X-Api-Key"); got != "hunter2" {
			t.Errorf("the collector's key %q", got)
		}
	})
	t.Run("grpc", func(t *testing.T) {
		c := &collected{}
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		collector.RegisterTraceServiceServer(server, grpcCollector{collected: c})
		go func() { _ = server.Serve(l) }() // until Stop
		defer server.Stop()
		export(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://" + l.Addr().String(), "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
		c.check(t)
	})
	t.Run("a sampler that takes none", func(t *testing.T) {
		c := &collected{}
		server := httptest.NewServer(c)
		defer server.Close()
		export(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_TRACES_SAMPLER": "always_off"})
		if len(c.requests) != 0 {
			t.Errorf("got %v", c.requests)
		}
	})
}

// TestConsole guards that spans for people go where the program says, not among the log's lines.
func TestConsole(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	var console, out bytes.Buffer
	tracer, stop := Start(t.Context(), &console, logs.New(&out, slog.LevelInfo))
	_, span := tracer.Start(t.Context(), "a span")
	span.End()
	stop()
	if !strings.Contains(console.String(), `"a span"`) || strings.Contains(out.String(), "a span") {
		t.Errorf("console %s; log %s", &console, &out)
	}
}

// TestFailuresAreToldNowAndThen guards the log against a collector that is away.
func TestFailuresAreToldNowAndThen(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1, 0)
	f := &failures{log: logs.New(&out, slog.LevelInfo), now: func() time.Time { return now }}
	for range 3 {
		f.Handle(errors.New("connection refused"))
	}
	now = now.Add(quiet)
	f.Handle(errors.New("connection refused"))
	if diff := cmp.Diff([]string{"traces.failed", "traces.failed"}, lines(t, &out)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
