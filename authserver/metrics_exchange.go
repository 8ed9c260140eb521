// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// newExchangeCounter counts assertions. The series of those that were exchanged is there from the start.
func newExchangeCounter() *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_token_exchanges_total",
		Help: "Assertions sent to the token endpoint by result (allowed, refused, unavailable) and reason (empty if allowed)."}, []string{"result", "reason"})
	c.WithLabelValues(resultAllowed, "")
	return c
}

// exchanged counts an assertion.
func (m *metrics) exchanged(result string, reason token.Reason) {
	m.exchanges.WithLabelValues(result, string(reason)).Inc()
}
