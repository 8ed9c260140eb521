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
	// protocolCredentials is that of callers who ask for a credential.
	protocolCredentials = "credentials"
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
	// credential is the name of the credential that is asked for; empty: what is asked is whether the request is let in.
	credential string
	// cookies are the lines of the Cookie header; they count where the request carries no token.
	cookies []string
	// carrier holds the trace that the request is part of, as sent (W3C Trace Context).
	carrier propagation.TextMapCarrier
}

// verdict is the answer to a question.
type verdict struct {
	policy.Decision
	// snap is what it was decided by, nil before there is a configuration.
	snap *snapshot
	// admitted tells that the caller may have the credential that was asked for.
	admitted bool
	// authorization is what the application gets as Authorization in the place of what the caller sent, "" to leave that alone. It is secret.
	authorization string
}

// decide decides a request.
func (f *front) decide(ctx context.Context, q *question) verdict {
	s := f.server
	start := time.Now()
	var span trace.Span
	if s.tracer != nil { // nothing else is done for traces where they are off
		ctx, span = s.startSpan(ctx, f.span, q.carrier)
		defer span.End()
	}
	v := verdict{snap: s.snapshot.Load()}
	switch {
	case q.problem != "":
		v.Decision = policy.Decision{Status: http.StatusUnauthorized, Reason: q.problem, HasToken: len(q.facts.Token)+len(q.facts.Authorization) > 0}
	case v.snap == nil:
		v.Decision = policy.NotConfigured()
	case q.credential != "":
		v.Decision, v.admitted = v.snap.policies.Admit(ctx, q.facts, s.now(), v.snap.credentials.Callers(q.credential))
	default:
		f.judge(ctx, q, &v)
	}
	f.seconds.Observe(time.Since(start).Seconds())
	f.verify.count(&v.Decision)
	s.metrics.tenants.count(&v.Decision)
	if span != nil {
		describe(span, f.protocol, &v.Decision)
	}
	return v
}

// judge decides whether a request is let in, and finds what the application gets with it.
func (f *front) judge(ctx context.Context, q *question, v *verdict) {
	if len(q.cookies) > 0 && !q.facts.HasToken() {
		d, refused := f.admitCookie(ctx, q, v.snap)
		if refused {
			v.Decision = d
			return
		}
	}
	v.Decision = v.snap.policies.Decide(ctx, q.facts, f.server.now())
	if v.Status == http.StatusOK && v.Upstream != "" {
		v.addUpstream(ctx)
	}
}
