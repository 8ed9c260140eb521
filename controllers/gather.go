// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"iter"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// gathered is one auth server as the caches have it. Nothing in it may be changed: the objects are the cache's copies.
type gathered struct {
	name types.NamespacedName
	// server is nil when it does not exist or is being deleted: nothing attaches to a server on its way out.
	server *v1alpha1.AuthServer
	// leaving tells that server is nil because it is being deleted.
	leaving bool
	// providers and policies that name the server. One that was deleted counts no more, also while a finalizer keeps it.
	providers []*v1alpha1.IdentityProvider
	policies  []*v1alpha1.TenantJWTPolicy
	// pods of the server's Deployment, and no others that carry its label.
	pods []corev1.Pod
}

// objects are the providers and policies, each with the status that it has.
func (g *gathered) objects() iter.Seq2[client.Object, *v1alpha1.ObjectStatus] {
	return func(yield func(client.Object, *v1alpha1.ObjectStatus) bool) {
		for _, o := range g.providers {
			if !yield(o, &o.Status) {
				return
			}
		}
		for _, o := range g.policies {
			if !yield(o, &o.Status) {
				return
			}
		}
	}
}

// referred tells whether any object names the server.
func (g *gathered) referred() bool { return len(g.providers)+len(g.policies) > 0 }

func (r *Reconciler) gather(ctx context.Context, name types.NamespacedName) (*gathered, error) {
	g := &gathered{name: name}
	if err := r.gatherServer(ctx, g); err != nil {
		return nil, err
	}
	// Without copies: a look at the pods happens often, and nothing here changes what it is given.
	byServer := client.MatchingFields{indexServer: name.String()}
	var providers v1alpha1.IdentityProviderList
	if err := r.client.List(ctx, &providers, byServer, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing providers: %w", err)
	}
	for i := range providers.Items {
		if o := &providers.Items[i]; o.DeletionTimestamp.IsZero() {
			g.providers = append(g.providers, o)
		}
	}
	var policies v1alpha1.TenantJWTPolicyList
	if err := r.client.List(ctx, &policies, byServer, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing policies: %w", err)
	}
	for i := range policies.Items {
		if o := &policies.Items[i]; o.DeletionTimestamp.IsZero() {
			g.policies = append(g.policies, o)
		}
	}
	if g.server == nil {
		return g, nil
	}
	var pods corev1.PodList
	err := r.client.List(ctx, &pods, client.InNamespace(name.Namespace), client.MatchingLabels(selectorLabels(name.Name)), client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; runs(p, name.Name) {
			g.pods = append(g.pods, *p)
		}
	}
	return g, nil
}

// runs tells whether a pod with the server's labels is of the server's Deployment, by what a Deployment leaves on its pods: their
// ReplicaSet's name is the Deployment's and the hash of the template. Labels alone would let any pod of the namespace, made by
// mistake or in malice, keep everything from being confirmed.
func runs(p *corev1.Pod, server string) bool {
	owner := metav1.GetControllerOf(p)
	hash := p.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	return owner != nil && hash != "" && owner.Kind == "ReplicaSet" && strings.HasPrefix(owner.APIVersion, appsv1.GroupName+"/") &&
		owner.Name == workloadName(server)+"-"+hash && p.Spec.ServiceAccountName == workloadName(server)
}

func (r *Reconciler) gatherServer(ctx context.Context, g *gathered) error {
	if !r.options.watches(g.name.Namespace) {
		return nil
	}
	var server v1alpha1.AuthServer
	err := r.client.Get(ctx, g.name, &server)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading AuthServer: %w", err)
	case !server.DeletionTimestamp.IsZero():
		g.leaving = true
		return nil
	}
	g.server = &server
	return nil
}

// input is what render needs of it. ShardCount and LastBase are the caller's to set.
func (r *Reconciler) input(ctx context.Context, g *gathered) render.Input {
	in := render.Input{
		Name: g.name, Server: g.server, Providers: g.providers, Policies: g.policies,
		RequireSecretLabel: r.options.RequireSecretLabel,
	}
	if r.options.clusterWide() {
		in.NamespaceLabels = func(namespace string) (map[string]string, bool) {
			ns := namespaceMetadata()
			if err := r.client.Get(ctx, types.NamespacedName{Name: namespace}, ns); err != nil {
				return nil, false
			}
			return ns.Labels, true
		}
	}
	return in
}

// namespaceTerminating tells whether a namespace is known to be on its way out. Where namespaces cannot be read, and where the
// cache has not heard of a new one yet, the API server's own refusal to create anything there has to do.
func (r *Reconciler) namespaceTerminating(ctx context.Context, namespace string) (bool, error) {
	if !r.options.clusterWide() {
		return false, nil
	}
	ns := namespaceMetadata()
	err := r.client.Get(ctx, types.NamespacedName{Name: namespace}, ns)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading namespace: %w", err)
	}
	return !ns.DeletionTimestamp.IsZero(), nil
}

func metadataOf(kind string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: kind}}
}

func namespaceMetadata() *metav1.PartialObjectMetadata { return metadataOf("Namespace") }
