// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([A-Za-z0-9.#][^()\s]*)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	named   = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inline  = regexp.MustCompile("`[^`\n]*`")
	// dropped is what GitHub leaves out of a heading's anchor.
	dropped = regexp.MustCompile(`[^\p{L}\p{N}\p{M}_ -]`)
)

// A link leads to a file that is there, and to a heading that it has.
func TestLinks(t *testing.T) {
	checked, known := 0, map[string]map[string]bool{}
	for _, p := range pages(t) {
		text := inline.ReplaceAllString(fenced.ReplaceAllString(read(repository+"/"+p.path), ""), "")
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			checked++
			at := p.path
			if target != "" {
				at = path.Join(path.Dir(p.path), target)
			}
			if _, err := os.Stat(repository + "/" + at); err != nil {
				t.Errorf("%s: %s leads nowhere", p.path, match[1])
				continue
			}
			if known[at] == nil && anchor != "" {
				known[at] = anchors(at)
			}
			if anchor != "" && !known[at][anchor] {
				t.Errorf("%s: %s: %s has no such heading", p.path, match[1], at)
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d links were found", checked)
	}
}

// anchors are what a page's headings can be reached by, as GitHub makes them.
func anchors(at string) map[string]bool {
	text := fenced.ReplaceAllString(read(repository+"/"+at), "")
	all := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		title := link.ReplaceAllString(match[1], "]")
		all[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), ""), " ", "-")] = true
	}
	for _, match := range named.FindAllStringSubmatch(text, -1) {
		all[match[1]] = true
	}
	return all
}

// Every page can be found from the index.
func TestIndex(t *testing.T) {
	linked := map[string]bool{}
	for _, index := range []string{"docs/README.md", "docs/tutorials/README.md", "docs/gateways/README.md"} {
		for _, match := range link.FindAllStringSubmatch(read(repository+"/"+index), -1) {
			target, _, _ := strings.Cut(match[1], "#")
			linked[path.Join(path.Dir(index), target)] = true
		}
	}
	for _, p := range pages(t) {
		if p.path != "README.md" && p.path != "docs/README.md" && !linked[p.path] && !linked[path.Dir(p.path)] {
			t.Errorf("%s is in no index: add it to docs/README.md", p.path)
		}
	}
}
