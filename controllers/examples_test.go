// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("A policy", func() {
	const passed = v1alpha1.ConditionExamplesPassed
	var ns string
	BeforeEach(func(ctx context.Context) { ns = newNamespace(ctx) })

	It("tells which of its examples fails, and is served all the same", func(ctx context.Context) {
		p := urlPolicy(ns, "acme")
		p.Spec.ClaimMappings = &v1alpha1.ClaimMappings{Username: v1alpha1.UsernameMapping{Claim: "sub"}}
		p.Spec.Examples = []v1alpha1.PolicyExample{{
			Claims: apiextensionsv1.JSON{Raw: []byte(`{"iss": "https://acme.example", "sub": "bob"}`)}, Expect: v1alpha1.ExampleOutcome{Username: "ann"},
		}}
		Expect(admin.Create(ctx, p)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, p)).Should(beReady())
		Expect(p).To(haveCondition(passed, metav1.ConditionFalse, v1alpha1.ReasonExampleFailed, `spec.examples[0]: it passes with username "bob", and "ann" is expected`))
		Eventually(func() []eventsv1.Event {
			var list eventsv1.EventList
			Expect(admin.List(ctx, &list, client.InNamespace(ns))).To(Succeed())
			return list.Items
		}).Should(ContainElement(And(HaveField("Reason", v1alpha1.ReasonExampleFailed), HaveField("Type", "Warning"))))

		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Examples[0].Expect.Username = "bob" })
		Eventually(fresh(ctx, p)).Should(haveCondition(passed, metav1.ConditionTrue, v1alpha1.ReasonExamplesPassed, "1 of 1 examples come out as expected"))
		update(ctx, p, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Examples = nil })
		Eventually(func() *metav1.Condition { return conditionOf(fresh(ctx, p)(), passed) }).Should(BeNil())
	})

	It("tells what is doubtful about its keys where kubectl describe shows it", func(ctx context.Context) {
		Expect(admin.Create(ctx, secret(ns, "keys", "secret", hmacKey+"\n"))).To(Succeed())
		p := hmacPolicy(ns, "acme", "keys")
		Expect(admin.Create(ctx, p)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, p)).Should(beReady())
		Expect(p).To(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted,
			`warning: spec.issuers[0].keys[0].secretRef: key "secret" of Secret `+ns+`/keys: the value ends with a line break`))
	})

	It("follows the Secrets of its decryption keys", func(ctx context.Context) {
		p := urlPolicy(ns, "acme")
		p.Spec.Decryption = &v1alpha1.Decryption{KeyAlgorithms: []v1alpha1.KeyAlgorithm{"A256KW"}, Keys: []v1alpha1.DecryptionKeySource{{
			SecretRef: v1alpha1.SecretKeyReference{Name: "wrap", Key: "key"}, Format: v1alpha1.KeyFormatSymmetric}}}
		Expect(admin.Create(ctx, p)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefNotFound, "spec.decryption.keys[0].secretRef")
		s := secret(ns, "wrap", "key", "too short")
		Expect(admin.Create(ctx, s)).To(Succeed())
		expectRefused(ctx, p, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefInvalid, "symmetric key has 9 bytes")
		s.StringData = map[string]string{"key": hmacKey}
		Expect(admin.Update(ctx, s)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, p)).Should(beReady())
		Expect(p.Status.References).To(ConsistOf(HaveField("ResourceVersion", s.ResourceVersion)))
	})
})
