// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("Propagation", func() {
	var (
		ns     string
		policy *v1alpha1.TenantJWTPolicy
	)
	BeforeEach(func(ctx context.Context) {
		ns = newNamespace(ctx)
		Expect(admin.Create(ctx, secret(ns, "acme", "secret", hmacKey))).To(Succeed())
		policy = hmacPolicy(ns, "acme", "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
	})

	It("says that no pod is ready, then that the ready pod serves it, then so for each change", func(ctx context.Context) {
		Eventually(fresh(ctx, policy)).Should(haveCondition(v1alpha1.ConditionConfigApplied, metav1.ConditionFalse, v1alpha1.ReasonNoReadyReplicas, "no pod"))
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		for _, audience := range []string{"one", "two", "three"} {
			update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{audience} })
			Eventually(fresh(ctx, policy)).Should(beReady())
		}
	})
})
