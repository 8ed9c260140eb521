// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// entry is what the tests look at of a tar entry.
type entry struct {
	Mode int64
	Data string
}

func readTar(t *testing.T, data []byte) map[string]entry {
	t.Helper()
	entries := map[string]entry{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || !h.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s tells who made it or when: %+v", h.Name, h)
		}
		entries[h.Name] = entry{h.Mode, string(body)}
	}
}

// TestArchive guards the format that container engines read: each digest names the bytes it stands for.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"operator": 0o700, "notes.txt": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("I am "+name), mode); err != nil {
			t.Fatal(err)
		}
	}
	build := func(out string) []byte {
		err := run([]string{"-tag", "localhost/x:dev", "-o", out, "-arch", "arm64", "-entrypoint", "/operator", "-label", "a.b=c=d",
			filepath.Join(dir, "operator"), filepath.Join(dir, "notes.txt") + "=/etc/notes"})
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	archive := build(filepath.Join(dir, "one.tar"))
	if !bytes.Equal(archive, build(filepath.Join(dir, "two.tar"))) {
		t.Error("two builds of the same files differ")
	}

	entries := readTar(t, archive)
	var manifests []manifest
	if err := json.Unmarshal([]byte(entries["manifest.json"].Data), &manifests); err != nil || len(manifests) != 1 {
		t.Fatalf("manifest.json: %v, %d images", err, len(manifests))
	}
	layer, configJSON := entries[manifests[0].Layers[0]].Data, entries[manifests[0].Config].Data
	if got, want := manifests[0].Config, digest([]byte(configJSON))+".json"; got != want {
		t.Errorf("config is named %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{"localhost/x:dev"}, manifests[0].RepoTags); diff != "" {
		t.Error(diff)
	}
	wantFiles := map[string]entry{"tmp/": {0o1777, ""}, "operator": {0o755, "I am operator"}, "etc/notes": {0o644, "I am notes.txt"}}
	if diff := cmp.Diff(wantFiles, readTar(t, []byte(layer))); diff != "" {
		t.Error(diff)
	}
	var got config
	if err := json.Unmarshal([]byte(configJSON), &got); err != nil {
		t.Fatal(err)
	}
	want := config{
		Architecture: "arm64", OS: "linux",
		Config: containerConfig{User: "65532:65532", Entrypoint: []string{"/operator"}, Labels: map[string]string{"a.b": "c=d"}, WorkingDir: "/"},
		RootFS: rootFS{Type: "layers", DiffIDs: []string{"sha256:" + digest([]byte(layer))}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWrongUse guards that a mistake leaves no archive behind.
func TestWrongUse(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.tar")
	for name, args := range map[string][]string{
		"no tag":       {"-o", out, "main.go"},
		"no file":      {"-o", out, "-tag", "x:y"},
		"absent file":  {"-o", out, "-tag", "x:y", "absent"},
		"broken label": {"-o", out, "-tag", "x:y", "-label", "novalue", "main.go"},
	} {
		if err := run(args); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	left, err := filepath.Glob(out + "*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
