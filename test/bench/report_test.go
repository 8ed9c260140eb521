// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/stats"
)

func sideOf(cpuMicros, latencyMillis []int) *side {
	s := &side{}
	for i, us := range cpuMicros {
		h := &load.Histogram{}
		h.Add(time.Duration(latencyMillis[i]) * time.Millisecond)
		s.windows = append(s.windows, load.Result{Requests: 1000, Elapsed: time.Second, CPU: time.Duration(us) * time.Millisecond, Latency: h})
	}
	return s
}

func TestSummarizePairs(t *testing.T) {
	b := &bench{}
	floor, ours := sideOf([]int{40, 80, 40}, []int{1, 2, 3}), sideOf([]int{50, 80, 80}, []int{2, 2, 9})
	got, err := b.summarize(scenario{name: "n", target: 0.65, latency: true}, floor, ours, memory{})
	if err != nil {
		t.Fatal(err)
	}
	want := result{
		Name: "n", Target: 0.65,
		Floor: figures{CPUMicros: 40, PerSecond: 1000, CoreShare: 0.04}, Ours: figures{CPUMicros: 80, PerSecond: 1000, CoreShare: 0.08},
		Ratio:   stats.Summary{Q1: 0.65, Median: 0.8, Q3: 0.9},
		Latency: &latency{Floor: percentiles{P50: 2, P99: 3, Max: 3}, Ours: percentiles{P50: 2, P99: 9, Max: 9}, P99: stats.Summary{Q1: 1.5, Median: 2, Q3: 2.5}},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 0.02*b+1e-9 && b-a < 0.02*b+1e-9 })); diff != "" {
		t.Error(diff)
	}
	ours.windows[1].CPU = 0
	if _, err := b.summarize(scenario{}, floor, ours, memory{}); err == nil {
		t.Error("a window without CPU time was accepted")
	}
}

func exampleReport(judged bool) *report {
	return &report{
		Machine:  machine{CPU: "Test CPU", Cores: 2, Kernel: "6.1", Go: "go1.26"},
		Settings: settings{Pairs: 9, WindowSeconds: 3, Connections: 32, GeneratorCore: 1, Judged: judged},
		Scenarios: []result{
			{Name: "slow", Floor: figures{40, 25000, 1}, Ours: figures{80, 12500, 0.99}, Ratio: stats.Summary{Q1: 0.49, Median: 0.5, Q3: 0.51}, Target: 0.65,
				Memory: memory{ReadyMillis: 20, Idle: process.Memory{Resident: 20 << 20, Anonymous: 5 << 20}, Loaded: process.Memory{Resident: 30 << 20, Anonymous: 15 << 20, Peak: 31 << 20}}},
			{Name: "good", Ratio: stats.Summary{Median: 0.7}, Target: 0.65},
			{Name: "for reference", Ratio: stats.Summary{Median: 0.1}},
		},
	}
}

func TestReportText(t *testing.T) {
	var b bytes.Buffer
	if err := exampleReport(true).write(&b, "text"); err != nil {
		t.Fatal(err)
	}
	want := `Test CPU, 2 cores, Linux 6.1, go1.26
server on core 0 with GOMAXPROCS=1, generator on core 1, 32 connections, 9 pairs of 3s

CPU time per request; floor/ours is the figure, higher is better
               floor µs  ours µs  floor req/s  ours req/s  ours on core  floor/ours  quartiles         target
slow               40.0     80.0        25000       12500          99 %        0.50  0.49–0.51  ≥ 0.65 MISSED
good                0.0      0.0            0           0           0 %        0.70  0.00–0.00     ≥ 0.65 met
for reference       0.0      0.0            0           0           0 %        0.10  0.00–0.00              –

Latency in ms, open loop at half of the own maximum
–

Memory of the subject in MiB, and its start
               ready ms  idle VmRSS  idle RssAnon  loaded VmRSS  loaded RssAnon  peak VmRSS
slow                 20        20.0           5.0          30.0            15.0        31.0
good                  0         0.0           0.0           0.0             0.0         0.0
for reference         0         0.0           0.0           0.0             0.0         0.0
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestReportJSON(t *testing.T) {
	var b bytes.Buffer
	if err := exampleReport(true).write(&b, "json"); err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(exampleReport(true), &back); diff != "" {
		t.Error(diff)
	}
}

func TestMissed(t *testing.T) {
	if diff := cmp.Diff([]string{"slow"}, exampleReport(true).missed()); diff != "" {
		t.Error(diff)
	}
	if missed := exampleReport(false).missed(); missed != nil {
		t.Errorf("a short run was judged: %q", missed)
	}
}

func TestCommandUsage(t *testing.T) {
	for _, tc := range []struct {
		args string
		code int
		says string
	}{
		{"-h", 0, "-pairs"},
		{"-pairs 0", 2, "-pairs 0: must be 1 to 1000"},
		{"-window 1ms", 2, "-window 1ms: must be 10ms to 1m"},
		{"-connections 0", 2, "-connections 0"},
		{"-o yaml", 2, "-o yaml: must be text or json"},
		{"-run (", 2, "-run:"},
		{"extra", 2, `unknown argument "extra"`},
		{"-nope", 2, "not defined: -nope"},
		{"-run no-such-scenario", 1, "no scenario has such a name"},
		{"floor -mode hmac", 2, `-mode "hmac": must be rsa, ecdsa or empty`},
		{"floor -listen nowhere", 1, "nowhere"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := command(t.Context(), strings.Fields(tc.args), &out, &errs)
			if code != tc.code || !strings.Contains(errs.String(), tc.says) || out.Len() > 0 {
				t.Errorf("exit code %d, want %d; standard error %q, want %q in it; standard output %q", code, tc.code, &errs, tc.says, &out)
			}
		})
	}
}
