// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// edgeServer verifies only, with three replicas.
func edgeServer() *v1alpha1.AuthServer {
	replicas := int32(3)
	return &v1alpha1.AuthServer{
		ObjectMeta: metav1.ObjectMeta{Name: "edge", Namespace: namespace},
		Spec: v1alpha1.AuthServerSpec{
			Replicas: &replicas,
			Store:    v1alpha1.Store{Type: v1alpha1.StoreNone},
		},
	}
}

// removeServer deletes a server with what refers to it, and waits until its pods are gone.
func removeServer(ctx context.Context, server *v1alpha1.AuthServer, others ...client.Object) {
	GinkgoHelper()
	for _, o := range append(others, server) {
		Expect(client.IgnoreNotFound(api.Delete(ctx, o))).To(Succeed())
	}
	Eventually(func() int { return len(pods(ctx, server.Name)) }).Should(BeZero())
}

// patch changes an object through a merge patch.
func patch[T client.Object](ctx context.Context, o T, change func(T)) {
	GinkgoHelper()
	Expect(api.Get(ctx, client.ObjectKeyFromObject(o), o)).To(Succeed())
	before, ok := o.DeepCopyObject().(client.Object)
	Expect(ok).To(BeTrue())
	change(o)
	Expect(api.Patch(ctx, o, client.MergeFrom(before))).To(Succeed())
}

// operatorClient acts as the operator's ServiceAccount.
func operatorClient(ctx context.Context) client.Client {
	GinkgoHelper()
	var list appsv1.DeploymentList
	Expect(api.List(ctx, &list, client.InNamespace(operatorNamespace))).To(Succeed())
	Expect(list.Items).To(HaveLen(1))
	account := list.Items[0].Spec.Template.Spec.ServiceAccountName
	as := rest.CopyConfig(config)
	as.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + operatorNamespace + ":" + account,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace, "system:authenticated"},
	}
	c, err := client.New(as, client.Options{Scheme: scheme.Scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}
