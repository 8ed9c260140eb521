// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigsyaml "sigs.k8s.io/yaml"
)

// TestValuesKeepTheirType guards that every text stays a text for readers of YAML 1.1 and 1.2, and every number its digits.
func TestValuesKeepTheirType(t *testing.T) {
	texts := []string{"no", "Yes", "on", "y", "null", "~", "", " a ", "1", "0x10", "1_000", "1:30", "1e3", ".inf", "2026-01-01", "a: b", "a #b", "- a", "? a", "*a", "&a", "!a", "%a", "@a", "`a`", "{a", "[a", `"a"`, "'a'",
		"a\nb", "a\nb\n", "\n a", "  a\n b", "tab\tin", "\t", "ä ö", "\u2028", "\u0085", "\x7f", "\x01", "\r", "a\r\nb", "\ufeff", "😀", "=", "<<", "---", "...", "a:", ":a", "#", "true", "-----BEGIN X-----\nabc\n-----END X-----\n"}
	var f Fields
	want := map[string]any{"list": []any{}, "deep": map[string]any{"big": json.Number("9007199254740993"), "half": json.Number("1.50")}}
	for i, text := range texts {
		name := string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		f.SetFrom(name, text, "FROM\n- evil: true")
		want[name] = text
		want["list"] = append(want["list"].([]any), text)
	}
	f.SetFrom("list", texts, "LIST")
	f.SetFrom("deep", map[string]any{"half": json.Number("1.50"), "big": json.Number("9007199254740993")}, "DEEP")
	r := &Result{Objects: []Object{{Kind: "K", Name: "n", Spec: f, Notes: []Note{{Key: "A", Text: "one\n--- \u2028x\r\nevil: true"}}}}, namespace: "default"}
	out, err := r.Manifests(Print{})
	if err != nil {
		t.Fatal(err)
	}
	_, doc, _ := strings.Cut(string(out), "\n---\n")
	text, err := sigsyaml.YAMLToJSONStrict([]byte(doc))
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var got struct{ Spec map[string]any }
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Spec["deep"].(map[string]any)["half"] == json.Number("1.5") { // YAML has no trailing zeros to keep
		want["deep"].(map[string]any)["half"] = json.Number("1.5")
	}
	if diff := cmp.Diff(want, got.Spec); diff != "" {
		t.Errorf("%s\n%s", diff, doc)
	}
}

// TestSecretIsNotPrinted guards that a file is refused where a secret's value would be printed in a manifest, wherever in it.
func TestSecretIsNotPrinted(t *testing.T) {
	const secret = "hunter2-hunter2"
	for name, spec := range map[string]Fields{
		"a text":      {{Name: "a", Value: "x" + secret + "y"}},
		"a list":      {{Name: "a", Value: []string{"b", secret}}},
		"a mapping":   {{Name: "a", Value: Fields{{Name: "b", Value: []Inline{{{Name: "c", Value: secret}}}}}}},
		"mappings":    {{Name: "a", Value: []Fields{{{Name: "b", Value: secret}}}}},
		"JSON":        {{Name: "a", Value: map[string]any{"b": []any{secret}}}},
		"JSON's name": {{Name: "a", Value: map[string]any{secret: 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			for key, read := range map[string]func(*Settings){"CLIENT_X": func(s *Settings) { s.Secret("CLIENT_X") }, "DB_PASSWORD": func(*Settings) {}} {
				s := newSettings("f")
				s.add(&Setting{Key: key, Line: 7, Value: Value{Kind: Text, Text: "first line\n" + secret + "\n"}})
				read(s)
				r := &Result{Objects: []Object{{Kind: "K", Name: "n", Spec: spec}}, file: "f", settings: s}
				err := r.leak()
				if err == nil || !strings.Contains(err.Error(), "f:7: "+key) || strings.Contains(err.Error(), secret) {
					t.Errorf("%s: %v", key, err)
				}
			}
		})
	}
	s := newSettings("f")
	s.add(&Setting{Key: "CLIENT_ID", Value: Value{Kind: Text, Text: secret}})
	s.Text("CLIENT_ID")
	if err := (&Result{Objects: []Object{{Spec: Fields{{Name: "a", Value: secret}}}}, settings: s}).leak(); err != nil {
		t.Errorf("a value that is no secret: %v", err)
	}
}
