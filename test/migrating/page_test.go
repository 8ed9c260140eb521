// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// sections are those of the page on tokens, by heading.
func sections(t *testing.T) map[string]string { return sectionsOf(t, "timbr.md") }

// sectionsOf are a page's, by heading.
func sectionsOf(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/migrating/" + page)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, part := range strings.Split(string(text), "\n## ")[1:] {
		heading, body, _ := strings.Cut(part, "\n")
		if _, twice := all[heading]; twice {
			t.Fatalf("two sections are called %s", heading)
		}
		all[heading] = body
	}
	return all
}

// manifest returns the YAML of a section, "" if it has none.
func manifest(t *testing.T, section string) string {
	t.Helper()
	_, rest, found := strings.Cut(section, "\n```yaml\n")
	if !found {
		return ""
	}
	text, rest, closed := strings.Cut(rest, "\n```\n")
	if !closed || strings.Contains(rest, "```yaml") {
		t.Fatal("a section has one manifest")
	}
	return text + "\n"
}

var tableLine = regexp.MustCompile(`(?m)^\| (.+?) \| .+ \|$`)

// lines are the first cells of a section's table.
func lines(section string) []string {
	var cells []string
	for _, m := range tableLine.FindAllStringSubmatch(section, -1) {
		if m[1] != "old" && m[1] != "refused" {
			cells = append(cells, m[1])
		}
	}
	return cells
}

// documented are the rows of the system's own documentation: environment variables, request headers, and what is for one tenant.
var documented = []string{
	"ENABLE_TOKEN", "JWT_TYPE=custom", "JWT_TYPE=azure", "JWT_DEFAULT_ALGORITHM=HS256", "JWT_DEFAULT_ALGORITHM=RS256", "RS246", "JWT_DEFAULT_ALGORITHM=RSA-OAEP",
	"JWT_DEFAULT_ALGORITHM=AES", "JWT_DEFAULT_ALGORITHM=RS246,RSA-OAEP", "JWT_DEFAULT_ALGORITHM=HS256,RS256", "JWT_DEFAULT_AUDIENCE", "JWT_USE_EMAIL_OR_USER", "JWT_ISSUER",
	"x-jwt-token", "x-jwt-tenant-id", "x-jwt-issuer", "x-jwt-client-id", "x-jwt-nonce",
	"JWT_<TENANT_ID>_ALGORITHM", "JWT_<TENANT_ID>_AUDIENCE", "JWT_USE_TENANT_USER",
}

// TestPage guards that every row of the documentation has its line, and that links on the page lead somewhere.
func TestPage(t *testing.T) {
	all := sections(t)
	cells := strings.Join(lines(all["Each setting"]), "\n")
	for _, row := range documented {
		if !strings.Contains(cells, "`"+row) {
			t.Errorf("%s has no line", row)
		}
	}
	anchors := map[string]bool{}
	for heading := range all {
		anchors[strings.NewReplacer(" ", "-", "/", "").Replace(strings.ToLower(heading))] = true
	}
	for _, body := range all {
		for _, m := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(body, -1) {
			if !anchors[m[1]] {
				t.Errorf("#%s leads nowhere", m[1])
			}
		}
	}
}
