// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Values of the label result.
const (
	resultAllowed     = "allowed"
	resultRefused     = "refused"
	resultForbidden   = "forbidden"
	resultUnavailable = "unavailable"
	resultGood        = "good"
	resultBad         = "bad"
)

// metrics are the server's own. No label holds what a client sent: reasons are the documented constants, and there is no
// series per tenant.
type metrics struct {
	registry *prometheus.Registry

	verify  *prometheus.CounterVec // result, reason
	allowed prometheus.Counter     // of verify, looked up once
	seconds prometheus.Histogram
	dropped prometheus.Counter
	panics  prometheus.Counter

	reloads  *prometheus.CounterVec // result
	reloaded prometheus.Gauge
	policies prometheus.Gauge
	fetches  *prometheus.CounterVec // result, reason
	fetching prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		verify: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_verify_total",
			Help: "Decisions of /verify and /envoy by result and, where it is not allowed, reason."}, []string{"result", "reason"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "gatehouse_verify_duration_seconds",
			Help: "Time from a request's arrival at the handler to its decision.", Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .01, .1, 1, 5}}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_refusals_not_logged_total",
			Help: "Refusals without a log line of their own, because there were too many in a second."}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_panics_total",
			Help: "Requests answered with 500 because of a fault in the server."}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_config_reloads_total",
			Help: "Readings of the configuration: good, or bad if a file of it was left out."}, []string{"result"}),
		reloaded: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_config_last_change_timestamp_seconds",
			Help: "When the configuration in force was taken, in seconds since 1970."}),
		policies: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gatehouse_policies",
			Help: "Tenant policies in force."}),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_jwks_fetches_total",
			Help: "Fetches of key sets by result and reason."}, []string{"result", "reason"}),
		fetching: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "gatehouse_jwks_fetch_duration_seconds",
			Help: "Time a fetch of a key set took.", Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10}}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.verify, m.seconds, m.dropped, m.panics, m.reloads, m.reloaded, m.policies, m.fetches, m.fetching)
	m.allowed = m.verify.WithLabelValues(resultAllowed, "")
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// decided counts a decision that took some time.
func (m *metrics) decided(d *policy.Decision, took time.Duration) {
	m.seconds.Observe(took.Seconds())
	switch d.Status {
	case http.StatusOK:
		m.allowed.Inc()
	case http.StatusForbidden:
		m.verify.WithLabelValues(resultForbidden, string(d.Reason)).Inc()
	case http.StatusServiceUnavailable:
		m.verify.WithLabelValues(resultUnavailable, string(d.Reason)).Inc()
	default:
		m.verify.WithLabelValues(resultRefused, string(d.Reason)).Inc()
	}
}

// fetched is the key engine's hook.
func (m *metrics) fetched(_ keys.Source, status keys.Status, took time.Duration) {
	result := resultBad
	if status.Ready {
		result = resultGood
	}
	m.fetches.WithLabelValues(result, string(status.Reason)).Inc()
	m.fetching.Observe(took.Seconds())
}
