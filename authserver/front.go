// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Protocols by which gateways ask: a label of metrics and a field of logs and spans.
const (
	protocolHTTP = "http"
	protocolGRPC = "grpc"
)

// front is one way to ask for decisions. All of them are decided, counted, traced and logged here, and alike.
type front struct {
	server   *Server
	protocol string
	span     string
	verify   *verifyCounters
	seconds  prometheus.Observer
}

func (s *Server) newFront(protocol, span string) *front {
	return &front{server: s, protocol: protocol, span: span, verify: s.metrics.verifyCounters(protocol), seconds: s.metrics.seconds.WithLabelValues(protocol)}
}

// question is one request to decide.
type question struct {
	facts *policy.Facts
	// problem, if set, refuses it whatever the facts are.
	problem token.Reason
	// cookies are the lines of the Cookie header; they count where the request carries no token.
	cookies []string
	// carrier holds the trace that the request is part of, as sent (W3C Trace Context).
	carrier propagation.TextMapCarrier
}

// decide decides a request by the snapshot that it returns, which is nil before there is a configuration.
func (f *front) decide(ctx context.Context, q *question) (policy.Decision, *snapshot) {
	s := f.server
	start := time.Now()
	var span trace.Span
	if s.tracer != nil { // nothing else is done for traces where they are off
		ctx, span = s.startSpan(ctx, f.span, q.carrier)
		defer span.End()
	}
	var d policy.Decision
	snap := s.snapshot.Load()
	switch {
	case q.problem != "":
		d = policy.Decision{Status: http.StatusUnauthorized, Reason: q.problem, HasToken: len(q.facts.Token)+len(q.facts.Authorization) > 0}
	case snap == nil:
		d = policy.NotConfigured()
	default:
		refused := false
		if len(q.cookies) > 0 && !q.facts.HasToken() {
			d, refused = f.admitCookie(ctx, q, snap)
		}
		if !refused {
			d = snap.policies.Decide(ctx, q.facts, s.now())
		}
	}
	f.seconds.Observe(time.Since(start).Seconds())
	f.verify.count(&d)
	s.metrics.tenants.count(&d)
	if span != nil {
		describe(span, f.protocol, &d)
	}
	return d, snap
}
