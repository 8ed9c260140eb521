// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// policy is a good policy of the AuthServer default/default.
func policy(namespace, name, tenant string) *v1alpha1.TenantJWTPolicy {
	return &v1alpha1.TenantJWTPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.TenantJWTPolicySpec{
			AuthServerRef: v1alpha1.AuthServerReference{Name: "default", Namespace: "default"},
			TenantID:      tenant,
			Issuers:       []v1alpha1.Issuer{{Issuer: "https://" + tenant + ".example", JWKSURI: "https://" + tenant + ".example/keys"}},
			Algorithms:    []v1alpha1.SignatureAlgorithm{"RS256"},
		},
	}
}

func provider(name, secret string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec: v1alpha1.IdentityProviderSpec{
			Type:     v1alpha1.ProviderPassword,
			Password: &v1alpha1.PasswordProvider{UsersSecretRef: &v1alpha1.SecretKeyReference{Name: secret, Key: "users.yaml"}},
		},
	}
}

// server is default/default, open to every namespace.
func server() *v1alpha1.AuthServer {
	return &v1alpha1.AuthServer{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "default"},
		Spec: v1alpha1.AuthServerSpec{
			ExternalURL:       "https://auth.example.com",
			AllowedNamespaces: v1alpha1.AllowedNamespaces{From: v1alpha1.NamespacesAll},
		},
	}
}

func keyOf(p *v1alpha1.TenantJWTPolicy) render.Key {
	return render.Key{Kind: v1alpha1.KindTenantJWTPolicy, Namespace: p.Namespace, Name: p.Name}
}

func secret(name string) render.Ref {
	return render.Ref{Kind: v1alpha1.BundleSecret, Namespace: "default", Name: name}
}

// mustRender renders default/default. References that refs lacks are not found.
func mustRender(t testing.TB, in render.Input, refs map[render.Ref]render.Resolved) *render.Output {
	t.Helper()
	in.Name = defaultServer
	if in.Server == nil {
		in.Server = server()
	}
	plan := render.NewPlan(in)
	all := map[render.Ref]render.Resolved{}
	for _, ref := range plan.References() {
		all[ref] = refs[ref]
	}
	out, err := plan.Render(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func found(key, value string) render.Resolved {
	return render.Resolved{Found: true, ResourceVersion: "7", Data: map[string][]byte{key: []byte(value)}}
}
