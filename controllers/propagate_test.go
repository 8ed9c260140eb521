// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("Propagation", func() {
	const applied = v1alpha1.ConditionConfigApplied
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
	readyNow := func(ctx context.Context) func() bool {
		return func() bool {
			p := fresh(ctx, policy)()
			c := conditionOf(p, v1alpha1.ConditionReady)
			return c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == p.Generation
		}
	}
	change := func(ctx context.Context, audience string) {
		GinkgoHelper()
		update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{audience} })
	}

	It("says that no pod is ready, then that the ready pod serves it, then so for each change", func(ctx context.Context) {
		Eventually(fresh(ctx, policy)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonNoReadyReplicas, "no pod"))
		pod := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		for _, audience := range []string{"one", "two", "three"} {
			before := pod.nudged()
			change(ctx, audience)
			Eventually(fresh(ctx, policy)).Should(beReady())
			Expect(pod.nudged()).To(BeNumerically(">", before), "nothing but the annotation refreshes a pod here")
		}
	})

	It("is never Ready while a ready pod lags, and nudges that pod again", func(ctx context.Context) {
		startPod(ctx, admin, defaultServer(ns))
		slow := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		slow.hold(true)
		before := slow.nudged()
		change(ctx, "new")
		Consistently(readyNow(ctx), "800ms").Should(BeFalse())
		Eventually(fresh(ctx, policy)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, "1 of 2 ready pods"))
		Eventually(func() string { return fresh(ctx, authServer(ns, "default"))().Status.Applied }).Should(Equal("1/2"))
		Eventually(slow.nudged).Should(BeNumerically(">=", before+2))
		slow.hold(false)
		Eventually(fresh(ctx, policy)).Should(beReady())
		Eventually(func() string { return fresh(ctx, authServer(ns, "default"))().Status.Applied }).Should(Equal("2/2"))
	})

	It("is Ready without a pod that is not, and stays so whatever becomes of pods", func(ctx context.Context) {
		first := startPod(ctx, admin, defaultServer(ns))
		lame := preparePod(ctx, admin, defaultServer(ns)) // mounted nothing, not ready
		Eventually(fresh(ctx, policy)).Should(beReady())
		version := policy.ResourceVersion
		replicas := func() int32 { return fresh(ctx, authServer(ns, "default"))().Status.Replicas }
		Eventually(replicas).Should(BeEquivalentTo(2), "for autoscalers, who count pods that are not ready too")
		lame.hold(true)
		lame.ready(ctx, true)
		Eventually(func() string { return fresh(ctx, authServer(ns, "default"))().Status.Applied }).Should(Equal("1/2"))
		first.ready(ctx, false)
		lame.ready(ctx, false)
		Eventually(fresh(ctx, authServer(ns, "default"))).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonNoReadyReplicas, ""))
		Expect(fresh(ctx, policy)().ResourceVersion).To(Equal(version))
		Expect(replicas()).To(BeEquivalentTo(2))
		lame.remove(ctx)
		Eventually(replicas).Should(BeEquivalentTo(1))
	})

	It("does not believe a pod that cannot be asked", func(ctx context.Context) {
		pod := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		pod.fail(true)
		change(ctx, "new")
		Eventually(fresh(ctx, policy)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, "reading /configz: answered 500"))
		pod.fail(false)
		Eventually(fresh(ctx, policy)).Should(beReady())
	})

	It("confirms an object by any later write of its file, so that a busy file starves nobody", func(ctx context.Context) {
		pod := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		pod.hold(true)
		change(ctx, "new")
		Eventually(fresh(ctx, policy)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, ""))
		// The pod takes what is there now, and the file goes on changing: the pod is never up to date again.
		pod.sync(ctx)
		for i := range 3 {
			Expect(admin.Create(ctx, urlPolicy(ns, fmt.Sprintf("n%d", i)))).To(Succeed())
		}
		Eventually(fresh(ctx, policy)).Should(beReady())
		Expect(fresh(ctx, urlPolicy(ns, "n2"))()).NotTo(beReady())
	})

	It("does not take a pod's old answer for a change that was taken back at once", func(ctx context.Context) {
		pod := startPod(ctx, admin, defaultServer(ns))
		change(ctx, "A")
		Eventually(fresh(ctx, policy)).Should(beReady())
		pod.hold(true)
		change(ctx, "B")
		Eventually(fresh(ctx, policy)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, ""))
		pod.fail(true) // the operator does not see that the pod loads B
		pod.sync(ctx)
		change(ctx, "A")
		Consistently(readyNow(ctx), "800ms").Should(BeFalse(), "the pod serves B")
		pod.fail(false)
		Consistently(readyNow(ctx), "500ms").Should(BeFalse(), "the pod serves B")
		pod.hold(false)
		Eventually(fresh(ctx, policy)).Should(beReady())
		Expect(pod.serves(ctx)()).To(BeTrue())
	})

	It("applies a changed Secret like a changed spec", func(ctx context.Context) {
		pod := startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "acme"}}
		pod.hold(true)
		update(ctx, s, func(s *corev1.Secret) { s.StringData = map[string]string{"secret": hmacKey + "-the-next-one"} })
		Eventually(fresh(ctx, policy)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, ""))
		pod.hold(false)
		Eventually(fresh(ctx, policy)).Should(beReady())
		Expect(policy.Status.References[0].ResourceVersion).To(Equal(fresh(ctx, s)().ResourceVersion))
	})

	It("tells the worst of what the pods say of upstreams", func(ctx context.Context) {
		p := urlPolicy(ns, "remote")
		Expect(admin.Create(ctx, p)).To(Succeed())
		key := "TenantJWTPolicy/" + ns + "/remote"
		one, two := startPod(ctx, admin, defaultServer(ns)), startPod(ctx, admin, defaultServer(ns))
		one.says(key, "True", v1alpha1.ReasonReady)
		two.says(key, "Unknown", v1alpha1.ReasonNotYetFetched)
		Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionUpstreamReady, metav1.ConditionUnknown, v1alpha1.ReasonNotYetFetched, ""))
		Expect(p).To(beReady(), "an upstream never blocks")
		two.says(key, "False", v1alpha1.ReasonUnreachable)
		Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionUpstreamReady, metav1.ConditionFalse, v1alpha1.ReasonUnreachable, ""))
		two.says(key, "True", v1alpha1.ReasonReady)
		Eventually(fresh(ctx, p)).Should(haveCondition(v1alpha1.ConditionUpstreamReady, metav1.ConditionTrue, v1alpha1.ReasonReady, ""))
		Expect(fresh(ctx, policy)().Status.Conditions).NotTo(ContainElement(HaveField("Type", v1alpha1.ConditionUpstreamReady)))
	})
})
