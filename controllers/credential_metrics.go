// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
)

// Values of the label result of gatehouse_operator_credential_requests_total.
const (
	resultIssued  = "issued"
	resultRefused = "refused"
	resultFailed  = "failed"
)

// credentialMetrics count the operator's Secrets of tokens and what it asked for. No label names an object: however many there are, there are six series.
type credentialMetrics struct {
	states   *credentialStates
	now      func() time.Time
	held     *prometheus.Desc
	requests *prometheus.CounterVec
}

func newCredentialMetrics(states *credentialStates, now func() time.Time) *credentialMetrics {
	m := &credentialMetrics{
		states: states, now: now,
		held: prometheus.NewDesc("gatehouse_operator_credentials",
			"Providers with outputSecretName by what is in their Secrets: valid, failing (valid, and the last attempt brought no newer one), expired (there is none, or it has ended).", []string{"state"}, nil),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_operator_credential_requests_total",
			Help: "Attempts at a token for an outputSecretName by result: issued, refused (by the endpoint, in OAuth's words), failed."}, []string{"result"}),
	}
	for _, r := range []string{resultIssued, resultRefused, resultFailed} {
		m.requests.WithLabelValues(r)
	}
	return m
}

// register adds the metrics to a registry, if there is one.
func (m *credentialMetrics) register(r prometheus.Registerer) error {
	if r == nil {
		return nil
	}
	if err := errors.Join(r.Register(m), r.Register(m.requests)); err != nil {
		return fmt.Errorf("registering metrics of credentials: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (m *credentialMetrics) Describe(out chan<- *prometheus.Desc) { out <- m.held }

// Collect implements prometheus.Collector. A token that has ended since somebody looked at it counts as that.
func (m *credentialMetrics) Collect(out chan<- prometheus.Metric) {
	valid, failing, expired := m.states.count(m.now())
	for state, n := range map[string]int{"valid": valid, "failing": failing, "expired": expired} {
		out <- prometheus.MustNewConstMetric(m.held, prometheus.GaugeValue, float64(n), state)
	}
}

// asked counts one attempt by its error.
func (m *credentialMetrics) asked(err error) {
	result := resultIssued
	if err != nil {
		result = resultFailed
		if told := (*assertion.Error)(nil); errors.As(err, &told) && told.Reason == assertion.ReasonRequestRefused {
			result = resultRefused
		}
	}
	m.requests.WithLabelValues(result).Inc()
}
