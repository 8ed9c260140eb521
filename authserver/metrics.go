// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
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

// metrics are the server's own. No label holds what a client sent: reasons and algorithms are those of documented lists, and
// tenants are bounded (metrics_tenants.go).
type metrics struct {
	registry *prometheus.Registry

	verify  *prometheus.CounterVec // protocol, result, reason, algorithm; counted by verifyCounters
	tenants *tenantSeries
	seconds *prometheus.HistogramVec // protocol
	dropped prometheus.Counter
	panics  prometheus.Counter

	reloads  *prometheus.CounterVec // result
	reloaded prometheus.Gauge
	policies prometheus.Gauge
	fetches  *prometheus.CounterVec // result, reason
	fetching prometheus.Histogram
	logins   *prometheus.CounterVec // type, result

	exchanges *prometheus.CounterVec // result, reason

	handedOut   *handedOut
	credentials credentialMetrics
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		verify: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_verify_total",
			Help: "Decisions by the protocol that asked, result, reason (empty if allowed) and the token's algorithm (empty if it came to none)."}, []string{"protocol", "result", "reason", "algorithm"}),
		tenants: newTenantSeries(),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "gatehouse_verify_duration_seconds",
			Help: "Time from a request's arrival at the handler to its decision.", Buckets: []float64{.00005, .0001, .00025, .0005, .001, .0025, .01, .1, 1, 5}}, []string{"protocol"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_refusals_not_logged_total",
			Help: "Refusals without a log line of their own, because there were too many in a second."}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_panics_total",
			Help: "Requests refused because of a fault in the server."}),
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
	m.logins, m.exchanges = newLoginCounter(), newExchangeCounter()
	m.handedOut, m.credentials = newHandedOut(), newCredentialMetrics()
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.verify, m.tenants.vec, m.seconds, m.dropped, m.panics, m.reloads, m.reloaded, m.policies, m.fetches, m.fetching, m.logins, m.exchanges, m.handedOut.vec, m.credentials.fetches, m.credentials.fetching)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// fetched counts a fetch of a key set.
func (m *metrics) fetched(status keys.Status, took time.Duration) {
	result := resultBad
	if status.Ready {
		result = resultGood
	}
	m.fetches.WithLabelValues(result, string(status.Reason)).Inc()
	m.fetching.Observe(took.Seconds())
}
