// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"maps"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// change notes that a server needs a whole pass, which begins when the batch is over.
func (r *Reconciler) change(q queue, server types.NamespacedName) {
	r.states.of(server).change.mark(time.Now())
	q.AddAfter(reconcile.Request{NamespacedName: server}, r.options.Timing.Batch)
}

// look notes that a server's pods need a look, and nothing else.
func (r *Reconciler) look(q queue, server types.NamespacedName) {
	q.AddAfter(reconcile.Request{NamespacedName: server}, r.options.Timing.Poll/2)
}

// watched turns the three functions of an event into one that sees the old object (nil on create) and the new one (nil
// on delete).
func watched(f func(ctx context.Context, before, after client.Object, q queue)) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { f(ctx, nil, e.Object, q) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) { f(ctx, e.ObjectOld, e.ObjectNew, q) },
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { f(ctx, e.Object, nil, q) },
	}
}

// onObject: all three kinds lead to their AuthServer; when a reference changes, to the old one and the new one.
func (r *Reconciler) onObject(_ context.Context, before, after client.Object, q queue) {
	if before != nil && after != nil && before.GetUID() == after.GetUID() && before.GetGeneration() == after.GetGeneration() &&
		sameMetadata(before, after) {
		return // status
	}
	for _, o := range []client.Object{before, after} {
		if o == nil {
			continue
		}
		if server, ok := serverOf(o); ok {
			r.change(q, server)
		}
	}
}

// sameMetadata compares what people can change: labels, annotations, who owns which field, and whether the object is going.
func sameMetadata(before, after client.Object) bool {
	return maps.Equal(before.GetLabels(), after.GetLabels()) && maps.Equal(before.GetAnnotations(), after.GetAnnotations()) &&
		before.GetDeletionTimestamp().IsZero() == after.GetDeletionTimestamp().IsZero() &&
		reflect.DeepEqual(before.GetOwnerReferences(), after.GetOwnerReferences()) &&
		ownedByOthers(before.GetManagedFields()) == ownedByOthers(after.GetManagedFields())
}

// onReference: a Secret or ConfigMap leads to the servers of all objects that name it.
func (r *Reconciler) onReference(kind v1alpha1.BundleKind) func(context.Context, client.Object, client.Object, queue) {
	return func(ctx context.Context, before, after client.Object, q queue) {
		o := after
		if o == nil {
			o = before
		}
		ref := client.MatchingFields{indexReference: render.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}.String()}
		for _, list := range []client.ObjectList{&v1alpha1.AuthServerList{}, &v1alpha1.IdentityProviderList{}, &v1alpha1.TenantJWTPolicyList{}} {
			if err := r.client.List(ctx, list, ref); err != nil {
				r.log.Error(err, "finding who names an object", "kind", kind, "namespace", o.GetNamespace(), "name", o.GetName())
				continue
			}
			for _, named := range items(list) {
				if server, ok := serverOf(named); ok {
					r.change(q, server)
				}
			}
		}
		r.onManaged(ctx, before, after, q)
	}
}

func items(list client.ObjectList) []client.Object {
	var out []client.Object
	switch l := list.(type) {
	case *v1alpha1.AuthServerList:
		for i := range l.Items {
			out = append(out, &l.Items[i])
		}
	case *v1alpha1.IdentityProviderList:
		for i := range l.Items {
			out = append(out, &l.Items[i])
		}
	case *v1alpha1.TenantJWTPolicyList:
		for i := range l.Items {
			out = append(out, &l.Items[i])
		}
	}
	return out
}

// onManaged: what the operator made leads to its owner, when it was edited or is gone. One that lost its owner leads to the one it had.
func (r *Reconciler) onManaged(_ context.Context, before, after client.Object, q queue) {
	owners := map[types.NamespacedName]bool{}
	for _, o := range []client.Object{before, after} {
		if o == nil {
			continue
		}
		for _, owner := range o.GetOwnerReferences() {
			if owner.Kind == v1alpha1.KindAuthServer && ownedByGatehouse([]metav1.OwnerReference{owner}) {
				owners[types.NamespacedName{Namespace: o.GetNamespace(), Name: owner.Name}] = true
			}
		}
	}
	for server := range owners {
		if r.edited(server, before, after) {
			r.change(q, server)
		}
	}
}

// edited tells whether somebody else changed or deleted a managed object. A new one was made by us, or was there before
// this process, whose first pass looks at everything.
func (r *Reconciler) edited(server types.NamespacedName, before, after client.Object) bool {
	written := &r.states.of(server).written
	if after == nil {
		written.gone(before.GetUID())
		return true
	}
	ours := written.show(after.GetUID(), after.GetResourceVersion())
	return !ours && before != nil && !onlyStatus(before, after)
}

// onlyStatus tells whether an update left everything that we set alone. Kinds without a generation have it 0.
func onlyStatus(before, after client.Object) bool {
	if before.GetResourceVersion() == after.GetResourceVersion() {
		return true
	}
	return after.GetGeneration() != 0 && before.GetUID() == after.GetUID() && before.GetGeneration() == after.GetGeneration() && sameMetadata(before, after)
}

// onPod: a pod that became ready, or no longer is, leads to its server.
func (r *Reconciler) onPod(_ context.Context, before, after client.Object, q queue) {
	if b, ok := before.(*corev1.Pod); ok && after != nil {
		a := after.(*corev1.Pod)
		if b.UID == a.UID && isReady(b) == isReady(a) && b.Status.PodIP == a.Status.PodIP {
			return
		}
	}
	o := after
	if o == nil {
		o = before
	}
	r.look(q, types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetLabels()[v1alpha1.LabelServer]})
}

// onNamespace: labels decide who may attach to servers with from: Selector; and a new namespace may already hold objects that name
// its default AuthServer, which is made only where the namespace is not on its way out.
func (r *Reconciler) onNamespace(ctx context.Context, before, after client.Object, q queue) {
	if after != nil && (before == nil || before.GetUID() != after.GetUID()) {
		r.change(q, types.NamespacedName{Namespace: after.GetName(), Name: v1alpha1.DefaultServerName})
	}
	if before != nil && after != nil && maps.Equal(before.GetLabels(), after.GetLabels()) {
		return
	}
	var servers v1alpha1.AuthServerList
	if err := r.client.List(ctx, &servers); err != nil {
		r.log.Error(err, "finding servers that select namespaces")
		return
	}
	for i := range servers.Items {
		if servers.Items[i].Spec.AllowedNamespaces.From == v1alpha1.NamespacesSelector {
			r.change(q, client.ObjectKeyFromObject(&servers.Items[i]))
		}
	}
}
