// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe is what axe-core looks for: WCAG 2.0 to 2.2, A and AA, and its own best practices.
const axe = `axe.run(document, {
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
	rules: {"target-size": {enabled: true}},
}).then(found => JSON.stringify({
	passes: found.passes.length,
	found: [...found.violations, ...found.incomplete].flatMap(rule => rule.nodes.map(node => rule.id + ": " + node.html + ": " + node.failureSummary)),
}))`

// TestEveryPageLooksRight guards each state of each page, in light and dark, on a desktop and on a phone: accessibility by axe, the policy, and that nothing has to be
// scrolled sideways at 320 px, which is also 1280 px at 400 % zoom (WCAG 1.4.10).
func TestEveryPageLooksRight(t *testing.T) {
	source, err := os.ReadFile(npmFile(t, "axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	browser := chromium(t)
	url, all := gallery(t)
	tab := newTab(t, browser)
	for _, site := range []string{"/", "/custom/"} {
		for _, s := range all {
			if site == "/custom/" && strings.HasPrefix(s.name, "problem-") {
				continue
			}
			name := strings.ReplaceAll(strings.TrimPrefix(site, "/"), "/", "-") + s.name
			t.Run(name, func(t *testing.T) {
				tab.t = t
				for _, scheme := range []string{"light", "dark"} {
					tab.scheme(scheme)
					tab.size(1280, 800, 1)
					tab.open(url + site + s.name)
					tab.checkStyled()
					for _, said := range tab.heard() {
						t.Errorf("%s: the browser says: %s", scheme, said)
					}
					tab.checkAxe(string(source), scheme)
					tab.screenshot(name + "-desktop-" + scheme)
					tab.size(390, 844, 2)
					tab.screenshot(name + "-phone-" + scheme)
					tab.size(320, 640, 1)
					if wide := tab.evaluate(`String(document.scrollingElement.scrollWidth)`); wide != "320" {
						t.Errorf("%s: at 320 px the page is %s px wide", scheme, wide)
					}
				}
				tab.heard() // what axe itself did
			})
		}
	}
}

// checkStyled guards that stylesheet and images came: without them all else would pass too.
func (b *tab) checkStyled() {
	b.t.Helper()
	if n := b.evaluate(`String(document.styleSheets.length && document.styleSheets[0].cssRules.length)`); n == "0" {
		b.t.Error("the stylesheet did not come")
	}
	if broken := b.evaluate(`[...document.images].filter(i => !i.naturalWidth).map(i => i.outerHTML).join()`); broken != "" {
		b.t.Errorf("images did not come: %s", broken)
	}
}

func (b *tab) checkAxe(source, scheme string) {
	b.t.Helper()
	run(b, "loading axe", chromedp.Evaluate[chromedp.Void](source+"; undefined"))
	var report struct {
		Passes int
		Found  []string
	}
	answer := run(b, "running axe", chromedp.Evaluate[string](axe, chromedp.EvalAwaitPromise))
	if err := json.Unmarshal([]byte(answer), &report); err != nil {
		b.t.Fatal(err)
	}
	if report.Passes < 15 {
		b.t.Errorf("%s: axe looked at %d rules only", scheme, report.Passes)
	}
	for _, found := range report.Found {
		b.t.Errorf("%s: axe: %s", scheme, found)
	}
}
