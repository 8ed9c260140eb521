// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gcustom"
	gomegatypes "github.com/onsi/gomega/types"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// newNamespace makes a namespace for one spec.
func newNamespace(ctx context.Context, labels ...string) string {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-", Labels: map[string]string{}}}
	for i := 0; i+1 < len(labels); i += 2 {
		ns.Labels[labels[i]] = labels[i+1]
	}
	Expect(admin.Create(ctx, ns)).To(Succeed())
	return ns.Name
}

func defaultServer(namespace string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: "default"}
}

// hmacPolicy trusts one symmetric key of a Secret.
func hmacPolicy(namespace, name, secret string) *v1alpha1.TenantJWTPolicy {
	return &v1alpha1.TenantJWTPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.TenantJWTPolicySpec{
			TenantID:   name,
			Algorithms: []v1alpha1.SignatureAlgorithm{"HS256"},
			Issuers: []v1alpha1.Issuer{{Issuer: "https://" + name + ".example", Keys: []v1alpha1.KeySource{{
				SecretRef: &v1alpha1.SecretKeyReference{Name: secret, Key: "secret"}, Format: v1alpha1.KeyFormatSymmetric,
			}}}},
		},
	}
}

// urlPolicy trusts a key set that the auth servers fetch.
func urlPolicy(namespace, name string) *v1alpha1.TenantJWTPolicy {
	return &v1alpha1.TenantJWTPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.TenantJWTPolicySpec{
			TenantID: name,
			Issuers:  []v1alpha1.Issuer{{Issuer: "https://" + name + ".example", JWKSURI: "https://" + name + ".example/keys"}},
		},
	}
}

func passwordProvider(namespace, name, secret string) *v1alpha1.IdentityProvider {
	return &v1alpha1.IdentityProvider{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.IdentityProviderSpec{
			Type:     v1alpha1.ProviderPassword,
			Password: &v1alpha1.PasswordProvider{UsersSecretRef: &v1alpha1.SecretKeyReference{Name: secret, Key: "users.yaml"}},
		},
	}
}

func authServer(namespace, name string) *v1alpha1.AuthServer {
	return &v1alpha1.AuthServer{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
}

func secret(namespace, name string, data ...string) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, StringData: map[string]string{}}
	for i := 0; i+1 < len(data); i += 2 {
		s.StringData[data[i]] = data[i+1]
	}
	return s
}

const hmacKey = "0123456789abcdef0123456789abcdef"

// condition waits for a condition on what Eventually returns (an object).
func haveCondition(kind string, status metav1.ConditionStatus, reason, message string) gomegatypes.GomegaMatcher {
	return gcustom.MakeMatcher(func(o client.Object) (bool, error) {
		c := conditionOf(o, kind)
		if c == nil || c.ObservedGeneration != o.GetGeneration() || c.Status != status || c.Reason != reason {
			return false, nil
		}
		return ContainSubstring(message).Match(c.Message)
	}).WithTemplate("Expected\n{{.FormattedActual}}\nto have the condition {{.Data.Kind}}={{.Data.Status}} {{.Data.Reason}} with {{.Data.Message}}").
		WithTemplateData(map[string]any{"Kind": kind, "Status": status, "Reason": reason, "Message": message})
}

func conditionsOf(o client.Object) []metav1.Condition {
	switch o := o.(type) {
	case *v1alpha1.AuthServer:
		return o.Status.Conditions
	case *v1alpha1.IdentityProvider:
		return o.Status.Conditions
	case *v1alpha1.TenantJWTPolicy:
		return o.Status.Conditions
	}
	return nil
}

func conditionOf(o client.Object, kind string) *metav1.Condition {
	return meta.FindStatusCondition(conditionsOf(o), kind)
}

// fresh returns the object as the API server has it now.
func fresh[T client.Object](ctx context.Context, o T) func() T {
	return func() T {
		_ = admin.Get(ctx, client.ObjectKeyFromObject(o), o) // a missing object has no condition
		return o
	}
}

func beReady() gomegatypes.GomegaMatcher {
	return haveCondition(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonReady, "")
}

// update changes an object as a user would.
func update[T client.Object](ctx context.Context, o T, change func(T)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := admin.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		change(o)
		return admin.Update(ctx, o)
	}).Should(Succeed())
}

// bindAdmin gives a user every right until the spec ends.
func bindAdmin(ctx context.Context, user string) {
	GinkgoHelper()
	b := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "everything-"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	Expect(admin.Create(ctx, b)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(admin.Delete(ctx, b)).To(Succeed()) })
}
