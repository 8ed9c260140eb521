// SPDX-License-Identifier: Apache-2.0

package store

// Limits are the bounds of one open store. Zero stands for the default.
type Limits struct {
	// Connections bounds how many connections a pool has: to PostgreSQL, and of those that read from SQLite.
	Connections int
	// UsesOfScope, Counters and UsersOfOrganization stand for MaxUsesOfScope, MaxCounters and MaxUsersOfOrganization.
	UsesOfScope, Counters, UsersOfOrganization int
}

// settings are what options set.
type settings struct {
	limits   Limits
	caBundle string
}

// Option changes how a store is opened.
type Option func(*settings)

// WithLimits sets bounds.
func WithLimits(l Limits) Option { return func(s *settings) { s.limits = l } }

// WithCABundle has PostgreSQL's certificate verified by the CAs of a PEM text instead of the system's, or those that the DSN names. The
// DSN has to have sslmode=verify-full or verify-ca then. An empty text changes nothing.
func WithCABundle(pem string) Option { return func(s *settings) { s.caBundle = pem } }

func settingsOf(options []Option) (s settings) {
	for _, o := range options {
		o(&s)
	}
	return s
}

// orDefault fills in what is zero.
func (l Limits) orDefault(connections int) Limits {
	l.Connections = either(l.Connections, connections)
	l.UsesOfScope = either(l.UsesOfScope, MaxUsesOfScope)
	l.Counters = either(l.Counters, MaxCounters)
	l.UsersOfOrganization = either(l.UsersOfOrganization, MaxUsersOfOrganization)
	return l
}

func either(n, byDefault int) int {
	if n > 0 {
		return n
	}
	return byDefault
}
