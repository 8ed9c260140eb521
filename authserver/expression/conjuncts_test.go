// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConjuncts guards what is told of an expression: no claim is missing that its value may depend on.
func TestConjuncts(t *testing.T) {
	for text, want := range map[string][]Conjunct{
		"claims.a == 'x'": {{Text: `claims.a == "x"`, Claims: []string{"a"}}},
		"claims.a == 'x' && (has(claims.b) && true) && (claims['c'] == 1 || claims.a == 'y')": {
			{Text: `claims.a == "x"`, Claims: []string{"a"}}, {Text: "has(claims.b)", Claims: []string{"b"}}, {Text: "true"},
			{Text: `claims["c"] == 1 || claims.a == "y"`, Claims: []string{"a", "c"}}},
		"'a' in claims ? claims.?b.orValue('') == claims.c.d : claims[?'e'].hasValue()": {
			{Text: `("a" in claims) ? (claims.?b.orValue("") == claims.c.d) : claims[?"e"].hasValue()`, Claims: []string{"a", "b", "c", "e"}}},
		"claims[claims.a] == 'x'":             {{Text: `claims[claims.a] == "x"`, Claims: []string{"a"}, Whole: true}},
		"claims.exists(name, name == 'a')":    {{Text: `claims.exists(name, name == "a")`, Whole: true}},
		"size(claims) > 1":                    {{Text: "size(claims) > 1", Whole: true}},
		"claims.a in claims":                  {{Text: "claims.a in claims", Claims: []string{"a"}, Whole: true}},
		"claims.list.all(x, x == claims.sub)": {{Text: "claims.list.all(x, x == claims.sub)", Claims: []string{"list", "sub"}}},
	} {
		got, err := Conjuncts(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", text, err, diff)
		}
		for _, c := range got {
			if _, err := Compile(c.Text, Rule); err != nil {
				t.Errorf("%s: its part %s does not compile: %v", text, c.Text, err)
			}
		}
	}
	if _, err := Conjuncts("claims.a =="); err == nil {
		t.Error("a text that is no expression")
	}
}
