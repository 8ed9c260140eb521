// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// Field indexes of the cache.
const (
	// indexOutput finds providers by the Secret that they claim, as "namespace/name".
	indexOutput = "gatehouse.output"
	// indexController finds Secrets by the UID of the provider that controls them.
	indexController = "gatehouse.controller"
)

// credentialWorkers look at providers. There are more than may ask token endpoints at once, so that somebody always looks at what has changed.
const credentialWorkers = gatePlaces + 4

func addCredentialIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &v1alpha1.IdentityProvider{}, indexOutput, func(o client.Object) []string {
		if p, ok := o.(*v1alpha1.IdentityProvider); ok && claimedOutput(p) != "" {
			return []string{p.Namespace + "/" + claimedOutput(p)}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing providers by Secret: %w", err)
	}
	err = indexer.IndexField(ctx, metadataOf(kindSecret), indexController, func(o client.Object) []string {
		if owner := controllerOf(o); owner != nil {
			return []string{string(owner.UID)}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing Secrets by provider: %w", err)
	}
	return nil
}

// watch starts the controller's sources.
func (c *credentials) watch(mgr ctrl.Manager) error {
	b := ctrl.NewControllerManagedBy(mgr).Named("credential").
		Watches(&v1alpha1.IdentityProvider{}, watched(c.onProvider)).
		Watches(&v1alpha1.AuthServer{}, watched(c.onServer)).
		WatchesMetadata(&corev1.Secret{}, watched(c.onReference(v1alpha1.BundleSecret))).
		WatchesMetadata(&corev1.ConfigMap{}, watched(c.onReference(v1alpha1.BundleConfigMap))).
		WatchesRawSource(source.Func(func(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
			c.queue = q
			return nil
		}))
	if c.r.options.clusterWide() {
		b = b.WatchesMetadata(&corev1.Namespace{}, watched(c.onNamespace))
	}
	return b.WithOptions(controller.Options{
		MaxConcurrentReconciles: credentialWorkers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
	}).Complete(c)
}

// look queues a provider. Changes that come together are one look.
func (c *credentials) look(q queue, provider types.NamespacedName) {
	q.AddAfter(reconcile.Request{NamespacedName: provider}, c.r.options.Timing.Batch)
}

// lookAt queues the providers that a list of the cache finds and that want a Secret.
func (c *credentials) lookAt(ctx context.Context, q queue, options ...client.ListOption) {
	var list v1alpha1.IdentityProviderList
	if err := c.r.client.List(ctx, &list, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		c.r.log.Error(err, "finding providers that want a Secret")
		return
	}
	for i := range list.Items {
		if outputOf(&list.Items[i]) != "" {
			c.look(q, client.ObjectKeyFromObject(&list.Items[i]))
		}
	}
}

// onProvider: a new process looks at every provider once, since one that was changed meanwhile may have left a Secret. Others may wait for the name that it claims, or
// claimed.
func (c *credentials) onProvider(ctx context.Context, before, after client.Object, q queue) {
	if before != nil && after != nil && before.GetUID() == after.GetUID() && before.GetGeneration() == after.GetGeneration() && sameMetadata(before, after) {
		return // status
	}
	for _, o := range []client.Object{before, after} {
		if o == nil {
			continue
		}
		c.look(q, client.ObjectKeyFromObject(o))
		if p, ok := o.(*v1alpha1.IdentityProvider); ok && claimedOutput(p) != "" {
			c.lookAt(ctx, q, client.MatchingFields{indexOutput: p.Namespace + "/" + claimedOutput(p)})
		}
	}
}

// onServer: its rules for outbound connections, and who may attach, decide whether a token can be had.
func (c *credentials) onServer(ctx context.Context, before, after client.Object, q queue) {
	if before != nil && after != nil && before.GetUID() == after.GetUID() && before.GetGeneration() == after.GetGeneration() && sameMetadata(before, after) {
		return // status
	}
	o := after
	if o == nil {
		o = before
	}
	c.lookAt(ctx, q, client.MatchingFields{indexServer: client.ObjectKeyFromObject(o).String()})
}

// onReference: a Secret or ConfigMap leads to the providers that name it, themselves or through their AuthServer; a Secret also to those that control it or want its name.
func (c *credentials) onReference(kind v1alpha1.BundleKind) func(context.Context, client.Object, client.Object, queue) {
	return func(ctx context.Context, before, after client.Object, q queue) {
		o := after
		if o == nil {
			o = before
		}
		ref := client.MatchingFields{indexReference: render.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}.String()}
		c.lookAt(ctx, q, ref)
		var servers v1alpha1.AuthServerList
		if err := c.r.client.List(ctx, &servers, ref, client.UnsafeDisableDeepCopy); err != nil {
			c.r.log.Error(err, "finding who names an object", "kind", kind, "namespace", o.GetNamespace(), "name", o.GetName())
			return
		}
		for i := range servers.Items {
			c.onServer(ctx, nil, &servers.Items[i], q)
		}
		if kind != v1alpha1.BundleSecret {
			return
		}
		c.lookAt(ctx, q, client.MatchingFields{indexOutput: o.GetNamespace() + "/" + o.GetName()})
		for _, o := range []client.Object{before, after} {
			if o == nil {
				continue
			}
			if owner := controllerOf(o); owner != nil {
				c.look(q, types.NamespacedName{Namespace: o.GetNamespace(), Name: owner.Name})
			}
		}
	}
}

// onNamespace: labels decide who may attach to servers with from: Selector.
func (c *credentials) onNamespace(ctx context.Context, before, after client.Object, q queue) {
	if before == nil || after == nil || maps.Equal(before.GetLabels(), after.GetLabels()) {
		return
	}
	c.lookAt(ctx, q, client.InNamespace(after.GetName()))
}
