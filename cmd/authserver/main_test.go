// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// write puts the smallest configuration there is into a directory.
func write(t *testing.T, dir string) {
	t.Helper()
	base := &config.Base{Version: config.Version, Server: "default/default", ExternalURL: "https://auth.example", Store: config.Store{Type: config.StoreNone},
		Tokens: config.Tokens{AccessTokenLifetime: config.Duration(time.Minute), RefreshTokenLifetime: config.Duration(time.Hour), Audience: []string{"https://auth.example"}}}
	for name, file := range map[string]interface{ Encode() ([]byte, error) }{
		config.FileBase: base, config.TenantsFile(1, 0): &config.Tenants{Version: config.Version, Count: 1},
	} {
		data, err := file.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"", exitUsage, "--config-dir is required"},
		{"--nonsense", exitUsage, "unknown flag: --nonsense"},
		{"serve", exitUsage, "unknown command"},
		{"--config-dir " + dir + "/none", exitUsage, "no such file"},
		{"--config-dir " + file, exitUsage, "is not a directory"},
		{"--config-dir " + dir + " --listen 8080", exitUsage, "authserver: --listen: want host:port"},
		{"--config-dir " + dir + " --listen 1 --ops-listen 2 --ext-authz-listen 3", exitUsage, "authserver: --listen: want host:port"},
		{"--config-dir " + dir + " --listen :1 --ops-listen 2 --ext-authz-listen 3", exitUsage, "--ops-listen: want host:port"},
		{"--config-dir " + dir + " --ext-authz-listen x", exitUsage, "--ext-authz-listen: want host:port"},
		{"--config-dir " + dir + " --ops-token-file " + file, exitUsage, "--ops-token-file: "},
		{"--config-dir " + dir + " --listen 192.0.2.1:1 --ops-listen 127.0.0.1:0 --ext-authz-listen 127.0.0.1:0", exitFailed, "opening the public listener"},
		{"--config-dir " + dir + " --listen 127.0.0.1:0 --ops-listen 192.0.2.1:1 --ext-authz-listen 127.0.0.1:0", exitFailed, "opening the operations listener"},
		{"--config-dir " + dir + " --listen 127.0.0.1:0 --ops-listen 127.0.0.1:0 --ext-authz-listen 192.0.2.1:1", exitFailed, "opening the ext_authz listener"},
		{"--help", exitFine, "address of Envoy's gRPC ext_authz"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), strings.Fields(c.args), &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
				t.Errorf("exit %d, want %d; printed %q, want %q in it", code, c.code, &out, c.want)
			}
		})
	}
}

// TestServe starts on an empty directory, as a pod may, waits for the ready line and ends as asked.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"--config-dir", dir, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0"}, io.Discard, w)
		_ = w.Close()
	}()
	write(t, dir)
	var ready struct {
		Msg, Listen string
		OpsListen   string `json:"ops_listen"`
		ExtAuthz    string `json:"ext_authz_listen"`
	}
	lines := bufio.NewScanner(r)
	for ready.Msg != "ready" && lines.Scan() {
		if err := json.Unmarshal(lines.Bytes(), &ready); err != nil {
			t.Fatalf("not a JSON line: %s", lines.Text())
		}
	}
	conn, err := net.Dial("tcp", ready.ExtAuthz)
	if err != nil {
		t.Fatalf("ext_authz_listen %q: %v", ready.ExtAuthz, err)
	}
	_ = conn.Close()
	go func() { _, _ = io.Copy(io.Discard, r) }()
	for url, want := range map[string]int{"http://" + ready.Listen + "/verify": 401, "http://" + ready.OpsListen + "/readyz": 200, "http://" + ready.OpsListen + "/healthz": 200} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", url, resp.StatusCode, want)
		}
	}
	stop()
	if got := <-code; got != exitFine {
		t.Errorf("exit %d", got)
	}
}

func TestMemoryLimit(t *testing.T) {
	for text, want := range map[string]int64{"268435456\n": 268435456, "max\n": 0, "": 0, "-1": 0, "0": 0, "x": 0} {
		path := filepath.Join(t.TempDir(), "memory.max")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := memoryLimit(path); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := memoryLimit(filepath.Join(t.TempDir(), "none")); got != 0 {
		t.Errorf("no file: %d", got)
	}
}

// TestHashingLimit guards that hashing is bounded also where the kernel does not tell the container's limit.
func TestHashingLimit(t *testing.T) {
	if got := hashingLimit(1 << 28); got != 1<<28 {
		t.Errorf("a container's limit became %d", got)
	}
	t.Setenv("GOMEMLIMIT", "")
	if got := hashingLimit(0); got != 0 {
		t.Errorf("nobody says a limit: %d", got)
	}
	before := debug.SetMemoryLimit(9 << 20)
	defer debug.SetMemoryLimit(before)
	t.Setenv("GOMEMLIMIT", "9MiB")
	if got := hashingLimit(0); got/10*9 > 9<<20 || got < 9<<20 {
		t.Errorf("GOMEMLIMIT of 9 MiB became %d", got)
	}
	debug.SetMemoryLimit(math.MaxInt64)
	t.Setenv("GOMEMLIMIT", "off")
	if got := hashingLimit(0); got != 0 {
		t.Errorf("GOMEMLIMIT=off became %d", got)
	}
}
