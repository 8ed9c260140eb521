// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pages = "../../docs/gateways"

// block returns the one fenced block of that language on a page of docs/gateways.
func block(t *testing.T, page, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n```"+language+"\n")
	config, rest, closed := strings.Cut(rest, "\n```\n")
	if !found || !closed || strings.Contains(rest, "\n```"+language+"\n") {
		t.Fatalf("%s must have exactly one block of %s", page, language)
	}
	return config + "\n"
}

// place puts this test's addresses into a page's configuration, each in the place of one that must be there once.
func place(t *testing.T, config string, addresses map[string]string) string {
	t.Helper()
	for old, address := range addresses {
		if n := strings.Count(config, old); n != 1 {
			t.Fatalf("the page has %q %d times, want once", old, n)
		}
		config = strings.Replace(config, old, address, 1)
	}
	return config
}

// The addresses on the pages.
const (
	pageAuth = "gatehouse-default.default.svc.cluster.local:8080"
	pageApp  = "app.default.svc.cluster.local:3000"
)
