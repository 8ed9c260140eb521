// SPDX-License-Identifier: Apache-2.0

package store

// Limits are the bounds of one open store. Zero stands for the default.
type Limits struct {
	// Connections bounds how many connections a pool has: to PostgreSQL, and of those that read from SQLite.
	Connections int
	// UsesOfScope, Counters and UsersOfOrganization stand for MaxUsesOfScope, MaxCounters and MaxUsersOfOrganization.
	UsesOfScope, Counters, UsersOfOrganization int
}

// Option changes how a store is opened.
type Option func(*Limits)

// WithLimits sets bounds.
func WithLimits(l Limits) Option { return func(into *Limits) { *into = l } }

func limitsOf(options []Option, connections int) Limits {
	var l Limits
	for _, o := range options {
		o(&l)
	}
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
