// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/importing"
	"github.com/gatehouse-auth/gatehouse/manifests"
)

// options are flags, such as "tenant=tenant-5" and "name=x".
func input(kind, text string, options ...string) importing.Input {
	file := kind + ".env"
	if kind == "jumpserver" {
		file = kind // which format it has shows how it begins
	}
	in := importing.Input{File: file, Data: []byte(text), Namespace: "default", Options: map[string][]string{}}
	for _, o := range options {
		switch name, value, _ := strings.Cut(o, "="); name {
		case "name":
			in.Name = value
		case "namespace":
			in.Namespace = value
		case "file":
			in.File = value
		case "beside": // name=text
			name, text, _ := strings.Cut(value, "=")
			others := in.Beside
			in.Beside = func(asked string) ([]byte, error) {
				switch {
				case asked == name:
					return []byte(text), nil
				case others == nil:
					return nil, fs.ErrNotExist
				}
				return others(asked)
			}
		default:
			in.Options[name] = append(in.Options[name], value)
		}
	}
	return in
}

// imported is what becomes of a text: manifests that the linter takes, alone and with the Secrets that the text holds.
func imported(t *testing.T, kind, text string, options ...string) (manifests, secrets string) {
	t.Helper()
	r, err := importing.Import(kind, input(kind, text, options...))
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Manifests(importing.Print{})
	if err != nil {
		t.Fatal(err)
	}
	also, err := r.SecretsFile()
	if err != nil {
		t.Fatal(err)
	}
	for _, docs := range []string{string(out), string(out) + string(also)} {
		for _, f := range findings(t, docs) {
			if f.Severity == manifestsError {
				t.Errorf("the linter: %s\n%s", f, docs)
			}
		}
	}
	return string(out), string(also)
}

const manifestsError = manifests.SeverityError

// loaderOf compiles the schemas once.
var loaderOf = sync.OnceValues(manifests.NewLoader)

// findings are the linter's, with --require-refs where secrets are given.
func findings(t *testing.T, docs string) []manifests.Finding {
	t.Helper()
	loader, err := loaderOf()
	if err != nil {
		t.Fatal(err)
	}
	set, err := loader.Load([]string{"-"}, strings.NewReader(docs))
	if err != nil {
		t.Fatal(err)
	}
	all := set.Findings
	for _, server := range set.Servers() {
		out, err := set.Render(loader, server, manifests.RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, set.Tell(out, false)...)
	}
	return all
}

// document is the object kind/name of manifests, nil if they have none.
func document(t *testing.T, docs, object string) map[string]any {
	t.Helper()
	for _, doc := range strings.Split(docs, "\n---\n") {
		var v map[string]any
		if err := sigsyaml.UnmarshalStrict([]byte(doc), &v); err != nil {
			t.Fatalf("%v:\n%s", err, doc)
		}
		meta, _ := v["metadata"].(map[string]any)
		if v["kind"] != nil && v["kind"].(string)+"/"+meta["name"].(string) == object {
			return v
		}
	}
	return nil
}

// at is the JSON of a field, such as spec.issuers.0.issuer; "" where there is none.
func at(t *testing.T, docs, object, path string) string {
	t.Helper()
	d := document(t, docs, object)
	if d == nil {
		return ""
	}
	var v any = d
	for _, name := range strings.Split(path, ".") {
		switch c := v.(type) {
		case map[string]any:
			next, ok := c[name]
			if !ok {
				return ""
			}
			v = next
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(c) {
				return ""
			}
			v = c[i]
		default:
			return ""
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// comments are the comment lines, as one line.
func comments(docs string) string {
	var words []string
	for _, line := range strings.Split(docs, "\n") {
		if i := strings.Index(line, "#"); i >= 0 {
			words = append(words, strings.Fields(line[i+1:])...)
		}
	}
	return strings.Join(words, " ")
}

// fieldCase is a setting and what has to become of it.
type fieldCase struct {
	name, text string
	options    []string
	want       map[string]string // "Kind/name path" to JSON, "" for absent
	comment    []string          // each in the comments
	secret     map[string]string // "name/key" to value; "" for absent
}

func runFields(t *testing.T, kind string, cases []fieldCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			docs, secrets := imported(t, kind, c.text, c.options...)
			for where, want := range c.want {
				object, path, _ := strings.Cut(where, " ")
				if got := at(t, docs, object, path); got != want {
					t.Errorf("%s is %s, want %s\n%s", where, got, want, docs)
				}
			}
			told := comments(docs)
			for _, want := range c.comment {
				if !strings.Contains(told, want) {
					t.Errorf("no comment says %q:\n%s", want, docs)
				}
			}
			for where, want := range c.secret {
				name, key, _ := strings.Cut(where, "/")
				value := ""
				if d := document(t, secrets, "Secret/"+name); d != nil {
					value, _ = d["stringData"].(map[string]any)[key].(string)
				}
				if value != want {
					t.Errorf("Secret %s has %q, want %q", where, value, want)
				}
				if want != "" && strings.Contains(docs, want) {
					t.Errorf("the manifests hold the secret %s", where)
				}
			}
		})
	}
}

// mistakes demands that a text is refused with these lines, without the words of value.
func mistakes(t *testing.T, kind, text string, want []string, options ...string) {
	t.Helper()
	_, err := importing.Import(kind, input(kind, text, options...))
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

// golden compares with testdata/name; UPDATE_GOLDEN=1 writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs: UPDATE_GOLDEN=1 writes it anew\n%s", path, got)
	}
}
