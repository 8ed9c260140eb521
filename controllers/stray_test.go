// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("A stray pod with a server's labels", func() {
	It("confirms nothing, keeps nothing from being confirmed and is not annotated", func(ctx context.Context) {
		ns := newNamespace(ctx)
		policy := urlPolicy(ns, "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		var d appsv1.Deployment
		Eventually(func() error {
			return admin.Get(ctx, types.NamespacedName{Namespace: ns, Name: "gatehouse-default"}, &d)
		}).Should(Succeed())
		stray := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "stray", Labels: d.Spec.Template.Labels}, Spec: d.Spec.Template.Spec}
		Expect(admin.Create(ctx, stray)).To(Succeed())
		base := stray.DeepCopy()
		stray.Status.PodIP, stray.Status.PodIPs = "127.0.0.1", []corev1.PodIP{{IP: "127.0.0.1"}}
		stray.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
		Expect(admin.Status().Patch(ctx, stray, client.MergeFrom(base))).To(Succeed())

		Eventually(fresh(ctx, policy)).Should(haveCondition(v1alpha1.ConditionConfigApplied, metav1.ConditionFalse, v1alpha1.ReasonNoReadyReplicas, ""))
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		Eventually(func() string { return fresh(ctx, authServer(ns, "default"))().Status.Applied }).Should(Equal("1/1"))
		Expect(fresh(ctx, stray)().Annotations).NotTo(HaveKey(v1alpha1.AnnotationConfigHash))
	})
})
