// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestPeekIssuer guards what is read of a token that nobody vouches for: one string, of a token within the bounds.
func TestPeekIssuer(t *testing.T) {
	enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	of := func(header, payload string) string { return enc(header) + "." + enc(payload) + ".AAAA" }
	const header = `{"alg":"RS256"}`
	for name, c := range map[string]struct{ raw, want string }{
		"a signed token":        {of(header, `{"iss":"https://idp.example"}`), "https://idp.example"},
		"any alg":               {of(`{"alg":"none"}`, `{"iss":"x"}`), "x"},
		"no iss":                {of(header, `{"sub":"x"}`), ""},
		"not a string":          {of(header, `{"iss":["x"]}`), ""},
		"twice":                 {of(header, `{"iss":"x","iss":"y"}`), ""},
		"no object":             {of(header, `["iss"]`), ""},
		"a bad header":          {of(`{"alg":1}`, `{"iss":"x"}`), ""},
		"encrypted":             {of(header, `{"iss":"x"}`) + ".AAAA.AAAA", ""},
		"two segments":          {enc(header) + "." + enc(`{"iss":"x"}`), ""},
		"a bad character":       {of(header, `{"iss":"x"}`) + "=", ""},
		"not base64url":         {enc(header) + ".A.AAAA", ""},
		"longer than looked at": {of(header, `{"iss":"x"}`) + strings.Repeat("A", MaxLength), ""},
		"nothing":               {"", ""},
	} {
		if got := PeekIssuer(c.raw); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// FuzzPeekIssuer guards that a look beforehand sees what a parsed token has, and that nothing makes it fall over.
func FuzzPeekIssuer(f *testing.F) {
	l := newLab()
	for _, row := range hostileTokens(f, l) {
		f.Add(row.raw)
	}
	f.Add(l.claims(f, goodPayload))
	f.Fuzz(func(t *testing.T, raw string) {
		got := PeekIssuer(raw)
		parsed, err := Parse(raw, anyAlgorithm)
		if err == nil && got != parsed.UnverifiedIssuer() {
			t.Errorf("%q, parsed %q", got, parsed.UnverifiedIssuer())
		}
		if len(raw) > MaxLength && got != "" {
			t.Errorf("%d bytes were looked at", len(raw))
		}
	})
}
