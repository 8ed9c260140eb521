// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestRender guards what is written, with which mode, and that a second run keeps the signing keys.
func TestRender(t *testing.T) {
	in := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), secretDoc)})
	out := filepath.Join(t.TempDir(), "deep", "out")
	code, stdout, stderr := cli(t, "", "render", "-f", in, "-o", out)
	if code != exitFine || stdout != "" || stderr != "" {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	if got, want := names(t, out), []string{config.FileBase, config.FileKeys, config.TenantsFile(1, 0)}; !slices.Equal(got, want) {
		t.Fatalf("files %v, want %v", got, want)
	}
	for _, name := range names(t, out) {
		info, err := os.Stat(filepath.Join(out, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
	keys, err := config.ParseKeys(read(t, out, config.FileKeys))
	if err != nil || len(keys.Keys) != 1 || keys.Keys[0].Algorithm != "ES256" {
		t.Fatalf("keys: %v", err)
	}
	tenants, err := config.ParseTenants(config.TenantsFile(1, 0), read(t, out, config.TenantsFile(1, 0)))
	if err != nil || len(tenants.Policies) != 1 || tenants.Policies[0].TenantID != "acme" {
		t.Fatalf("tenants: %v", err)
	}
	before := read(t, out, config.FileKeys)
	if code, _, stderr := cli(t, "", "render", "-f", in, "-o", out); code != exitFine {
		t.Fatal(stderr)
	}
	if !bytes.Equal(before, read(t, out, config.FileKeys)) {
		t.Error("the signing keys changed without need")
	}
}

// TestRenderLeavesOut guards DESIGN's promise: a bad object is reported and left out, the others are written; exit 1.
func TestRenderLeavesOut(t *testing.T) {
	in := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), strings.Replace(tenant("globex"), "name: hmac", "name: none", 1), secretDoc)})
	out := t.TempDir()
	code, _, stderr := cli(t, "", "render", "-f", in, "-o", out)
	want := in + "/a.yaml:21: TenantJWTPolicy/globex: spec.issuers[0].keys[0].secretRef: Secret default/none does not exist: create it, or correct the name\n"
	if code != exitFailed || stderr != want {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	tenants, err := config.ParseTenants(config.TenantsFile(1, 0), read(t, out, config.TenantsFile(1, 0)))
	if err != nil || len(tenants.Policies) != 1 || tenants.Policies[0].TenantID != "acme" {
		t.Errorf("tenants: %+v, %v", tenants, err)
	}
}

// TestRenderNothing guards that a folder in use is not emptied by a mistake in the command line or in every document.
func TestRenderNothing(t *testing.T) {
	out := folder(t, map[string]string{"base.json": "as it was"})
	in := folder(t, map[string]string{"a.yaml": tenant("acme")})
	code, _, stderr := cli(t, "", "render", "-f", in, "-o", out)
	if code != exitUsage || !strings.HasSuffix(stderr, "gatehouse: nothing to serve: every document for AuthServer default/default has a mistake\n") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if string(read(t, out, "base.json")) != "as it was" {
		t.Error("base.json was written")
	}
}

// TestRenderShards guards that the number of shards of the folder stays, and that files of another number go.
func TestRenderShards(t *testing.T) {
	out := folder(t, map[string]string{config.TenantsFile(1, 0): "old", config.TenantsFile(4, 3): "old", "other.txt": "kept"})
	in := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), secretDoc)})
	if code, _, stderr := cli(t, "", "render", "-f", in, "-o", out); code != exitFine {
		t.Fatal(stderr)
	}
	want := []string{config.FileBase, config.FileKeys, "other.txt"}
	for n := range 4 {
		want = append(want, config.TenantsFile(4, n))
	}
	slices.Sort(want)
	if got := names(t, out); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestRenderKeysUnreadable guards signing keys that cannot be read: to replace them would end every login.
func TestRenderKeysUnreadable(t *testing.T) {
	out := folder(t, map[string]string{config.FileKeys: "{"})
	in := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), secretDoc)})
	code, _, stderr := cli(t, "", "render", "-f", in, "-o", out)
	if code != exitFailed || !strings.Contains(stderr, "restore the file, or remove it to begin with new keys") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if got := names(t, out); !slices.Equal(got, []string{config.FileKeys}) {
		t.Errorf("files %v", got)
	}
}

// TestRenderStoreNone guards that a server that signs nothing gets no keys.
func TestRenderStoreNone(t *testing.T) {
	none := header + "kind: AuthServer\nmetadata: {name: default}\nspec: {store: {type: None}}\n"
	in := folder(t, map[string]string{"a.yaml": docs(none, tenant("acme"), secretDoc)})
	out := t.TempDir()
	if code, _, stderr := cli(t, "", "render", "-f", in, "-o", out); code != exitFine {
		t.Fatal(stderr)
	}
	if slices.Contains(names(t, out), config.FileKeys) {
		t.Error("there is a keys.json")
	}
}

// TestKeysRotate guards that keys are added before the present one is due, and the present one kept.
func TestKeysRotate(t *testing.T) {
	dir := t.TempDir()
	server := &v1alpha1.AuthServer{}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	plan := func(now time.Time) []config.SigningKey {
		files := map[string][]byte{}
		if err := addKeys(dir, server, files, now); err != nil {
			t.Fatal(err)
		}
		if err := writeFile(filepath.Join(dir, config.FileKeys), files[config.FileKeys]); err != nil {
			t.Fatal(err)
		}
		keys, err := config.ParseKeys(files[config.FileKeys])
		if err != nil {
			t.Fatal(err)
		}
		return keys.Keys
	}
	first := plan(start)
	if later := plan(start.Add(24 * time.Hour)); len(later) != 1 || later[0].KeyID != first[0].KeyID {
		t.Error("the key did not last a day")
	}
	if later := plan(start.Add(720 * time.Hour)); len(later) != 2 || later[0].KeyID != first[0].KeyID {
		t.Errorf("%d keys when the first is due", len(later))
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
