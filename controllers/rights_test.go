// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// TestRights guards the operator's rights in both installs against growing unseen: each is a golden, one line for each
// resource. Set UPDATE_GOLDEN=1 to accept a change.
func TestRights(t *testing.T) {
	cluster := rights(t, "cluster/cluster_role.yaml")
	watched := rights(t, "namespace/role.yaml")
	own := rights(t, "operator/role.yaml")
	golden(t, "rights-cluster-wide.golden", strings.Join(cluster, "\n")+"\n\nin gatehouse-system:\n"+strings.Join(own, "\n")+"\n")
	golden(t, "rights-namespaced.golden", "in each watched namespace:\n"+strings.Join(watched, "\n")+"\n\nin gatehouse-system:\n"+strings.Join(own, "\n")+"\n")

	withoutNamespaces := slices.DeleteFunc(slices.Clone(cluster), func(s string) bool { return strings.HasPrefix(s, "namespaces:") })
	if diff := cmp.Diff(withoutNamespaces, watched); diff != "" {
		t.Errorf("the Role is not the ClusterRole without namespaces: %s", diff)
	}
	for _, r := range slices.Concat(cluster, watched, own) {
		if strings.Contains(r, "*") || strings.Contains(r, "escalate") || strings.Contains(r, "impersonate") {
			t.Errorf("a right without bounds: %s", r)
		}
	}
}

// TestPeoplesRights guards what Kubernetes' own roles get of ours: who may edit a namespace may not say by an AuthServer where the operator connects to.
func TestPeoplesRights(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "config", "rbac", "users", "roles.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		var role rbacv1.ClusterRole
		if err := yaml.UnmarshalStrict([]byte(document), &role); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&told, "%s: %s\n", role.Name, strings.Join(slices.Sorted(maps.Keys(role.Labels)), " "))
		lines := rules(role.Rules)
		fmt.Fprintf(&told, "  %s\n", strings.Join(lines, "\n  "))
		_, edit := role.Labels["rbac.authorization.k8s.io/aggregate-to-edit"]
		_, view := role.Labels["rbac.authorization.k8s.io/aggregate-to-view"]
		for _, line := range lines {
			if resource, verbs, _ := strings.Cut(line, ": "); (edit || view) && strings.HasPrefix(resource, "authservers") && verbs != "get list watch" {
				t.Errorf("%s gives those who may edit or view a namespace more than to read AuthServers: %s", role.Name, line)
			}
		}
	}
	golden(t, "rights-people.golden", told.String())
}

// rights lists the rules of a role, and fails where a rule has no comment that says what it is for.
func rights(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "config", "rbac", file))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`(?m)^[^#\n]*\n- apiGroups`).FindAll(data, -1)); n > 0 {
		t.Errorf("%s: %d rules have no comment", file, n)
	}
	var role rbacv1.ClusterRole // the same fields as a Role
	if err := yaml.Unmarshal(data, &role); err != nil {
		t.Fatal(err)
	}
	return rules(role.Rules)
}

// rules are one line for each resource.
func rules(list []rbacv1.PolicyRule) (out []string) {
	for _, r := range list {
		for _, resource := range r.Resources {
			for _, group := range r.APIGroups {
				line := resource
				if group != "" {
					line += "." + group
				}
				if len(r.ResourceNames) > 0 {
					line += " " + strings.Join(r.ResourceNames, ",")
				}
				out = append(out, fmt.Sprintf("%s: %s", line, strings.Join(r.Verbs, " ")))
			}
		}
	}
	slices.Sort(out)
	return out
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), UPDATE_GOLDEN=1 accepts it:\n%s", name, diff)
	}
}
