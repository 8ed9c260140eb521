// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// Field indexes of the cache.
const (
	// indexServer finds providers and policies by the AuthServer that they name, as "namespace/name".
	indexServer = "gatehouse.server"
	// indexReference finds all three kinds by the Secrets and ConfigMaps that they name, as [render.Ref.String].
	indexReference = "gatehouse.reference"
)

func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for _, kind := range []client.Object{&v1alpha1.IdentityProvider{}, &v1alpha1.TenantJWTPolicy{}} {
		err := indexer.IndexField(ctx, kind, indexServer, func(o client.Object) []string {
			server, _ := serverOf(o)
			return []string{server.String()}
		})
		if err != nil {
			return fmt.Errorf("indexing %T by AuthServer: %w", kind, err)
		}
	}
	for _, kind := range []client.Object{&v1alpha1.AuthServer{}, &v1alpha1.IdentityProvider{}, &v1alpha1.TenantJWTPolicy{}} {
		err := indexer.IndexField(ctx, kind, indexReference, func(o client.Object) []string {
			var out []string
			for _, r := range referencesOf(o) {
				out = append(out, r.String())
			}
			return out
		})
		if err != nil {
			return fmt.Errorf("indexing %T by reference: %w", kind, err)
		}
	}
	return nil
}

// serverOf returns the AuthServer that an object belongs to: for an AuthServer itself; ok is false for other kinds.
func serverOf(o client.Object) (types.NamespacedName, bool) {
	switch o := o.(type) {
	case *v1alpha1.AuthServer:
		return client.ObjectKeyFromObject(o), true
	case *v1alpha1.IdentityProvider:
		return render.ServerOf(o.Spec.AuthServerRef, o.Namespace), true
	case *v1alpha1.TenantJWTPolicy:
		return render.ServerOf(o.Spec.AuthServerRef, o.Namespace), true
	}
	return types.NamespacedName{}, false
}

// referencesOf lists what a spec names, whether or not the object is accepted: events of these Secrets and ConfigMaps
// matter to it. Which of them are read is render's decision.
func referencesOf(o client.Object) []render.Ref {
	var refs []render.Ref
	bundle := func(b *v1alpha1.CABundleReference) {
		if b != nil {
			refs = append(refs, render.Ref{Kind: b.Kind, Namespace: o.GetNamespace(), Name: b.Name})
		}
	}
	secret := func(s *v1alpha1.SecretKeyReference) {
		if s != nil {
			refs = append(refs, render.Ref{Kind: v1alpha1.BundleSecret, Namespace: o.GetNamespace(), Name: s.Name})
		}
	}
	image := func(i *v1alpha1.Image) {
		if i != nil && i.ConfigMapRef != nil {
			refs = append(refs, render.Ref{Kind: v1alpha1.BundleConfigMap, Namespace: o.GetNamespace(), Name: i.ConfigMapRef.Name})
		}
	}
	switch o := o.(type) {
	case *v1alpha1.AuthServer:
		if o.Spec.Outbound != nil {
			bundle(o.Spec.Outbound.CABundleRef)
		}
		if o.Spec.Store.PostgreSQL != nil {
			secret(&o.Spec.Store.PostgreSQL.DSNSecretRef)
		}
		image(o.Spec.Login.Theme.Logo)
	case *v1alpha1.IdentityProvider:
		bundle(o.Spec.CABundleRef)
		image(o.Spec.Icon)
		if o.Spec.Password != nil {
			secret(o.Spec.Password.UsersSecretRef)
		}
		if o.Spec.OIDC != nil {
			secret(o.Spec.OIDC.ClientSecretRef)
		}
		if o.Spec.OAuth2 != nil {
			secret(o.Spec.OAuth2.ClientSecretRef)
		}
	case *v1alpha1.TenantJWTPolicy:
		bundle(o.Spec.CABundleRef)
		for i := range o.Spec.Issuers {
			for j := range o.Spec.Issuers[i].Keys {
				secret(o.Spec.Issuers[i].Keys[j].SecretRef)
			}
		}
		if d := o.Spec.Decryption; d != nil {
			for i := range d.Keys {
				secret(&d.Keys[i].SecretRef)
			}
		}
	}
	return refs
}
