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
	l := nameList{namespace: o.GetNamespace()}
	switch o := o.(type) {
	case *v1alpha1.AuthServer:
		l.server(&o.Spec)
	case *v1alpha1.IdentityProvider:
		l.provider(&o.Spec)
	case *v1alpha1.TenantJWTPolicy:
		l.policy(&o.Spec)
	}
	return l.refs
}

// nameList gathers what the spec of an object of the namespace names.
type nameList struct {
	namespace string
	refs      []render.Ref
}

func (l *nameList) bundle(b *v1alpha1.CABundleReference) {
	if b != nil {
		l.refs = append(l.refs, render.Ref{Kind: b.Kind, Namespace: l.namespace, Name: b.Name})
	}
}

func (l *nameList) secret(s *v1alpha1.SecretKeyReference) {
	if s != nil {
		l.refs = append(l.refs, render.Ref{Kind: v1alpha1.BundleSecret, Namespace: l.namespace, Name: s.Name})
	}
}

func (l *nameList) image(i *v1alpha1.Image) {
	if i != nil && i.ConfigMapRef != nil {
		l.refs = append(l.refs, render.Ref{Kind: v1alpha1.BundleConfigMap, Namespace: l.namespace, Name: i.ConfigMapRef.Name})
	}
}

func (l *nameList) server(spec *v1alpha1.AuthServerSpec) {
	if spec.Outbound != nil {
		l.bundle(spec.Outbound.CABundleRef)
	}
	if spec.Store.PostgreSQL != nil {
		l.secret(&spec.Store.PostgreSQL.DSNSecretRef)
		l.bundle(spec.Store.PostgreSQL.CABundleRef)
	}
	l.image(spec.Login.Theme.Logo)
}

func (l *nameList) provider(spec *v1alpha1.IdentityProviderSpec) {
	l.bundle(spec.CABundleRef)
	l.image(spec.Icon)
	if spec.Password != nil {
		l.secret(spec.Password.UsersSecretRef)
	}
	if spec.OIDC != nil {
		l.secret(spec.OIDC.ClientSecretRef)
	}
	if spec.OAuth2 != nil {
		l.secret(spec.OAuth2.ClientSecretRef)
	}
	if spec.JWTBearer != nil {
		l.secret(&spec.JWTBearer.KeySecretRef)
		l.secret(spec.JWTBearer.ClientSecretRef)
	}
}

func (l *nameList) policy(spec *v1alpha1.TenantJWTPolicySpec) {
	l.bundle(spec.CABundleRef)
	for i := range spec.Issuers {
		for j := range spec.Issuers[i].Keys {
			l.secret(spec.Issuers[i].Keys[j].SecretRef)
		}
	}
	if d := spec.Decryption; d != nil {
		for i := range d.Keys {
			l.secret(&d.Keys[i].SecretRef)
		}
	}
}
