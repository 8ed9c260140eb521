// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// otherTenants is the label tenant of all tenants without series of their own. No tenant can be called so.
const otherTenants = "_other"

// tenantSeries counts decisions by tenant: the first tenants that requests come for, of those with a policy and up to the
// configured number, each have series of their own; all others, and organizations without a policy, are summed. A tenant
// whose policy goes loses its series and makes room. Requests that came to no tenant are not counted here.
type tenantSeries struct {
	vec   *prometheus.CounterVec // tenant, result
	other *tenantCounters

	mu     sync.Mutex // held to change places, and for what follows
	order  []string   // of places, as they were taken
	set    *policy.Set
	limit  int
	places atomic.Pointer[map[string]*tenantCounters]
	full   atomic.Bool
}

// tenantCounters are the series of one tenant.
type tenantCounters struct {
	allowed, refused, forbidden, unavailable prometheus.Counter
}

func newTenantSeries() *tenantSeries {
	t := &tenantSeries{vec: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_tenant_verify_total",
		Help: "Decisions by tenant and result. Tenants beyond monitoring.tenantSeries are summed as _other."}, []string{"tenant", "result"})}
	t.other = t.counters(otherTenants)
	t.places.Store(&map[string]*tenantCounters{})
	t.full.Store(true)
	return t
}

func (t *tenantSeries) counters(tenant string) *tenantCounters {
	return &tenantCounters{
		allowed: t.vec.WithLabelValues(tenant, resultAllowed), refused: t.vec.WithLabelValues(tenant, resultRefused),
		forbidden: t.vec.WithLabelValues(tenant, resultForbidden), unavailable: t.vec.WithLabelValues(tenant, resultUnavailable),
	}
}

func (t *tenantSeries) count(d *policy.Decision) {
	if d.Tenant == "" {
		return
	}
	c := (*t.places.Load())[d.Tenant]
	if c == nil {
		if c = t.other; !t.full.Load() {
			c = t.take(d.Tenant)
		}
	}
	switch resultOf(d) {
	case resultAllowed:
		c.allowed.Inc()
	case resultForbidden:
		c.forbidden.Inc()
	case resultUnavailable:
		c.unavailable.Inc()
	default:
		c.refused.Inc()
	}
}

// take gives a tenant a place, if it has a policy and there is room.
func (t *tenantSeries) take(tenant string) *tenantCounters {
	t.mu.Lock()
	defer t.mu.Unlock()
	places := *t.places.Load()
	if c := places[tenant]; c != nil {
		return c
	}
	if len(places) >= t.limit || t.set.Policy(tenant) == nil {
		return t.other
	}
	next := maps.Clone(places)
	c := t.counters(tenant)
	next[tenant] = c
	t.order = append(t.order, tenant)
	t.publish(next)
	return c
}

// use takes another configuration into account. Tenants that have a place keep it while they have a policy; of more than
// there is room for, those that took theirs last lose it.
func (t *tenantSeries) use(set *policy.Set, limit int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set, t.limit = set, limit
	next := maps.Clone(*t.places.Load())
	kept := 0
	t.order = slices.DeleteFunc(t.order, func(tenant string) bool {
		if kept < limit && set.Policy(tenant) != nil {
			kept++
			return false
		}
		delete(next, tenant)
		t.vec.DeletePartialMatch(prometheus.Labels{"tenant": tenant})
		return true
	})
	t.publish(next)
}

func (t *tenantSeries) publish(places map[string]*tenantCounters) {
	t.places.Store(&places)
	t.full.Store(len(places) >= t.limit)
}
