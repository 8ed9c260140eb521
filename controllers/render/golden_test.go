// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

// defaultServer is the one that the golden cases render, except where their name says otherwise.
var defaultServer = types.NamespacedName{Namespace: "default", Name: "default"}

// TestGolden renders testdata/<case>.yaml and compares verdicts and files with <case>.golden: what users read, and what
// servers get. UPDATE_GOLDEN=1 accepts a wanted change: read the difference.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	loader := newLoader(t)
	for _, input := range inputs {
		name := strings.TrimSuffix(filepath.Base(input), ".yaml")
		t.Run(name, func(t *testing.T) {
			set := load(t, loader, input)
			server := defaultServer
			if name == "no-server" {
				server.Namespace = "elsewhere"
			}
			out, err := set.Render(loader, server, manifests.RenderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := print(t, out)
			golden := strings.TrimSuffix(input, ".yaml") + ".golden"
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestGoldenHoldNoSecret guards the conditions' messages: none of the secrets of the inputs may be in one.
func TestGoldenHoldNoSecret(t *testing.T) {
	loader := newLoader(t)
	secrets := []string{"hunter2", "plain-text-password", "0123456789abcdef", "MDEyMzQ1", "argon2id$", "$2a$", "too short", "MHcCAQEE", "client-secret-of", "another client", "MIGHAgEA", "hun%ter2", "gatehouse:", "jpsQnn", "f83OJ3D2"}
	for _, name := range []string{"users-mistakes", "key-mistakes", "key-warnings", "everything", "decryption", "decryption-mistakes", "oidc", "oauth2", "providers-mistakes", "postgres", "postgres-mistakes", "credentials", "credential-mistakes"} {
		set := load(t, loader, "testdata/"+name+".yaml")
		out, err := set.Render(loader, defaultServer, manifests.RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for key, v := range out.Verdicts {
			text := v.Accepted.Message + v.ResolvedRefs.Message + fmt.Sprint(v.Problems, v.Warnings)
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%s: %s: a message holds %q: %s", name, key, secret, text)
				}
			}
		}
	}
}

func newLoader(t testing.TB) *manifests.Loader {
	t.Helper()
	loader, err := manifests.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	return loader
}

// load reads an input that the schema must allow: what is tested is render.
func load(t testing.TB, loader *manifests.Loader, path string) *manifests.Set {
	t.Helper()
	set, err := loader.Load([]string{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set.Findings {
		t.Errorf("the input has a mistake: %s", f)
	}
	return set
}

// print writes an output for people: verdicts, then files.
func print(t *testing.T, out *render.Output) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "held=%v url=%q shards=%d\n", out.Held, out.URL, out.ShardCount)
	keys := slices.SortedFunc(maps.Keys(out.Verdicts), func(a, b render.Key) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		v := out.Verdicts[key]
		fmt.Fprintf(&b, "\n%s served=%v disabled=%v file=%s fingerprint=%v references=%v\n", key, v.Served, v.Disabled, v.File, v.Fingerprint != "", v.References)
		fmt.Fprintf(&b, "  Accepted=%v %s: %s\n", v.Accepted.Status, v.Accepted.Reason, v.Accepted.Message)
		if v.ExamplesPassed.Reason != "" {
			fmt.Fprintf(&b, "  ExamplesPassed=%v %s: %s\n", v.ExamplesPassed.Status, v.ExamplesPassed.Reason, v.ExamplesPassed.Message)
			for _, failed := range v.FailedExamples {
				fmt.Fprintf(&b, "    %s\n", failed)
			}
		}
		if v.ResolvedRefs.Reason != "" {
			fmt.Fprintf(&b, "  ResolvedRefs=%v %s: %s\n", v.ResolvedRefs.Status, v.ResolvedRefs.Reason, v.ResolvedRefs.Message)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(out.Files)) {
		fmt.Fprintf(&b, "\n-- %s --\n%s\n", name, pretty(t, out.Files[name]))
	}
	return b.String()
}

func pretty(t *testing.T, data []byte) string {
	t.Helper()
	if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(data), "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
