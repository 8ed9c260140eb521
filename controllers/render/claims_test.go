// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestClaimantsOrder guards DESIGN §2: objects of the server's namespace first, then the older, then by namespace and name;
// offline by namespace and name alone.
func TestClaimantsOrder(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(p *v1alpha1.TenantJWTPolicy, age time.Duration) *v1alpha1.TenantJWTPolicy {
		p.CreationTimestamp = metav1.NewTime(start.Add(-age))
		return p
	}
	cases := []struct {
		name    string
		offline bool
		claims  []*v1alpha1.TenantJWTPolicy
		winner  string
	}{
		{"the server's namespace before an older one", false, []*v1alpha1.TenantJWTPolicy{
			at(policy("team", "old", "team"), time.Hour), at(policy("default", "young", "team"), 0)}, "default/young"},
		{"the older one", false, []*v1alpha1.TenantJWTPolicy{
			at(policy("default", "a", "acme"), 0), at(policy("default", "b", "acme"), time.Hour)}, "default/b"},
		{"the lower name of one age", false, []*v1alpha1.TenantJWTPolicy{
			at(policy("default", "b", "acme"), 0), at(policy("default", "a", "acme"), 0)}, "default/a"},
		{"the older name of one other namespace", false, []*v1alpha1.TenantJWTPolicy{
			at(policy("team", "a", "team"), 0), at(policy("team", "b", "team"), time.Hour)}, "team/b"},
		{"age does not count offline", true, []*v1alpha1.TenantJWTPolicy{
			at(policy("default", "b", "acme"), time.Hour), at(policy("default", "a", "acme"), 0)}, "default/a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out := mustRender(t, render.Input{Policies: c.claims, Offline: c.offline}, nil)
			for key, v := range out.Verdicts {
				if key.Kind != v1alpha1.KindTenantJWTPolicy {
					continue
				}
				won := key.Namespace+"/"+key.Name == c.winner
				if v.Served != won || (!won && v.Accepted.Reason != v1alpha1.ReasonTenantConflict) {
					t.Errorf("%s: served=%v, %s %s", key, v.Served, v.Accepted.Reason, v.Accepted.Message)
				}
			}
		})
	}
}

// TestUnownedNameClaimsNothing guards a tenant against an object that only pretends to its name.
func TestUnownedNameClaimsNothing(t *testing.T) {
	thief := policy("team", "a", "acme")
	thief.CreationTimestamp = metav1.NewTime(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	owner := policy("default", "acme", "acme")
	out := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{thief, owner}}, nil)
	if v := out.Verdicts[keyOf(owner)]; !v.Served {
		t.Errorf("the owner: %+v", v)
	}
	if v := out.Verdicts[keyOf(thief)]; v.Served || v.Accepted.Reason != v1alpha1.ReasonNameNotOwned {
		t.Errorf("the thief: %+v", v)
	}
}

// TestHolderIsNotToldAcrossNamespaces guards other namespaces' names in messages.
func TestHolderIsNotToldAcrossNamespaces(t *testing.T) {
	winner, loser := policy("default", "secret-project", "team"), policy("team", "mine", "team")
	out := mustRender(t, render.Input{Policies: []*v1alpha1.TenantJWTPolicy{winner, loser}}, nil)
	want := `spec.tenantID: "team" already belongs to a TenantJWTPolicy of another namespace: choose another tenantID, or delete one of the two`
	if got := out.Verdicts[keyOf(loser)].Accepted.Message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
