// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/test/bench/internal/load"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/process"
	"github.com/gatehouse-auth/gatehouse/test/bench/internal/stats"
)

func sideOf(cpuMicros, latencyMillis []int) side {
	s := side{}
	for i, us := range cpuMicros {
		h := &load.Histogram{}
		h.Add(time.Duration(latencyMillis[i]) * time.Millisecond)
		s.windows = append(s.windows, load.Result{Requests: 1000, Elapsed: time.Second, CPU: time.Duration(us) * time.Millisecond, Latency: h})
	}
	return s
}

// TestSummarizePairs guards what is divided by what: a CPU ratio is better the higher it is, cost and p99 the lower.
func TestSummarizePairs(t *testing.T) {
	base, ours := sideOf([]int{40, 80, 40}, []int{1, 2, 3}), sideOf([]int{50, 80, 80}, []int{2, 2, 9})
	for figure, want := range map[figure]stats.Summary{
		figureCPU:  {Q1: 0.65, Median: 0.8, Q3: 0.9},
		figureCost: {Q1: 1.125, Median: 1.25, Q3: 1.625},
		figureP99:  {Q1: 1.5, Median: 2, Q3: 2.5},
	} {
		d := &duel{scenario: scenario{name: "n", target: 0.65, figure: figure}, base: base, subject: ours}
		got, err := d.summarize(memory{})
		if err != nil {
			t.Fatal(err)
		}
		want := result{Name: "n", Figure: figureNames[figure], Target: 0.65, Ratio: want,
			Base: figures{CPUMicros: 40, PerSecond: 1000, CoreShare: 0.04}, Subject: figures{CPUMicros: 80, PerSecond: 1000, CoreShare: 0.08}}
		if figure == figureP99 {
			want.Latency = &latency{Base: percentiles{P50: 2, P99: 3, Max: 3}, Subject: percentiles{P50: 2, P99: 9, Max: 9}}
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b float64) bool { return a-b < 0.02*b+1e-9 && b-a < 0.02*b+1e-9 })); diff != "" {
			t.Errorf("%s: %s", figureNames[figure], diff)
		}
	}
	ours.windows[1].CPU = 0
	if _, err := (&duel{base: base, subject: ours}).summarize(memory{}); err == nil {
		t.Error("a window without CPU time was accepted")
	}
}

func exampleReport(judged bool) *report {
	return &report{
		Machine:  machine{CPU: "Test CPU", Cores: 2, Kernel: "6.1", Go: "go1.26"},
		Settings: settings{Pairs: 9, WindowSeconds: 3, Connections: 32, GeneratorCore: 1, Judged: judged},
		Scenarios: []result{
			{Name: "slow", Figure: "cpu", Base: figures{40, 25000, 1}, Subject: figures{80, 12500, 0.99}, Ratio: stats.Summary{Q1: 0.49, Median: 0.5, Q3: 0.51}, Target: 0.65,
				Memory: memory{ReadyMillis: 20, Idle: process.Memory{Resident: 20 << 20, Anonymous: 5 << 20}, Loaded: process.Memory{Resident: 30 << 20, Anonymous: 15 << 20, Peak: 31 << 20}}},
			{Name: "good", Figure: "cpu", Ratio: stats.Summary{Median: 0.7}, Target: 0.65},
			{Name: "for reference", Figure: "cpu", Ratio: stats.Summary{Median: 0.1}},
			{Name: "dear", Figure: "cost", Ratio: stats.Summary{Median: 7}, Target: 5},
			{Name: "late", Figure: "p99", Ratio: stats.Summary{Median: 1.4}, Target: 1.5, Latency: &latency{}},
			{Name: "busy", Figure: "cpu", Ratio: stats.Summary{Median: 2}, Target: 1, Fetches: &fetchCount{Requests: 1000, Fetches: 3, Allowed: 2, Seconds: 60}},
		},
		Footprints: []occupancy{
			{Name: "small", Starts: 5, Is: occupied{ReadyMillis: 20, RssAnonMiB: 4, VMRSSMiB: 25}, Limits: occupied{ReadyMillis: 100, RssAnonMiB: 12}},
			{Name: "large", Starts: 5, Is: occupied{ReadyMillis: 2000, RssAnonMiB: 60, VMRSSMiB: 80, PerTenantKiB: 6}, Limits: occupied{ReadyMillis: 1000, PerTenantKiB: 4}},
		},
	}
}

func TestReportText(t *testing.T) {
	var b bytes.Buffer
	if err := exampleReport(true).write(&b, "text"); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/report.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
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
	if diff := cmp.Diff([]string{"slow", "dear", "busy", "large"}, exampleReport(true).missed()); diff != "" {
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
		{"-run no-such-scenario", 2, "nothing has such a name"},
		{"floor -mode hmac", 2, `-mode "hmac": must be rsa, ecdsa, empty or grpc`},
		{"floor -listen nowhere", 1, "nowhere"},
		{"keys -set nowhere.json", 2, "nowhere.json"},
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
