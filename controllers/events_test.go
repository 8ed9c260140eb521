// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("Events", func() {
	It("tell each transition once, and never what a Secret holds", func(ctx context.Context) {
		ns := newNamespace(ctx)
		policy := hmacPolicy(ns, "acme", "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		expectRefused(ctx, policy, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefNotFound, "")
		const leaked = "too-short-to-be-a-key"
		s := secret(ns, "acme", "secret", leaked)
		Expect(admin.Create(ctx, s)).To(Succeed())
		expectRefused(ctx, policy, v1alpha1.ConditionResolvedRefs, v1alpha1.ReasonRefInvalid, "")
		startPod(ctx, admin, defaultServer(ns))
		s.StringData = map[string]string{"secret": hmacKey}
		Expect(admin.Update(ctx, s)).To(Succeed())
		Eventually(fresh(ctx, policy)).Should(beReady())

		of := func(reason string) func() []eventsv1.Event {
			return func() []eventsv1.Event {
				var list eventsv1.EventList
				Expect(admin.List(ctx, &list, client.InNamespace(ns))).To(Succeed())
				var out []eventsv1.Event
				for _, e := range list.Items {
					Expect(e.Note).NotTo(ContainSubstring(leaked))
					Expect(e.Note).NotTo(ContainSubstring(hmacKey))
					if e.Reason == reason && e.Regarding.Name == "acme" {
						out = append(out, e)
					}
				}
				return out
			}
		}
		Eventually(of(v1alpha1.ReasonRefNotFound)).Should(ConsistOf(HaveField("Type", "Warning")))
		Eventually(of(v1alpha1.ReasonRefInvalid)).Should(ConsistOf(HaveField("Type", "Warning")))
		Eventually(of(v1alpha1.ReasonReady)).Should(ConsistOf(And(HaveField("Type", "Normal"), HaveField("ReportingController", "gatehouse-operator"))))
	})
})
