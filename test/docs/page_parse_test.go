// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const example = `# A page
<!-- docs-test: serve, keycloak -->

Text.

~~~yaml
# file: acme.yaml
kind: A
~~~

1. In a terminal of its own:

   <!-- run: terminal -->
   ~~~sh
   gatehouse serve
     -f .
   ~~~
   ~~~text
   ready
   ~~~

<!-- run: again, exit 1 -->
~~~sh
false
~~~
<!-- expect: refused … here -->
~~~text
something
~~~
<!-- browser:
open http://localhost:8080/
see jane
-->
~~~json
{}
~~~
<!-- file: a.json -->
~~~json
{"a": 1}
~~~
<!-- not run: it needs a cloud -->
~~~sh
cloud
~~~
`

func TestPagesAreTakenApart(t *testing.T) {
	got, err := parsePage("a.md", strings.ReplaceAll(example, "~~~", "```"))
	if err != nil {
		t.Fatal(err)
	}
	ready, something := "ready\n", "something\n"
	want := &page{path: "a.md", environments: []string{"serve", "keycloak"}, steps: []*step{
		{kind: file, line: 6, language: "yaml", text: "# file: acme.yaml\nkind: A\n", name: "acme.yaml"},
		{kind: commands, line: 14, language: "sh", text: "gatehouse serve\n  -f .\n", terminal: true, output: &ready},
		{kind: commands, line: 23, language: "sh", text: "false\n", again: true, exit: 1, expected: []string{"refused … here"}, output: &something},
		{kind: browser, line: 30, text: "open http://localhost:8080/\nsee jane"},
		{kind: other, line: 34, language: "json", text: "{}\n"},
		{kind: file, line: 38, language: "json", text: "{\"a\": 1}\n", name: "a.json"},
		{kind: commands, line: 42, language: "sh", text: "cloud\n", notRun: "it needs a cloud"},
	}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(page{}, step{})); diff != "" {
		t.Error(diff)
	}
}

// A mark that is misspelt would leave a command unchecked.
func TestMistakesInMarksAreTold(t *testing.T) {
	for name, text := range map[string]string{
		"no end of a fence":         "~~~sh\ntrue\n",
		"no end of a comment":       "<!-- run: again\n",
		"an unknown comment":        "<!-- docs-test: serve -->\n<!-- expct: a -->\n",
		"an unknown manner":         "<!-- run: twice -->\n~~~sh\ntrue\n~~~\n",
		"no code":                   "<!-- run: exit x -->\n~~~sh\ntrue\n~~~\n",
		"no reason":                 "<!-- not run: -->\n~~~sh\ntrue\n~~~\n",
		"a mark of no fence":        "<!-- run: again -->\n",
		"a mark of another fence":   "<!-- run: again -->\n~~~yaml\na: b\n~~~\n",
		"a file without a fence":    "<!-- file: a.json -->\n",
		"a file with a bad name":    "<!-- file: a b -->\n~~~json\n{}\n~~~\n",
		"an expectation of nothing": "<!-- expect: a -->\n",
	} {
		if _, err := parsePage("a.md", strings.ReplaceAll(text, "~~~", "```")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestOutputsAreCompared(t *testing.T) {
	for _, test := range []struct {
		page, printed string
		same          bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\n", false},
		{"a\n", "a\nb\n", false},
		{"a\n…\n", "a\nb\nc\n", true},
		{"…\nc\n", "a\nb\nc\n", true},
		{"a\n…\nc\n", "a\nc\n", true},
		{"a\n…\nd\n", "a\nb\nc\n", false},
		{"time … s\n", "time 3.14 s  \r\n", true},
		{"time … s\n", "time 3.14 ms", false},
		{"a.c\n", "abc\n", false},
		{"b\n", "abc\n", false},
	} {
		if err := compare(test.page, test.printed); (err == nil) != test.same {
			t.Errorf("%q and %q: %v", test.page, test.printed, err)
		}
	}
}
