// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSpread guards that a burst misses the target, and an even spread meets it.
func TestSpread(t *testing.T) {
	even, burst := make([]float64, 1000), make([]float64, 1000)
	for i := range even {
		even[i], burst[i] = 0.8+float64(i)/10_000, 0.95
	}
	if busiest, text := spread(even); busiest > 0.11 {
		t.Errorf("even: %v of %s", busiest, text)
	}
	if busiest, text := spread(burst); busiest != 1 || text != "0 0 0 0 0 0 0 0 0 1000" {
		t.Errorf("a burst: %v of %s", busiest, text)
	}
}

// TestEndpoint guards that renewals are counted by provider, and the parts of a life in between.
func TestEndpoint(t *testing.T) {
	e, err := startEndpoint(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.stop)
	come := func(subject string) {
		t.Helper()
		assertion := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+subject+`"}`)) + ".x"
		answer, err := http.PostForm(e.url, url.Values{"assertion": {assertion}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || !strings.Contains(string(body), `"expires_in":60`) {
			t.Fatalf("%s, %v", body, err)
		}
	}
	for _, subject := range []string{"p0", "p1", "p0"} {
		come(subject)
	}
	if parts, all := e.renewals(2); len(parts) != 1 || parts[0] < 0 || all {
		t.Errorf("%v, all %v", parts, all)
	}
	come("p1")
	if _, all := e.renewals(2); !all {
		t.Error("not all")
	}
}

// TestUsage guards the exit code of wrong usage.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-providers", "1"}, {"-lifetime", "1500ms"}, {"more"}, {"-nothing"}} {
		if code := command(context.Background(), args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%v: %d", args, code)
		}
	}
}
