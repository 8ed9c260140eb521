// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/selection"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// servers is how many auth servers are worked on at once.
const servers = 4

// Retries of a failed pass: the first soon, later ones often enough that an API server that comes back is met.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 10 * time.Second
)

// NewScheme returns a scheme with Kubernetes' own kinds and ours.
func NewScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}

// CacheOptions say what the manager's caches hold: our kinds whole; of Secrets, ConfigMaps and Namespaces metadata only; of
// what the operator makes only what carries its label.
func CacheOptions(o Options) cache.Options {
	managed, err := labels.NewRequirement(v1alpha1.LabelServer, selection.Exists, nil)
	utilruntime.Must(err) // a constant
	ours := cache.ByObject{Label: labels.NewSelector().Add(*managed)}
	out := cache.Options{
		DefaultTransform:            stripped,
		ReaderFailOnMissingInformer: true,
		ByObject: map[client.Object]cache.ByObject{
			// Who owns which field of an AuthServer decides whether an auto-created one may go.
			&v1alpha1.AuthServer{}:          {Transform: func(o any) (any, error) { return o, nil }},
			&corev1.Pod{}:                   ours,
			&corev1.Service{}:               ours,
			&corev1.ServiceAccount{}:        ours,
			&appsv1.Deployment{}:            ours,
			&policyv1.PodDisruptionBudget{}: ours,
			&networkingv1.NetworkPolicy{}:   ours,
		},
	}
	if !o.clusterWide() {
		out.DefaultNamespaces = map[string]cache.Config{}
		for _, n := range o.Namespaces {
			out.DefaultNamespaces[n] = cache.Config{}
		}
	}
	return out
}

// stripped drops what the operator never looks at. The annotations of Secrets and ConfigMaps can hold a whole copy of the values
// (kubectl.kubernetes.io/last-applied-configuration).
func stripped(o any) (any, error) {
	if accessor, ok := o.(client.Object); ok {
		accessor.SetManagedFields(nil)
	}
	if m, ok := o.(*metav1.PartialObjectMetadata); ok {
		m.Annotations = nil
	}
	return o, nil
}

// Setup adds the controllers to a manager that was made with [CacheOptions].
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if o.Image == "" {
		return errors.New("setting up the controller: no image for auth servers")
	}
	o = o.withDefaults()
	if err := errors.Join(addIndexes(ctx, mgr.GetFieldIndexer()), addCredentialIndexes(ctx, mgr.GetFieldIndexer())); err != nil {
		return err
	}
	r := &Reconciler{
		client: mgr.GetClient(), live: mgr.GetAPIReader(), recorder: mgr.GetEventRecorder("gatehouse-operator"),
		options: o, states: newStates(), log: mgr.GetLogger().WithName("controller"),
	}
	r.audit = &audit{client: r.client, live: r.live, options: o, log: r.log.WithName("audit")}
	c := newCredentials(r)
	if err := errors.Join(r.watch(mgr), c.watch(mgr), c.metrics.register(o.Metrics)); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	if err := mgr.Add(r.audit); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	// The controller starts beside the fence, which must find pods in the cache all the same.
	if _, err := mgr.GetCache().GetInformer(ctx, &corev1.Pod{}, cache.BlockUntilSynced(false)); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	return mgr.Add(&fence{client: r.client, retry: o.Timing.Audit, log: r.log.WithName("fence")})
}

// watch starts the controller's sources. Its first pass runs when all of them have synced.
func (r *Reconciler) watch(mgr ctrl.Manager) error {
	b := ctrl.NewControllerManagedBy(mgr).Named("authserver").
		Watches(&v1alpha1.AuthServer{}, watched(r.onObject)).
		Watches(&v1alpha1.IdentityProvider{}, watched(r.onObject)).
		Watches(&v1alpha1.TenantJWTPolicy{}, watched(r.onObject)).
		WatchesMetadata(&corev1.Secret{}, watched(r.onReference(v1alpha1.BundleSecret))).
		WatchesMetadata(&corev1.ConfigMap{}, watched(r.onReference(v1alpha1.BundleConfigMap))).
		Watches(&corev1.Pod{}, watched(r.onPod))
	for kind, make := range managedKinds {
		if kind != kindSecret {
			b = b.Watches(make(), watched(r.onManaged))
		}
	}
	if r.options.clusterWide() {
		b = b.WatchesMetadata(&corev1.Namespace{}, watched(r.onNamespace), builder.OnlyMetadata)
	}
	return b.WithOptions(controller.Options{
		MaxConcurrentReconciles: servers,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
	}).Complete(r)
}
