// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"strings"
	"testing"
)

const policyFile = "~~~yaml\n# file: acme.yaml\napiVersion: auth.gatehouse.dev/v1alpha1\nkind: TenantJWTPolicy\nmetadata: {name: acme}\n" +
	"spec: {tenantID: acme, issuers: [{issuer: https://idp.acme.example, jwksURI: https://idp.acme.example/keys}], claimMappings: {username: {claim: sub}}}\n~~~\n" +
	"<!-- run: terminal -->\n~~~sh\ngatehouse serve -f acme.yaml\n~~~\n<!-- expect: \"ready\" -->\n"

// A page is followed as a reader would, and the first thing that is not as it says is told.
func TestPagesThatAreWrong(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"as it says", "~~~sh\na=1\n~~~\n~~~sh\necho $a\n~~~\n~~~text\n1\n~~~\n", ""},
		{"a code that is told", "<!-- run: exit 3 -->\n~~~sh\n(exit 3)\n~~~\n~~~sh\necho on\n~~~\n", ""},
		{"a server", policyFile + "~~~sh\ncurl -s http://localhost:8080/verify/acme\n~~~\n<!-- expect: invalid_token -->\n", ""},
		{"a command that fails", "~~~sh\nfalse\necho on\n~~~\n", "a.md:2: this failed: false"},
		{"a command of a pipe that fails", "~~~sh\nfalse | true\n~~~\n", "this failed: "},
		{"a variable that is not there", "~~~sh\necho $absent\n~~~\n", "absent: unbound variable"},
		{"another output", "~~~sh\necho a\n~~~\n~~~text\nb\n~~~\n", "want:\nb\ngot:\na"},
		{"a line that is missing", "~~~sh\necho a\n~~~\n<!-- expect: b -->\n", `no line holds "b"`},
		{"another code", "<!-- run: exit 1 -->\n~~~sh\ntrue\n~~~\n", "exit code 0, want 1"},
		{"a terminal that ends", "<!-- run: terminal -->\n~~~sh\ntrue\n~~~\n<!-- expect: ready -->\n", "has ended by itself"},
		{"a page that shows something else", policyFile + "<!-- browser:\nopen http://localhost:8080/login\nsee Welcome\n-->\n", "see Welcome: the page at "},
		{"a button that is missing", policyFile + "<!-- browser:\nopen http://localhost:8080/login\npress Enter\n-->\n", "has no such link or button"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := parsePage("a.md", "<!-- docs-test: serve -->\n"+strings.ReplaceAll(test.text, "~~~", "```"))
			if err != nil {
				t.Fatal(err)
			}
			err = follow(t, p)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
