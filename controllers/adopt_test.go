// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// TestAdopt guards that what the pods of one AuthServer confirmed does not make objects of its successor Ready.
func TestAdopt(t *testing.T) {
	for name, c := range map[string]struct {
		known      types.UID
		confirmed  time.Duration // after the AuthServer was made
		generation int64
		stays      bool
	}{
		"in its place, within one batch":            {known: "earlier", confirmed: time.Hour, generation: 1},
		"in its place, while no operator ran":       {confirmed: -time.Hour, generation: 1},
		"the same, after a restart":                 {confirmed: time.Hour, generation: 1, stays: true},
		"the same":                                  {known: "s", confirmed: -time.Hour, generation: 1, stays: true},
		"what waits for a confirmation in any case": {known: "earlier", generation: 0, stays: true},
	} {
		p := policyOf("edge")
		p.Status.Conditions = []metav1.Condition{}
		for _, kind := range []string{v1alpha1.ConditionConfigApplied, v1alpha1.ConditionReady} {
			p.Status.Conditions = append(p.Status.Conditions, metav1.Condition{
				Type: kind, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonApplied, ObservedGeneration: c.generation,
				LastTransitionTime: metav1.NewTime(statusTime.Add(c.confirmed)),
			})
		}
		r := play(t, nil, interceptor.Funcs{}, p, serverNamed("edge", "s"))
		g, err := r.gather(t.Context(), request("edge").NamespacedName)
		if err != nil {
			t.Fatal(err)
		}
		st := r.states.of(g.name)
		st.server = c.known
		if again, err := r.adopt(t.Context(), st, g); again != 0 || err != nil || st.server != "s" {
			t.Errorf("%s: %v, %v, server %q", name, again, err, st.server)
		}
		for _, kind := range []string{v1alpha1.ConditionConfigApplied, v1alpha1.ConditionReady} {
			if got := stored(t, r, kind); (got.Status == metav1.ConditionTrue) != c.stays {
				t.Errorf("%s: %s is %s", name, kind, got.Status)
			}
		}
	}
}
