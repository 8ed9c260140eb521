// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// resultOf is the value of the label result.
func resultOf(d *policy.Decision) string {
	switch d.Status {
	case http.StatusOK:
		return resultAllowed
	case http.StatusForbidden:
		return resultForbidden
	case http.StatusServiceUnavailable:
		return resultUnavailable
	}
	return resultRefused
}

// verifyCounters counts the decisions that one protocol asked for. A series is looked up by its labels once; from then
// on it is found in a table that is read without a lock. The table is bounded as its labels are: by the constants that
// they come from.
type verifyCounters struct {
	protocol string
	vec      *prometheus.CounterVec

	mu    sync.Mutex // held to change known
	known atomic.Pointer[map[verifyKey]prometheus.Counter]
}

type verifyKey struct {
	status    int
	reason    token.Reason
	algorithm string
}

func (m *metrics) verifyCounters(protocol string) *verifyCounters {
	c := &verifyCounters{protocol: protocol, vec: m.verify}
	c.known.Store(&map[verifyKey]prometheus.Counter{})
	return c
}

func (c *verifyCounters) count(d *policy.Decision) {
	key := verifyKey{d.Status, d.Reason, d.Algorithm}
	counter, ok := (*c.known.Load())[key]
	if !ok {
		counter = c.learn(key, resultOf(d))
	}
	counter.Inc()
}

func (c *verifyCounters) learn(key verifyKey, result string) prometheus.Counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	counter := c.vec.WithLabelValues(c.protocol, result, string(key.reason), key.algorithm)
	next := maps.Clone(*c.known.Load())
	next[key] = counter
	c.known.Store(&next)
	return counter
}
