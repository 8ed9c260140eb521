// SPDX-License-Identifier: Apache-2.0

package configtest

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Markers stand for a secret in the wrong place: text as a key or password has it, of the forms that names, times and
// durations have too, and digits.
var Markers = []string{
	"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n", "hunter2", "hunter2/hunter2/hunter2", "https://hunter2@hunter2/",
	"2026-01-02T03:04:05hunter2", "15mhunter2", `{"kty":"oct","kid":"hunter2","alg":"hunter2","k":"hunter2"}`, "48151623", "48151623421516234215162342",
}

// Holds tells whether a text holds anything of a marker.
func Holds(text string) bool {
	return strings.Contains(text, "hunter2") || strings.Contains(text, "48151623")
}

// Spoil yields a JSON document with one place spoiled at a time: each value replaced by a marker as string, number,
// list and object, each string continued with a marker, and each object given a member that a marker names. The key says
// where and how, for messages of a failing test. Spoil panics if the document is not JSON: the test is wrong then.
func Spoil(document []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, marker := range Markers {
			for _, path := range paths(parsed(document), nil) {
				for how, value := range replacements(marker) {
					root := parsed(document)
					spoiled, err := json.Marshal(replace(root, path, value))
					if err != nil {
						panic(err)
					}
					if !yield(fmt.Sprintf("%q as %s at %v", marker, how, path), spoiled) {
						return
					}
				}
			}
			// What no value can be: the marker where JSON itself ends.
			if !yield(fmt.Sprintf("%q behind the document", marker), append(slices.Clone(document), marker...)) ||
				!yield(fmt.Sprintf("%q in place of the document", marker), []byte(marker)) {
				return
			}
		}
	}
}

func parsed(document []byte) any {
	var v any
	if err := json.Unmarshal(document, &v); err != nil {
		panic(err)
	}
	return v
}

// replacements are functions of the value that is there.
func replacements(marker string) map[string]func(any) any {
	out := map[string]func(any) any{
		"string": func(any) any { return marker },
		"list":   func(any) any { return []any{marker} },
		"object": func(any) any { return map[string]any{marker: marker} },
		"suffix": func(v any) any {
			if s, ok := v.(string); ok {
				return s + marker
			}
			return marker
		},
		"member": func(v any) any {
			if m, ok := v.(map[string]any); ok {
				m = maps.Clone(m)
				m[marker] = marker
				return m
			}
			return marker
		},
	}
	if strings.Trim(marker, "0123456789") == "" {
		out["number"] = func(any) any { return json.Number(marker) }
	}
	return out
}

// paths lists every place of a document: the root first, then members and entries.
func paths(v any, at []any) [][]any {
	out := [][]any{slices.Clone(at)}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, paths(v[name], append(slices.Clone(at), name))...)
		}
	case []any:
		for i := range v {
			out = append(out, paths(v[i], append(slices.Clone(at), i))...)
		}
	}
	return out
}

// replace changes the value at a path of a document that the caller owns.
func replace(v any, path []any, with func(any) any) any {
	if len(path) == 0 {
		return with(v)
	}
	switch step := path[0].(type) {
	case string:
		m := v.(map[string]any)
		m[step] = replace(m[step], path[1:], with)
	case int:
		l := v.([]any)
		l[step] = replace(l[step], path[1:], with)
	}
	return v
}
