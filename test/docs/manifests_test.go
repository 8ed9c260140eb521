// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/manifests"
)

// abbreviated is the contract, whose examples leave things out.
const abbreviated = "docs/design.md"

// Each of our manifests on a page is one that the API server takes and the operator serves, given what it refers to: the schema, rules
// and unknown fields are checked as gatehouse lint does, fence by fence.
func TestManifests(t *testing.T) {
	loader, err := manifests.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, p := range pages(t) {
		for _, s := range p.steps {
			if p.path == abbreviated || s.language != "yaml" || !strings.Contains(s.text, "apiVersion: auth.gatehouse.dev/") {
				continue
			}
			checked++
			for _, finding := range errorsOf(t, loader, s) {
				t.Errorf("%s:%d: %s", p.path, s.line+finding.Line, finding.Message)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d manifests were found", checked)
	}
}

func errorsOf(t *testing.T, loader *manifests.Loader, s *step) []manifests.Finding {
	t.Helper()
	set, err := loader.Load([]string{"-"}, strings.NewReader(s.text))
	if err != nil {
		t.Fatal(err)
	}
	findings := set.Findings
	for _, server := range set.Servers() {
		out, err := set.Render(loader, server, manifests.RenderOptions{})
		if err != nil {
			t.Fatal(fmt.Errorf("line %d: %w", s.line, err))
		}
		findings = append(findings, set.Tell(out, false)...)
	}
	var all []manifests.Finding
	for _, finding := range findings {
		if finding.Severity == manifests.SeverityError {
			all = append(all, finding)
		}
	}
	return all
}
