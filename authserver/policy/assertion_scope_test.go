// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
	"testing"
)

// FuzzScope guards that a list of scopes is what RFC 6749 §3.3 says, each once: what it is written as reads as the same list.
func FuzzScope(f *testing.F) {
	for _, seed := range []string{"", "read", "read write", "read read", " read", "read ", "a  b", "\"", "\\", "é", "a\tb", "a\x00", strings.Repeat("a ", 200) + "a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, ok := parseScope(text)
		if !ok {
			if list != nil {
				t.Errorf("%q is none and gives %q", text, list)
			}
			return
		}
		if len(list) > maxScopes || (len(list) == 0) != (text == "") {
			t.Errorf("%d scopes", len(list))
		}
		for i, scope := range list {
			for _, c := range []byte(scope) {
				if c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
					t.Errorf("%q has %q", scope, c)
				}
			}
			if scope == "" || slices.Contains(list[:i], scope) {
				t.Errorf("%q is empty, or twice", scope)
			}
		}
		if again, ok := parseScope(strings.Join(list, " ")); !ok || !slices.Equal(again, list) {
			t.Errorf("%q reads as %q", list, again)
		}
	})
}
