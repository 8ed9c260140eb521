// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/stats"
)

// report is the whole output; its JSON form is what `-o json` prints.
type report struct {
	Machine   machine  `json:"machine"`
	Settings  settings `json:"settings"`
	Scenarios []result `json:"scenarios"`
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
	Subject string        `json:"subject"`
	Floor   figures       `json:"floor"`
	Ours    figures       `json:"ours"`
	Ratio   stats.Summary `json:"ratio"` // of CPU time per request, floor/ours: higher is better
	Target  float64       `json:"target,omitempty"`
	Latency *latency      `json:"latency,omitempty"`
	Memory  memory        `json:"memory"`
}

// figures are medians over the windows of one server.
type figures struct {
	CPUMicros float64 `json:"cpuMicrosPerRequest"`
	PerSecond float64 `json:"requestsPerSecond"`
	CoreShare float64 `json:"coreShare"` // CPU time per wall time. A closed loop far below 1: something else used the core
}

type latency struct {
	Floor percentiles   `json:"floor"`
	Ours  percentiles   `json:"ours"`
	P99   stats.Summary `json:"p99Ratio"` // of the pairs' 99th percentiles, ours/floor: lower is better
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

// summarize turns the windows of a scenario into its row.
func (b *bench) summarize(s scenario, floor, ours *side, m memory) (result, error) {
	cpu := func(r load.Result) float64 { return r.CPUPerRequest() }
	ratios, err := stats.Ratios(each(floor, cpu), each(ours, cpu))
	if err != nil {
		return result{}, err
	}
	r := result{Name: s.name, Subject: s.subject, Floor: median(floor), Ours: median(ours), Ratio: stats.Summarize(ratios), Target: s.target, Memory: m}
	if !s.latency {
		return r, nil
	}
	p99 := func(r load.Result) float64 { return millis(r.Latency.Percentile(99)) }
	ratios, err = stats.Ratios(each(ours, p99), each(floor, p99))
	r.Latency = &latency{Floor: overall(floor), Ours: overall(ours), P99: stats.Summarize(ratios)}
	return r, err
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

// missed names the scenarios whose median ratio is below its target, if the run is long enough to be judged by.
func (r *report) missed() (names []string) {
	for _, s := range r.Scenarios {
		if r.Settings.Judged && s.Ratio.Median < s.Target {
			names = append(names, s.Name)
		}
	}
	return names
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
	fmt.Fprintln(to, "\nCPU time per request; floor/ours is the figure, higher is better")
	t := newTable(to, "", "floor µs", "ours µs", "floor req/s", "ours req/s", "ours on core", "floor/ours", "quartiles", "target")
	for _, s := range r.Scenarios {
		t.row("%s\t%.1f\t%.1f\t%.0f\t%.0f\t%.0f %%\t%.2f\t%.2f–%.2f\t%s", s.Name, s.Floor.CPUMicros, s.Ours.CPUMicros, s.Floor.PerSecond,
			s.Ours.PerSecond, 100*s.Ours.CoreShare, s.Ratio.Median, s.Ratio.Q1, s.Ratio.Q3, s.verdict(r.Settings.Judged))
	}
	t.flush()
	fmt.Fprintln(to, "\nLatency in ms, open loop at half of the own maximum")
	t = newTable(to, "", "floor p50", "floor p99", "floor max", "ours p50", "ours p99", "ours max", "p99 ours/floor", "quartiles")
	for _, s := range r.Scenarios {
		if l := s.Latency; l != nil {
			t.row("%s\t%.3f\t%.3f\t%.1f\t%.3f\t%.3f\t%.1f\t%.2f\t%.2f–%.2f", s.Name, l.Floor.P50, l.Floor.P99, l.Floor.Max,
				l.Ours.P50, l.Ours.P99, l.Ours.Max, l.P99.Median, l.P99.Q1, l.P99.Q3)
		}
	}
	t.flush()
	fmt.Fprintln(to, "\nMemory of the subject in MiB, and its start")
	t = newTable(to, "", "ready ms", "idle VmRSS", "idle RssAnon", "loaded VmRSS", "loaded RssAnon", "peak VmRSS")
	for _, s := range r.Scenarios {
		m := s.Memory
		t.row("%s\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f", s.Name, m.ReadyMillis, mib(m.Idle.Resident), mib(m.Idle.Anonymous),
			mib(m.Loaded.Resident), mib(m.Loaded.Anonymous), mib(m.Loaded.Peak))
	}
	t.flush()
	_, err := io.WriteString(w, to.String())
	return err
}

func (s result) verdict(judged bool) string {
	switch {
	case s.Target == 0:
		return "–"
	case !judged:
		return fmt.Sprintf("≥ %.2f not judged", s.Target)
	case s.Ratio.Median < s.Target:
		return fmt.Sprintf("≥ %.2f MISSED", s.Target)
	}
	return fmt.Sprintf("≥ %.2f met", s.Target)
}

func mib(bytes uint64) float64 { return float64(bytes) / (1 << 20) }
