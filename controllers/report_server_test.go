// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// TestStorePersistent guards that nobody takes the embedded store for a lasting one, and that Ready does not depend on it.
func TestStorePersistent(t *testing.T) {
	var ahead time.Duration
	r := play(t, &ahead, interceptor.Funcs{})
	refused := good
	refused.Accepted = render.Condition{Reason: v1alpha1.ReasonInvalid}
	server := serverNamed("edge", "s")
	for _, c := range []struct {
		store   v1alpha1.StoreType
		verdict render.Verdict
		told    bool
	}{
		{"", good, true}, {v1alpha1.StoreEmbedded, good, true}, {v1alpha1.StoreNone, refused, true}, {v1alpha1.StoreNone, good, false},
		{v1alpha1.StoreEmbedded, refused, false}, {v1alpha1.StoreEmbedded, good, true},
	} {
		server.Spec.Store.Type = c.store
		server.Status = r.serverStatus(&gathered{server: server}, &pass{hash: "h"}, &c.verdict, applied, observation{})
		got := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionStorePersistent)
		if (got != nil) != c.told || got != nil && (got.Status != metav1.ConditionFalse || got.Reason != v1alpha1.ReasonEmptyWithEachPod) {
			t.Errorf("store %q, accepted %v: %+v", c.store, c.verdict.Accepted.Status, got)
		}
		if meta.IsStatusConditionTrue(server.Status.Conditions, v1alpha1.ConditionReady) != c.verdict.Accepted.Status {
			t.Errorf("store %q: Ready is not what the verdict says", c.store)
		}
	}
}
