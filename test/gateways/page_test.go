// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pages = "../../docs/gateways"

// block returns the first fenced block of that language on a page of docs/gateways: the whole configuration. addition is the second, lines to put into it for policies with
// an upstreamCredential, and public the third: the host where people log in.
func block(t *testing.T, page, language string) string { return blocks(t, page, language)[0] }

func addition(t *testing.T, page, language string) string { return blocks(t, page, language)[1] }

func public(t *testing.T, page, language string) string { return blocks(t, page, language)[2] }

func blocks(t *testing.T, page, language string) [3]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pages, page))
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "\n```"+language+"\n")
	if len(parts) != 4 {
		t.Fatalf("%s has %d blocks of %s, want three", page, len(parts)-1, language)
	}
	var found [3]string
	for i, part := range parts[1:] {
		config, _, closed := strings.Cut(part, "\n```\n")
		if !closed {
			t.Fatalf("%s: a block does not end", page)
		}
		found[i] = config + "\n"
	}
	return found
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
