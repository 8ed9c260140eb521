// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/decisions"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// States of a source of keys: values of the label state.
const (
	sourcePending = "pending" // not fetched yet: no request has needed it
	sourceReady   = "ready"   // the last fetch brought keys
	sourceFailing = "failing" // it did not; keys of an earlier one may serve
)

// stateCollector tells, whenever it is asked, how key sets and the decision cache are doing. Key sets are summed: their
// URLs are written by tenants, and there may be as many as there are tenants. /configz tells of each.
type stateCollector struct {
	keys  *keys.Engine
	cache func() decisions.Stats
	// credentials counts those of the configuration in force by their state, one of those above.
	credentials func() map[string]int

	tokens                                              *prometheus.Desc
	sources, age, held                                  *prometheus.Desc
	hits, misses, evictions, declined, entries, inBytes *prometheus.Desc
}

func newStateCollector(engine *keys.Engine, cache func() decisions.Stats, credentials func() map[string]int) *stateCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("gatehouse_"+name, help, labels, nil)
	}
	return &stateCollector{
		keys: engine, cache: cache, credentials: credentials,
		tokens:    desc("credentials", "Providers of type JWTBearer and how their last attempt to get a token went: pending (nobody has asked for it), ready or failing.", "state"),
		sources:   desc("jwks_sources", "Key sets by URL and how their last fetch went: pending (no request has needed it), ready or failing.", "state"),
		age:       desc("jwks_age_seconds", "Age of the oldest key set that serves, 0 without any. One that nobody asks for is not refreshed."),
		held:      desc("jwks_keys", "Keys of all key sets that serve."),
		hits:      desc("decision_cache_hits_total", "Requests whose decision was remembered; whether it still holds is checked each time."),
		misses:    desc("decision_cache_misses_total", "Requests whose decision was not remembered."),
		evictions: desc("decision_cache_evictions_total", "Decisions forgotten to make room."),
		declined:  desc("decision_cache_declined_total", "Decisions not remembered, most of them because the token came for the first time."),
		entries:   desc("decision_cache_entries", "Decisions remembered."),
		inBytes:   desc("decision_cache_bytes", "Memory of the decisions remembered."),
	}
}

// Describe sends all descriptions.
func (c *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.tokens, c.sources, c.age, c.held, c.hits, c.misses, c.evictions, c.declined, c.entries, c.inBytes} {
		ch <- d
	}
}

// Collect sends all values.
func (c *stateCollector) Collect(ch chan<- prometheus.Metric) {
	c.collectKeys(ch)
	for state, n := range c.credentials() {
		ch <- prometheus.MustNewConstMetric(c.tokens, prometheus.GaugeValue, float64(n), state)
	}
	stats := c.cache()
	for _, row := range []struct {
		desc  *prometheus.Desc
		kind  prometheus.ValueType
		value float64
	}{
		{c.hits, prometheus.CounterValue, float64(stats.Hits)},
		{c.misses, prometheus.CounterValue, float64(stats.Misses)},
		{c.evictions, prometheus.CounterValue, float64(stats.Evictions)},
		{c.declined, prometheus.CounterValue, float64(stats.Declined)},
		{c.entries, prometheus.GaugeValue, float64(stats.Entries)},
		{c.inBytes, prometheus.GaugeValue, float64(stats.Bytes)},
	} {
		ch <- prometheus.MustNewConstMetric(row.desc, row.kind, row.value)
	}
}

func (c *stateCollector) collectKeys(ch chan<- prometheus.Metric) {
	states := map[string]float64{sourcePending: 0, sourceReady: 0, sourceFailing: 0}
	var oldest time.Duration
	held := 0
	for _, status := range c.keys.All() {
		switch {
		case status.Ready:
			states[sourceReady]++
		case status.Fetched:
			states[sourceFailing]++
		default:
			states[sourcePending]++
		}
		oldest = max(oldest, status.Age)
		held += status.Keys
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(c.sources, prometheus.GaugeValue, n, state)
	}
	ch <- prometheus.MustNewConstMetric(c.age, prometheus.GaugeValue, oldest.Seconds())
	ch <- prometheus.MustNewConstMetric(c.held, prometheus.GaugeValue, float64(held))
}
