// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"strings"
	"testing"
)

// TestIssuer guards the member issuer of Entra ID's key sets: kept whatever it says, part of
// what makes keys equal, and never lost where it would widen whom a key counts for.
func TestIssuer(t *testing.T) {
	l := newLab()
	const template = "https://login.microsoftonline.com/{tenantid}/v2.0"
	key := must(l.of("RS256").With("a", ""))
	issued := func(value any) []byte { return changed(t, key, map[string]any{"issuer": value}) }
	for _, issuer := range []string{template, "", `a "quote" and ö <&>`, strings.Repeat("i", 2048)} {
		set, problems, err := ParsePublicSet(document(issued(issuer)))
		if err != nil || len(problems) > 0 || set.Len() != 1 {
			t.Fatalf("%.20q: %v %v", issuer, problems, err)
		}
		got := set.Keys()[0]
		if got.Issuer() != issuer || got.Equal(key) != (issuer == "") {
			t.Errorf("%.20q: issuer %.20q, equal to a key without %v", issuer, got.Issuer(), got.Equal(key))
		}
		again, err := ParseKey(must(got.MarshalJSON()))
		if err != nil || !again.Equal(got) || again.Issuer() != issuer {
			t.Errorf("%.20q is read back as %.20q, %v", issuer, again.Issuer(), err)
		}
		if named := must(got.With("b", "RS256")); named.Issuer() != issuer {
			t.Errorf("%.20q: With loses it", issuer)
		}
	}
	for want, value := range map[string]any{"member issuer is not a string": []string{template}, "issuer has 2049 bytes": strings.Repeat("i", 2049)} {
		set, problems, err := ParsePublicSet(document(issued(value)))
		if err != nil || set.Len() != 0 || len(problems) != 1 || !strings.Contains(problems[0].Reason, want) {
			t.Errorf("%s: %d keys, %v %v", want, set.Len(), problems, err)
		}
	}
	set, problems, err := ParsePublicSet(document(issued(template), issued("https://other.example")))
	if err != nil || set.Len() != 2 || len(problems) != 1 {
		t.Errorf("one key for two issuers: %d keys, %v %v", set.Len(), problems, err)
	}
}
