// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// series is a metric of ours in an expression, with what its labels must be.
	series = regexp.MustCompile(`\b(gatehouse_[a-z_]+)(?:\{([^}]*)\})?`)
	// matcher is one label of it and its value.
	matcher = regexp.MustCompile(`([a-z_]+)(?:=~|!=|=)"([^"]*)"`)
	// metricRow is a row of docs/telemetry.md.
	metricRow = regexp.MustCompile("(?m)^\\| `(gatehouse_[a-z_]+)` \\| ([^|]*) \\|")
)

// TestOperationsPageNamesMetrics guards the alerts of docs/operations.md: one on a metric, label or value that no server has would never fire. The
// table of docs/telemetry.md is what the code has, as TestTelemetryPage sees to.
func TestOperationsPageNamesMetrics(t *testing.T) {
	labels := map[string][]string{}
	for _, row := range metricRow.FindAllStringSubmatch(metricTable(t), -1) {
		labels[row[1]] = strings.Split(strings.ReplaceAll(row[2], "`", ""), ", ")
	}
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	found := series.FindAllStringSubmatch(string(page), -1)
	if len(found) < 15 || len(labels) < 15 {
		t.Fatalf("only %d uses of %d metrics were found", len(found), len(labels))
	}
	values := literals(t)
	for _, use := range found {
		name := use[1]
		if _, known := labels[name]; !known {
			name = regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
		}
		known, ok := labels[name]
		if !ok {
			t.Errorf("there is no metric %s", use[1])
		}
		for _, m := range matcher.FindAllStringSubmatch(use[2], -1) {
			if ok && !slices.Contains(known, m[1]) {
				t.Errorf("%s has no label %s", use[1], m[1])
			}
			if !values[m[2]] {
				t.Errorf("%s: no server says %s=%q", use[1], m[1], m[2])
			}
		}
	}
}

// literals are the strings of the server's code.
func literals(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, pattern := range []string{"*.go", "login/*.go", "policy/*.go", "token/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, literal := range regexp.MustCompile(`"([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
				all[literal[1]] = true
			}
		}
	}
	return all
}
