// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/stats"
)

// report is the whole output; its JSON form is what `-o json` prints.
type report struct {
	Machine    machine     `json:"machine"`
	Settings   settings    `json:"settings"`
	Scenarios  []result    `json:"scenarios"`
	Footprints []occupancy `json:"footprints"`
}

type settings struct {
	Pairs         int     `json:"pairs"`
	WindowSeconds float64 `json:"windowSeconds"`
	Connections   int     `json:"connections"`
	ServerCore    int     `json:"serverCore"`
	GeneratorCore int     `json:"generatorCore"`
	Judged        bool    `json:"judged"` // enough pairs, long enough, for targets to count
}

// result is one row.
type result struct {
	Name    string        `json:"name"`
	Figure  string        `json:"figure"` // what Ratio is about: cpu, cost or p99
	Base    figures       `json:"base"`
	Subject figures       `json:"subject"`
	Ratio   stats.Summary `json:"ratio"`
	Target  float64       `json:"target,omitempty"` // the least Ratio for cpu, the largest for cost and p99
	Latency *latency      `json:"latency,omitempty"`
	Fetches *fetchCount   `json:"fetches,omitempty"`
	Memory  memory        `json:"memory"`
}

// figures are medians over the windows of one server.
type figures struct {
	CPUMicros float64 `json:"cpuMicrosPerRequest"`
	PerSecond float64 `json:"requestsPerSecond"`
	CoreShare float64 `json:"coreShare"` // CPU time per wall time. A closed loop far below 1: something else used the core
}

type latency struct {
	Base    percentiles `json:"base"`
	Subject percentiles `json:"subject"`
}

// percentiles are over all windows together, in milliseconds.
type percentiles struct {
	P50 float64 `json:"p50Millis"`
	P99 float64 `json:"p99Millis"`
	Max float64 `json:"maxMillis"`
}

type memory struct {
	ReadyMillis float64        `json:"readyMillis"` // from start to the ready line
	Idle        process.Memory `json:"idle"`
	Loaded      process.Memory `json:"loaded"`
}

func (b *bench) settings() settings {
	return settings{Pairs: b.pairs, WindowSeconds: b.window.Seconds(), Connections: b.connections, ServerCore: b.cores[0],
		GeneratorCore: b.cores[1], Judged: b.pairs >= fullPairs && b.window >= fullWindow}
}

var figureNames = [...]string{figureCPU: "cpu", figureCost: "cost", figureP99: "p99"}

// value is what of a window the figure is made of.
func (f figure) value(r load.Result) float64 {
	if f == figureP99 {
		return millis(r.Latency.Percentile(99))
	}
	return r.CPUPerRequest()
}

// ratioOf is the figure of one pair.
func (d *duel) ratioOf(base, subject load.Result) float64 {
	if d.figure == figureCPU {
		return d.figure.value(base) / d.figure.value(subject)
	}
	return d.figure.value(subject) / d.figure.value(base)
}

// summarize turns the windows of a scenario into its row.
func (d *duel) summarize(m memory) (result, error) {
	above, below := each(&d.base, d.figure.value), each(&d.subject, d.figure.value)
	if d.figure != figureCPU {
		above, below = below, above
	}
	ratios, err := stats.Ratios(above, below)
	if err != nil {
		return result{}, err
	}
	r := result{Name: d.name, Figure: figureNames[d.figure], Base: median(&d.base), Subject: median(&d.subject), Ratio: stats.Summarize(ratios), Target: d.target, Memory: m}
	if d.figure == figureP99 {
		r.Latency = &latency{Base: overall(&d.base), Subject: overall(&d.subject)}
	}
	return r, nil
}

func each(s *side, value func(load.Result) float64) []float64 {
	list := make([]float64, len(s.windows))
	for i, w := range s.windows {
		list[i] = value(w)
	}
	return list
}

func median(s *side) figures {
	return figures{
		CPUMicros: stats.Summarize(each(s, load.Result.CPUPerRequest)).Median,
		PerSecond: stats.Summarize(each(s, load.Result.PerSecond)).Median,
		CoreShare: stats.Summarize(each(s, func(r load.Result) float64 { return r.CPU.Seconds() / r.Elapsed.Seconds() })).Median,
	}
}

func overall(s *side) percentiles {
	var h load.Histogram
	for _, w := range s.windows {
		h.Merge(w.Latency)
	}
	at := func(p float64) float64 { return float64(h.Percentile(p)) / float64(time.Millisecond) }
	return percentiles{P50: at(50), P99: at(99), Max: at(100)}
}

// missed names the rows whose target is missed, if the run is long enough to be judged by.
func (r *report) missed() (names []string) {
	if !r.Settings.Judged {
		return nil
	}
	for _, s := range r.Scenarios {
		if s.misses() {
			names = append(names, s.Name)
		}
	}
	for _, f := range r.Footprints {
		if f.verdict() != "met" {
			names = append(names, f.Name)
		}
	}
	return names
}

// misses tells whether the row's median or its fetches are on the wrong side.
func (s result) misses() bool {
	if s.Fetches != nil && s.Fetches.Fetches > s.Fetches.Allowed {
		return true
	}
	if s.Figure == figureNames[figureCPU] {
		return s.Ratio.Median < s.Target
	}
	return s.Target > 0 && s.Ratio.Median > s.Target
}

func (r *report) write(w io.Writer, format string) error {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.writeText(w)
}

