// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// TestNamespaceNotYetKnown guards objects that are applied together with their namespace: the cache of namespaces may hear of
// theirs last, and nothing would come back to them.
func TestNamespaceNotYetKnown(t *testing.T) {
	r := play(t, nil, interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if o.GetObjectKind().GroupVersionKind().Kind == "Namespace" {
			return apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, key.Name)
		}
		return c.Get(ctx, key, o, opts...)
	}}, policyOf("default"))
	if _, err := r.Reconcile(t.Context(), request("default")); err != nil {
		t.Fatal(err)
	}
	if err := r.client.Get(t.Context(), request("default").NamespacedName, &v1alpha1.AuthServer{}); err != nil {
		t.Errorf("the default AuthServer was not made: %v", err)
	}
}

// TestNamespaceAppears guards that a new namespace wakes its default AuthServer: objects there may have been refused while an
// earlier namespace of that name was on its way out.
func TestNamespaceAppears(t *testing.T) {
	namespace := func(uid string) client.Object {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: types.UID(uid)}}
	}
	for name, c := range map[string]struct {
		before, after client.Object
		want          int
	}{
		"new":            {nil, namespace("1"), 1},
		"in its place":   {namespace("1"), namespace("2"), 1},
		"nothing of use": {namespace("1"), namespace("1"), 0},
		"gone":           {namespace("1"), nil, 0},
	} {
		r := play(t, nil, interceptor.Funcs{})
		r.options.Timing.Batch = 0
		q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
		r.onNamespace(t.Context(), c.before, c.after, q)
		if q.Len() != c.want {
			t.Errorf("%s: %d requests, want %d", name, q.Len(), c.want)
		} else if c.want > 0 {
			if got, _ := q.Get(); got != request("default") {
				t.Errorf("%s: woke %v", name, got)
			}
		}
		q.ShutDown()
	}
}
