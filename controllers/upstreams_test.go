// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("A server of many tenants", func() {
	It("is confirmed by its files alone, and asked for its objects seldom", func(ctx context.Context) {
		ns := newNamespace(ctx)
		first := urlPolicy(ns, "first")
		Expect(admin.Create(ctx, first)).To(Succeed())
		pod := startPod(ctx, admin, defaultServer(ns))
		pod.says("TenantJWTPolicy/"+ns+"/first", "False", v1alpha1.ReasonUnreachable)
		pod.saysAlso(20_000)
		Eventually(fresh(ctx, first)).Should(beReady())
		Eventually(fresh(ctx, first)).Should(haveCondition(v1alpha1.ConditionUpstreamReady, metav1.ConditionFalse, v1alpha1.ReasonUnreachable, ""))

		pod.hold(true)
		Expect(admin.Create(ctx, urlPolicy(ns, "second"))).To(Succeed())
		files, objects := pod.questions("files"), pod.questions("objects")
		Eventually(func() int { return pod.questions("files") - files }).Should(BeNumerically(">", 20))
		Expect(pod.questions("objects") - objects).To(BeNumerically("<", 10))
		Expect(pod.questions("")).To(BeZero())
	})
})
