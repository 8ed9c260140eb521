// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/gatehouse-auth/gatehouse/authserver/credential"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// Values of the label result that are of credentials alone.
const (
	resultIssued   = "issued"
	resultNotFound = "not_found"
)

// handedOut counts what became of requests for tokens. Providers have no series of their own: tenants make them, and /configz tells of each.
type handedOut struct {
	vec                                    *prometheus.CounterVec // result
	issued, refused, notFound, unavailable prometheus.Counter
}

func newHandedOut() *handedOut {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_credential_requests_total",
		Help: "Requests for a provider's token by result: issued; refused (401, 403 or 503, as gatehouse_verify_total has it with protocol credentials); not_found (there is no such provider, or not for this caller); unavailable (the provider gave no token)."}, []string{"result"})
	return &handedOut{vec, vec.WithLabelValues(resultIssued), vec.WithLabelValues(resultRefused), vec.WithLabelValues(resultNotFound), vec.WithLabelValues(resultUnavailable)}
}

// credentialMetrics count requests to token endpoints.
type credentialMetrics struct {
	fetches  *prometheus.CounterVec // result, reason
	fetching prometheus.Histogram
}

func newCredentialMetrics() credentialMetrics {
	return credentialMetrics{
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_credential_fetches_total",
			Help: "Attempts to get a provider's token by result and reason."}, []string{"result", "reason"}),
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "gatehouse_credential_fetch_duration_seconds",
			Help: "Time an attempt to get a provider's token took.", Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10}}),
	}
}

// credentialEnded counts an attempt, makes a span of it, and tells the log when attempts begin to fail, for another reason too, and when they no longer do.
func (s *Server) credentialEnded(c *credential.Credential, a credential.Attempt) {
	result, reason := resultGood, string(keys.ReasonReady)
	if a.Failure != nil {
		result, reason = resultBad, a.Failure.Reason
	}
	s.metrics.credentials.fetches.WithLabelValues(result, reason).Inc()
	s.metrics.credentials.fetching.Observe(a.Took.Seconds())
	s.traceCredential(a, reason)
	if a.Turned {
		s.logTurned(c, a)
	}
}

func (s *Server) logTurned(c *credential.Credential, a credential.Attempt) {
	provider := slog.String("provider", providerOf(c.Object()))
	until := ""
	if a.ValidUntil.After(s.now()) {
		until = a.ValidUntil.UTC().Format(time.RFC3339)
	}
	if a.Failure == nil {
		s.log.LogAttrs(context.Background(), slog.LevelInfo, "a provider gives tokens again",
			slog.String("event", logs.EventCredentialReady), provider, slog.String("valid_until", until))
		return
	}
	s.log.LogAttrs(context.Background(), slog.LevelWarn, "a provider gives no token",
		slog.String("event", logs.EventCredentialFailed), provider, slog.String("reason", a.Failure.Reason),
		slog.Int("status", a.Failure.Status), slog.String("detail", a.Failure.Message), slog.String("valid_until", until))
}

// traceCredential makes a span of an attempt once it is over.
func (s *Server) traceCredential(a credential.Attempt, reason string) {
	if s.tracer == nil {
		return
	}
	end := time.Now()
	_, span := s.tracer.Start(context.Background(), spanCredential, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(end.Add(-a.Took)))
	defer span.End(trace.WithTimestamp(end))
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(attribute.String(attributeReason, reason))
	if a.Failure != nil {
		span.SetStatus(codes.Error, reason)
	}
}

// credentialCondition tells of a credential. One that nobody has asked for is Unknown.
func credentialCondition(st credential.Status) condition {
	c := condition{Status: "False", Reason: st.Reason, Message: st.Message, Since: st.Since.UTC()}
	switch {
	case !st.Fetched:
		c.Status, c.Reason = "Unknown", string(keys.ReasonNotYetFetched)
	case st.Ready:
		c.Status = "True"
	}
	return c
}

// credentialStates counts the credentials of the configuration in force by their state.
func (s *Server) credentialStates() map[string]int {
	states := map[string]int{sourcePending: 0, sourceReady: 0, sourceFailing: 0}
	snap := s.snapshot.Load()
	if snap == nil {
		return states
	}
	now := s.now()
	for _, c := range snap.credentials.All() {
		switch st := c.Status(now); {
		case !st.Fetched:
			states[sourcePending]++
		case st.Ready:
			states[sourceReady]++
		default:
			states[sourceFailing]++
		}
	}
	return states
}
