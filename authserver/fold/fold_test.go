// SPDX-License-Identifier: Apache-2.0

package fold

import "testing"

// TestName guards that spellings which people take for one name are one, and that folding twice changes nothing.
func TestName(t *testing.T) {
	for given, want := range map[string]string{
		" Bob@Example.COM ": "bob@example.com", "straße": "strasse", "STRASSE": "strasse", "ﬁn": "fin", "Ｂob": "bob",
		"e\u0301": "\u00e9", "\u00c9": "\u00e9", "\u212a": "k", "\u00a0bob\u2003": "bob", "": "",
	} {
		if got := Name(given); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

// FuzzName guards idempotence: what is stored folded is found folded again.
func FuzzName(f *testing.F) {
	f.Add("Bob@Example.COM")
	f.Add("\u1e9e\u0130\u03b0")
	f.Fuzz(func(t *testing.T, s string) {
		if once := Name(s); Name(once) != once {
			t.Errorf("%q: %q, then %q", s, once, Name(once))
		}
	})
}
