// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	_ "sigs.k8s.io/controller-runtime/pkg/controller" // whose metrics are the operator's
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/yaml"
)

// rules is a PrometheusRule, of which every member has to be known.
type rules struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Groups []struct {
			Name  string  `json:"name"`
			Rules []alert `json:"rules"`
		} `json:"groups"`
	} `json:"spec"`
}

type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// ofOperator is a metric of the operator's, which controller-runtime has.
var ofOperator = regexp.MustCompile(`\bcontroller_runtime_[a-z_]+`)

// The alerts of docs/operations.md can be applied, say what to do, and ask for metrics that the operator has; those of the servers are held against the
// code by package authserver.
func TestAlerts(t *testing.T) {
	named, operator := map[string]bool{}, 0
	for _, p := range pages(t) {
		for _, s := range p.steps {
			if s.language != "yaml" || !strings.Contains(s.text, "kind: PrometheusRule") {
				continue
			}
			var r rules
			if err := yaml.UnmarshalStrict([]byte(s.text), &r); err != nil {
				t.Fatalf("%s:%d: %v", p.path, s.line, err)
			}
			for _, group := range r.Spec.Groups {
				for _, a := range group.Rules {
					if named[a.Alert] || a.Expr == "" || !slices.Equal(slices.Sorted(maps.Keys(a.Annotations)), []string{"do", "summary"}) || a.Labels["severity"] == "" {
						t.Errorf("%s: %q is there twice, or lacks an expression, a severity, a summary or what to do", p.path, a.Alert)
					}
					named[a.Alert] = true
					for _, name := range ofOperator.FindAllString(a.Expr, -1) {
						operator++
						if !registered(name) {
							t.Errorf("%s: %s: the operator has no metric %s", p.path, a.Alert, name)
						}
					}
				}
			}
		}
	}
	if len(named) < 10 || operator < 2 {
		t.Errorf("only %d alerts were found, %d on the operator's metrics", len(named), operator)
	}
}

// registered tells whether controller-runtime has a metric of the name: another one of it, with a label of its own, is then refused.
func registered(name string) bool {
	probe := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: "probe"}, []string{"probe"})
	if metrics.Registry.Register(probe) != nil {
		return true
	}
	metrics.Registry.Unregister(probe)
	return false
}

// testNames are links to tests that are told by their names.
var testNames = regexp.MustCompile(`\[((?:Test\w+(?:, )?)+)\]\(([^)#]+_test\.go)\)`)

// A test that a page names is in the file that it links.
func TestNamedTests(t *testing.T) {
	checked := 0
	for _, p := range pages(t) {
		for _, match := range testNames.FindAllStringSubmatch(read(repository+"/"+p.path), -1) {
			for name := range strings.SplitSeq(match[1], ", ") {
				checked++
				if file := path.Join(path.Dir(p.path), match[2]); !strings.Contains(read(repository+"/"+file), "\nfunc "+name+"(") {
					t.Errorf("%s: %s has no %s", p.path, file, name)
				}
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d names of tests were found", checked)
	}
}
