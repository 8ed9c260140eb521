// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadTOML guards values, their order and their lines.
func TestReadTOML(t *testing.T) {
	v, err := ReadTOML(Input{File: "x.cfg", Data: []byte("# a comment\nb = 'x'\na = [\n  \"1\",\n  \"2\",\n]\n\nn = 7\nyes = true\nm = \"\"\"\none\ntwo\"\"\"\nday = 2026-01-02\nin = {x = 1, y.z = \"q\"}\n[t.u]\nc = 1.5\n[[l]]\nd = 1\n[[l]]\nd = 2\n")})
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind ValueKind, line int, s string) Value { return Value{Kind: kind, Line: line, Text: s} }
	want := []Member{
		{"b", 2, text(Text, 2, "x")},
		{"a", 3, Value{Kind: List, Line: 3, Items: []Value{text(Text, 3, "1"), text(Text, 3, "2")}}},
		{"n", 8, text(Number, 8, "7")},
		{"yes", 9, text(Boolean, 9, "true")},
		{"m", 10, text(Text, 10, "one\ntwo")},
		{"day", 13, text(Text, 13, "2026-01-02")},
		{"in", 14, Value{Kind: Mapping, Line: 14, Members: []Member{{"x", 14, text(Number, 14, "1")}, {"y.z", 14, text(Text, 14, "q")}}}},
		{"t.u", 15, Value{Kind: Mapping, Line: 15, Members: []Member{{"c", 16, text(Number, 16, "1.5")}}}},
		{"l", 17, Value{Kind: Mapping, Line: 17, Members: []Member{{"d", 18, text(Number, 18, "1")}, {"d", 20, text(Number, 20, "2")}}}},
	}
	if diff := cmp.Diff(want, v.Members); diff != "" {
		t.Error(diff)
	}
}

// TestReadTOMLMistakes guards that a mistake has its line and nothing of the file.
func TestReadTOMLMistakes(t *testing.T) {
	for text, line := range map[string]string{
		"a = 1\nclient_secret = hunter2\n": "x.cfg:2: ", "a = 'hunter2'\nb = 1\na = 'hunter2'\n": "x.cfg:", "a = \"hunter2": "x.cfg:1: ", "hunter2": "x.cfg:1: ",
		"a = " + strings.Repeat("[", 40) + "'hunter2'" + strings.Repeat("]", 40): "x.cfg:1: ",
	} {
		_, err := ReadTOML(Input{File: "x.cfg", Data: []byte(text)})
		if err == nil || !strings.HasPrefix(err.Error(), line) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
