// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/stats"
)

// footprint is one row about a server that nobody asks: what it occupies, and how soon it was ready.
type footprint struct {
	name   string
	site   string
	limits occupied // 0 = no limit
}

// occupied is what a server occupies.
type occupied struct {
	ReadyMillis float64 `json:"readyMillis"`
	RssAnonMiB  float64 `json:"rssAnonMiB"`
	VMRSSMiB    float64 `json:"vmRSSMiB"`
	// PerTenantKiB is of RssAnon, for each tenant but the first.
	PerTenantKiB float64 `json:"perTenantKiB,omitempty"`
}

// footprints begin with the server of one tenant, to which the others are compared.
var footprints = []footprint{
	{name: "footprint: one tenant", site: siteRS256, limits: occupied{ReadyMillis: 100, RssAnonMiB: 12, VMRSSMiB: 32}},
	{name: "footprint: 10,000 tenants", site: siteMany, limits: occupied{ReadyMillis: 1000, PerTenantKiB: 4}},
}

// footprintStarts is how often a server is started for its row. A start that something else disturbed is outvoted.
const footprintStarts = 5

// occupancy is the outcome of a footprint: medians of several starts.
type occupancy struct {
	Name   string   `json:"name"`
	Starts int      `json:"starts"`
	Is     occupied `json:"is"`
	Limits occupied `json:"limits"`
}

// runFootprint starts the server of a footprint several times. The start of a server without tenants to speak of, which
// it compares with, is measured along.
func (b *bench) runFootprint(ctx context.Context, f footprint) (occupancy, error) {
	o := occupancy{Name: f.name, Starts: min(b.pairs, footprintStarts), Limits: f.limits}
	least, err := b.occupied(ctx, footprints[0].site, o.Starts)
	if err != nil {
		return o, err
	}
	o.Is = least
	if f.site == footprints[0].site {
		return o, nil
	}
	if o.Is, err = b.occupied(ctx, f.site, o.Starts); err != nil {
		return o, err
	}
	site, err := b.site(ctx, f.site)
	if err != nil {
		return o, err
	}
	o.Is.PerTenantKiB = (o.Is.RssAnonMiB - least.RssAnonMiB) * 1024 / float64(len(site.tenants)-1)
	return o, nil
}

// occupied starts the server of a site n times.
func (b *bench) occupied(ctx context.Context, name string, n int) (occupied, error) {
	site, err := b.site(ctx, name)
	if err != nil {
		return occupied{}, err
	}
	var ready, anonymous, resident []float64
	for i := range n {
		took, m, err := b.startOnce(ctx, site)
		if err != nil {
			return occupied{}, err
		}
		ready = append(ready, millis(took))
		anonymous = append(anonymous, mib(m.Anonymous))
		resident = append(resident, mib(m.Resident))
		_, _ = fmt.Fprintf(b.progress, "%s: start %d of %d: ready after %.0f ms, RssAnon %.1f MiB\n", name, i+1, n, ready[i], anonymous[i])
	}
	median := func(values []float64) float64 { return stats.Summarize(values).Median }
	return occupied{ReadyMillis: median(ready), RssAnonMiB: median(anonymous), VMRSSMiB: median(resident)}, nil
}

func (b *bench) startOnce(ctx context.Context, d *deployed) (took time.Duration, m process.Memory, err error) {
	server, err := b.deploy.start(ctx, b.cores[0], d.volume)
	if err != nil {
		return 0, m, err
	}
	defer server.Stop()
	m, err = b.settledMemory(ctx, server)
	return server.Took, m, err
}

// verdict names the limits that are exceeded, "met" if there are none.
func (o occupancy) verdict() string {
	verdict := ""
	for _, row := range []struct {
		what      string
		is, limit float64
	}{
		{"ready", o.Is.ReadyMillis, o.Limits.ReadyMillis},
		{"RssAnon", o.Is.RssAnonMiB, o.Limits.RssAnonMiB},
		{"VmRSS", o.Is.VMRSSMiB, o.Limits.VMRSSMiB},
		{"per tenant", o.Is.PerTenantKiB, o.Limits.PerTenantKiB},
	} {
		if row.limit > 0 && row.is > row.limit {
			verdict += row.what + " MISSED "
		}
	}
	if verdict == "" {
		return "met"
	}
	return verdict[:len(verdict)-1]
}
