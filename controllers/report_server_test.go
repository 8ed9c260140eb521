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
	database := v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{}}
	volume := v1alpha1.Store{Type: v1alpha1.StoreEmbedded, Embedded: &v1alpha1.EmbeddedStore{PersistentVolumeClaim: "logins"}}
	for _, c := range []struct {
		store   v1alpha1.Store
		verdict render.Verdict
		status  metav1.ConditionStatus // "": not told
		reason  string
	}{
		{v1alpha1.Store{}, good, metav1.ConditionFalse, v1alpha1.ReasonEmptyWithEachPod},
		{v1alpha1.Store{Type: v1alpha1.StoreEmbedded}, good, metav1.ConditionFalse, v1alpha1.ReasonEmptyWithEachPod},
		{v1alpha1.Store{Type: v1alpha1.StoreNone}, refused, metav1.ConditionFalse, v1alpha1.ReasonEmptyWithEachPod},
		{v1alpha1.Store{Type: v1alpha1.StoreNone}, good, "", ""},
		{v1alpha1.Store{Type: v1alpha1.StoreEmbedded}, refused, "", ""},
		{volume, good, metav1.ConditionTrue, v1alpha1.ReasonPersistent},
		{database, good, metav1.ConditionTrue, v1alpha1.ReasonPersistent},
	} {
		server.Spec.Store = c.store
		server.Status = r.serverStatus(&gathered{server: server}, &pass{hash: "h"}, &c.verdict, applied, observation{})
		got := meta.FindStatusCondition(server.Status.Conditions, v1alpha1.ConditionStorePersistent)
		if (got != nil) != (c.status != "") || got != nil && (got.Status != c.status || got.Reason != c.reason) {
			t.Errorf("store %+v, accepted %v: %+v", c.store, c.verdict.Accepted.Status, got)
		}
		if meta.IsStatusConditionTrue(server.Status.Conditions, v1alpha1.ConditionReady) != c.verdict.Accepted.Status {
			t.Errorf("store %+v: Ready is not what the verdict says", c.store)
		}
	}
}