func (r *report) writeText(w io.Writer) error {
	to := &strings.Builder{}
	fmt.Fprintf(to, "%s\nserver on core %d with GOMAXPROCS=1, generator on core %d, %d connections, %d pairs of %gs\n",
		r.Machine, r.Settings.ServerCore, r.Settings.GeneratorCore, r.Settings.Connections, r.Settings.Pairs, r.Settings.WindowSeconds)
	r.writeCPU(to)
	r.writeCost(to)
	r.writeLatency(to)
	r.writeFetches(to)
	r.writeMemory(to)
	_, err := io.WriteString(w, to.String())
	return err
}

// of yields the rows of a figure.
func (r *report) of(f figure) iter.Seq[result] {
	return func(yield func(result) bool) {
		for _, s := range r.Scenarios {
			if s.Figure == figureNames[f] && !yield(s) {
				return
			}
		}
	}
}

func (r *report) writeCPU(to *strings.Builder) {
	fmt.Fprintln(to, "\nCPU time per request; base/ours is the figure, higher is better")
	t := newTable(to, "", "base µs", "ours µs", "base req/s", "ours req/s", "ours on core", "base/ours", "quartiles", "target")
	for s := range r.of(figureCPU) {
		t.row("%s\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f %%\t%.2f\t%.2f–%.2f\t%s", s.Name, s.Base.CPUMicros, s.Subject.CPUMicros, s.Base.PerSecond,
			s.Subject.PerSecond, 100*s.Subject.CoreShare, s.Ratio.Median, s.Ratio.Q1, s.Ratio.Q3, s.verdict(r.Settings.Judged))
	}
	t.flush()
}

func (r *report) writeCost(to *strings.Builder) {
	fmt.Fprintln(to, "\nWhat one hostile request costs, in requests with a distinct RS256 token; lower is better")
	t := newTable(to, "", "ordinary µs", "hostile µs", "times", "quartiles", "limit")
	for s := range r.of(figureCost) {
		t.row("%s\t%.1f\t%.1f\t%.1f\t%.1f–%.1f\t%s", s.Name, s.Base.CPUMicros, s.Subject.CPUMicros, s.Ratio.Median, s.Ratio.Q1, s.Ratio.Q3,
			s.verdict(r.Settings.Judged))
	}
	t.flush()
}

func (r *report) writeLatency(to *strings.Builder) {
	fmt.Fprintln(to, "\nLatency in ms, open loop at half of the own maximum")
	t := newTable(to, "", "req/s", "base p50", "base p99", "base max", "ours p50", "ours p99", "ours max", "p99 ours/base", "quartiles", "target")
	for s := range r.of(figureP99) {
		l := s.Latency
		t.row("%s\t%.0f\t%.3f\t%.3f\t%.1f\t%.3f\t%.3f\t%.1f\t%.2f\t%.2f–%.2f\t%s", s.Name, s.Subject.PerSecond, l.Base.P50, l.Base.P99, l.Base.Max,
			l.Subject.P50, l.Subject.P99, l.Subject.Max, s.Ratio.Median, s.Ratio.Q1, s.Ratio.Q3, s.verdict(r.Settings.Judged))
	}
	t.flush()
}

func (r *report) writeFetches(to *strings.Builder) {
	fmt.Fprintln(to, "\nFetches of keys, after the first")
	t := newTable(to, "", "requests", "seconds", "fetches", "allowed")
	for _, s := range r.Scenarios {
		if f := s.Fetches; f != nil {
			t.row("%s\t%d\t%.0f\t%d\t%d", s.Name, f.Requests, f.Seconds, f.Fetches, f.Allowed)
		}
	}
	t.flush()
}

func (r *report) writeMemory(to *strings.Builder) {
	fmt.Fprintln(to, "\nMemory in MiB before and after the load, and the start")
	t := newTable(to, "", "ready ms", "idle VmRSS", "idle RssAnon", "loaded VmRSS", "loaded RssAnon", "peak VmRSS")
	for _, s := range r.Scenarios {
		m := s.Memory
		t.row("%s\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f", s.Name, m.ReadyMillis, mib(m.Idle.Resident), mib(m.Idle.Anonymous),
			mib(m.Loaded.Resident), mib(m.Loaded.Anonymous), mib(m.Loaded.Peak))
	}
	t.flush()
	fmt.Fprintln(to, "\nFootprint of a server that nobody asks, medians; limits in brackets, 0 = none")
	t = newTable(to, "", "ready ms", "RssAnon MiB", "VmRSS MiB", "KiB a further tenant", "limits")
	for _, f := range r.Footprints {
		verdict := f.verdict()
		if !r.Settings.Judged {
			verdict = "not judged"
		}
		t.row("%s\t%.0f (%.0f)\t%.1f (%.0f)\t%.1f (%.0f)\t%.2f (%.0f)\t%s", f.Name, f.Is.ReadyMillis, f.Limits.ReadyMillis, f.Is.RssAnonMiB, f.Limits.RssAnonMiB,
			f.Is.VMRSSMiB, f.Limits.VMRSSMiB, f.Is.PerTenantKiB, f.Limits.PerTenantKiB, verdict)
	}
	t.flush()
}

func (s result) verdict(judged bool) string {
	sign := "≤"
	if s.Figure == figureNames[figureCPU] {
		sign = "≥"
	}
	verdict := "met"
	switch {
	case s.Target == 0:
		return "–"
	case !judged:
		verdict = "not judged"
	case s.misses():
		verdict = "MISSED"
	}
	return fmt.Sprintf("%s %.2f %s", sign, s.Target, verdict)
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }
