// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// deployed is a site with its rendered files.
type deployed struct {
	*site
	volume  *volume
	changed bool // the volume has a second state
	reloads int  // that the server had counted before the first swap
	swaps   int  // of the volume at that time
}

// site returns a site, made when it is first asked for.
func (b *bench) site(ctx context.Context, name string) (*deployed, error) {
	if d := b.sites[name]; d != nil {
		return d, nil
	}
	s, err := newSite(ctx, b, name)
	if err != nil {
		return nil, fmt.Errorf("making site %q: %w", name, err)
	}
	d := &deployed{site: s}
	if b.sites == nil {
		b.sites = map[string]*deployed{}
	}
	b.sites[name] = d
	if d.volume, err = b.deploy.mount(ctx, s); err != nil {
		return nil, fmt.Errorf("making site %q: %w", name, err)
	}
	return d, nil
}

// close ends what belongs to the sites.
func (b *bench) close() {
	for _, d := range b.sites {
		d.close()
	}
}

// fetchCount is how often a key server was asked, after the first time, and how often it may have been.
type fetchCount struct {
	Requests int     `json:"requests"` // of the windows that were measured
	Fetches  int     `json:"fetches"`
	Allowed  int     `json:"allowed"`
	Seconds  float64 `json:"seconds"` // from the first fetch to the count
}

// countFetches lets the server fetch its keys, and returns what counts how often it did since.
func (d *duel) countFetches(ctx context.Context) (func() (*fetchCount, error), error) {
	if d.scenario.fetches == fetchesUncounted {
		return func() (*fetchCount, error) { return nil, nil }, nil
	}
	list, err := distinct(d.subject.at.site, 1)
	if err != nil {
		return nil, err
	}
	before, err := d.subject.at.keys.fetches(ctx)
	if err != nil {
		return nil, err
	}
	if err := askOnce(ctx, d.subject.server.Ready.Listen, list[0]); err != nil {
		return nil, err
	}
	since := time.Now()
	at, err := d.subject.at.keys.fetches(ctx)
	if err != nil {
		return nil, err
	}
	if at != before+1 {
		return nil, fmt.Errorf("the first request caused %d fetches, want 1", at-before)
	}
	return func() (*fetchCount, error) {
		c := &fetchCount{Seconds: time.Since(since).Seconds()}
		now, err := d.subject.at.keys.fetches(ctx)
		c.Fetches = now - at
		if d.scenario.fetches == fetchesRare {
			c.Allowed = 1 + int(c.Seconds)/30
		}
		for _, w := range d.subject.windows {
			c.Requests += w.Requests
		}
		return c, err
	}, nil
}

// askOnce asks a server one question outside of any window.
func askOnce(ctx context.Context, address string, q question) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/verify/"+q.tenant, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+q.token)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != q.status {
		return fmt.Errorf("asking for the first time: status %d, want %d", response.StatusCode, q.status)
	}
	return nil
}

// prepareReloads writes the second state of the side's volume and notes how often the server has read its configuration.
func (d *duel) prepareReloads(ctx context.Context, at *side) (err error) {
	if !at.at.changed {
		other := *at.at.site
		other.changed = true
		if err := d.deploy.change(ctx, at.at.volume, &other); err != nil {
			return err
		}
		at.at.changed = true
	}
	at.at.swaps = at.at.volume.swaps
	at.at.reloads, err = d.reloads(ctx, at)
	return err
}

// checkReloads makes sure that the server has taken in every change: one that is slow to is not to pass for undisturbed.
func (d *duel) checkReloads(ctx context.Context) error {
	at := &d.subject
	if !at.reload {
		return nil
	}
	want, seen := at.at.volume.swaps-at.at.swaps, 0
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now, err := d.reloads(ctx, at)
		if err != nil {
			return err
		}
		if seen = now - at.at.reloads; seen >= want {
			return nil
		}
	}
	return fmt.Errorf("the configuration changed %d times and the server read it %d times", want, seen)
}

// reloads returns how many good configurations the server has read so far.
func (d *duel) reloads(ctx context.Context, at *side) (int, error) {
	const series = `gatehouse_config_reloads_total{result="good"} `
	body, err := get(ctx, "http://"+at.server.Ready.OpsListen+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(body) {
		if value, ok := bytes.CutPrefix(line, []byte(series)); ok {
			n, err := strconv.ParseFloat(string(bytes.TrimSpace(value)), 64)
			return int(n), err
		}
	}
	return 0, fmt.Errorf("reading metrics: no series %s", series)
}
