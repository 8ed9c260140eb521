// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// startCaddy runs Caddy with the page's configuration and returns its address.
func startCaddy(t *testing.T, l *lab) string {
	t.Helper()
	return startCaddyWith(t, l, func(site string) string { return site })
}

// startCaddyWith does so with a configuration that is changed before.
func startCaddyWith(t *testing.T, l *lab, change func(site string) string) string {
	t.Helper()
	address := freeAddress(t)
	runCaddy(t, address, place(t, change(block(t, "caddy.md", "caddyfile")), map[string]string{pageAuth: l.auth.address, pageApp: l.app.address, ":8000 {": l.caddySite(address)}))
	return address
}

// startPublicCaddy runs Caddy with the page's public host, and returns its address.
func startPublicCaddy(t *testing.T, l *lab) string {
	t.Helper()
	address := freeAddress(t)
	runCaddy(t, address, place(t, public(t, "caddy.md", "caddyfile"), map[string]string{pageAuth: l.auth.address, "auth.example.com {": l.caddySite(address)}))
	return address
}

// runCaddy runs Caddy with a site that listens at the address.
func runCaddy(t *testing.T, address, site string) {
	t.Helper()
	build := exec.Command("./caddy/build")
	build.Stderr = os.Stderr
	program, err := build.Output()
	if err != nil {
		t.Fatalf("building Caddy: %v", err)
	}
	file := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(file, []byte("{\n\tadmin off\n\tauto_https off\n}\n\n"+site), 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, address, strings.TrimSpace(string(program)), "run", "--adapter", "caddyfile", "--config", file)
}

// caddySite is how Caddy's site begins that listens at a loopback address, with TLS where the lab has a certificate.
func (l *lab) caddySite(address string) string {
	site := address[strings.LastIndex(address, ":"):] + " {\n\tbind 127.0.0.1"
	if l.certificate == "" {
		return site
	}
	return "https://" + site + "\n\ttls " + l.certificate + " " + l.key
}
