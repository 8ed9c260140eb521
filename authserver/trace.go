// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Names of spans.
const (
	spanVerify   = "gatehouse.verify"
	spanExtAuthz = "gatehouse.ext_authz"
	spanFetch    = "gatehouse.jwks.fetch"
	spanLogin    = "gatehouse.login"
	spanToken    = "gatehouse.token"
	spanCallback = "gatehouse.callback" // of a provider

	spanCredentials = "gatehouse.credentials"      // a request for a provider's token
	spanCredential  = "gatehouse.credential.fetch" // an attempt to get one
)

// Attributes of spans. None holds anything of a token or a header, nor a name of a user.
const (
	attributeProtocol  = "gatehouse.protocol"
	attributeTenant    = "gatehouse.tenant"
	attributeResult    = "gatehouse.result"
	attributeReason    = "gatehouse.reason"
	attributeAlgorithm = "gatehouse.algorithm"
	attributeCached    = "gatehouse.cached"
	attributeHost      = "server.address"
	attributeStatus    = "http.response.status_code"
)

// startSpan begins a span of a request, within the trace that the request is part of.
func (s *Server) startSpan(ctx context.Context, name string, carrier propagation.TextMapCarrier) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, carrier)
	return s.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
}

// describe tells of a decision.
func describe(span trace.Span, protocol string, d *policy.Decision) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(
		attribute.String(attributeProtocol, protocol),
		attribute.String(attributeTenant, d.Tenant),
		attribute.String(attributeResult, resultOf(d)),
		attribute.String(attributeReason, string(d.Reason)),
		attribute.String(attributeAlgorithm, d.Algorithm),
		attribute.Bool(attributeCached, d.Cached),
		attribute.Int(attributeStatus, d.Status),
	)
	if d.Status >= http.StatusInternalServerError { // a refusal is what the server is for
		span.SetStatus(codes.Error, string(d.Reason))
	}
}

// traced wraps a handler into a span with the answer's status.
func (s *Server) traced(name string, h http.HandlerFunc) http.HandlerFunc {
	if s.tracer == nil {
		return h
	}
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, span := s.startSpan(r.Context(), name, propagation.HeaderCarrier(r.Header))
		defer span.End()
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		h(sw, r.WithContext(ctx))
		span.SetAttributes(attribute.Int(attributeStatus, sw.status))
		if sw.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fetched is the key engine's hook: it counts a fetch, and makes a span of it once it is over.
func (s *Server) fetched(src keys.Source, status keys.Status, took time.Duration) {
	s.metrics.fetched(status, took)
	if s.tracer == nil {
		return
	}
	end := time.Now()
	_, span := s.tracer.Start(context.Background(), spanFetch, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-took)))
	defer span.End(trace.WithTimestamp(end))
	if !span.IsRecording() {
		return
	}
	host := ""
	if u, err := url.Parse(src.URL); err == nil {
		host = u.Hostname() // path and query are the tenant's, and may hold anything
	}
	span.SetAttributes(attribute.String(attributeHost, host), attribute.String(attributeReason, string(status.Reason)))
	if !status.Ready {
		span.SetStatus(codes.Error, string(status.Reason))
	}
}
