// SPDX-License-Identifier: Apache-2.0

// Package telemetry makes the tracer of an auth server from the OTEL_* environment variables of the OpenTelemetry
// specification, and none where they ask for none: a server without a tracer does nothing for traces.
//
//	tracer, stop := telemetry.Start(ctx, os.Stdout, log)
//	defer stop()
//
// It is apart from package authserver so that only programs carry the SDK. Which spans there are is written in package
// authserver (trace.go) and in docs/telemetry.md.
//
// A variable that cannot be used is logged once and then counts as unset, or as "none" where it says what to export: it
// never keeps a server from starting. Their values are not logged: OTEL_EXPORTER_OTLP_HEADERS holds keys.
package telemetry
