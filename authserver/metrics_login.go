// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
)

// newLoginCounter counts attempts to log in. All series of passwords are there from the start, and those of providers that can come to be,
// so that the first failure shows as a rise.
func newLoginCounter() *prometheus.CounterVec {
	logins := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_logins_total",
		Help: "Attempts to log in by the provider's type and result: succeeded; failed; locked (too many failures or, at a provider, requests: not looked at); busy (no room for one more password hash, or question to the provider); unavailable (a fault, mostly of the store or the provider)."}, []string{"type", "result"})
	for _, result := range login.Results() {
		logins.WithLabelValues(config.ProviderPassword, string(result))
	}
	for _, providerType := range []string{config.ProviderOIDC, config.ProviderOAuth2} {
		for _, result := range login.Results() {
			logins.WithLabelValues(providerType, string(result))
		}
	}
	return logins
}

// loggedIn counts an attempt at a provider of that type.
func (m *metrics) loggedIn(providerType string, result login.Result) {
	m.logins.WithLabelValues(providerType, string(result)).Inc()
}

// passwordChecked counts an attempt with a password.
func (m *metrics) passwordChecked(result login.Result) { m.loggedIn(config.ProviderPassword, result) }
