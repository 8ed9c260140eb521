// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

var _ = Describe("What the API server goes on refusing", func() {
	const applied = v1alpha1.ConditionConfigApplied
	var (
		ns     string
		policy *v1alpha1.TenantJWTPolicy
		server *v1alpha1.AuthServer
	)
	BeforeEach(func(ctx context.Context) {
		ns = newNamespace(ctx)
		Expect(admin.Create(ctx, secret(ns, "acme", "secret", hmacKey))).To(Succeed())
		policy, server = hmacPolicy(ns, "acme", "acme"), authServer(ns, "default")
		DeferCleanup(func() { line.refusing(nil) })
	})
	// refuse answers 403, as a quota or a webhook does, to writes of what has this in its path.
	refuse := func(path string) {
		line.refusing(func(req *http.Request) int {
			if req.Method != http.MethodGet && strings.Contains(req.URL.Path, "/namespaces/"+ns+"/"+path) {
				return http.StatusForbidden
			}
			return 0
		})
	}
	// told waits until the AuthServer and the policy say what is refused.
	told := func(ctx context.Context) {
		GinkgoHelper()
		Consistently(func() bool {
			c := conditionOf(fresh(ctx, policy)(), v1alpha1.ConditionReady)
			return c == nil || c.ObservedGeneration != policy.Generation
		}, "500ms").Should(BeTrue(), "a moment's failure is not told")
		clock.advance(11 * time.Second)
		for _, o := range []client.Object{policy, server} {
			Eventually(fresh(ctx, o)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, "refused by the test"))
			Expect(o).To(haveCondition(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPropagating, "refused by the test"))
		}
	}

	It("is told to those who wait, be it the workload", func(ctx context.Context) {
		refuse("deployments/")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		told(ctx)
		Expect(policy).To(haveCondition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted, ""))
		settled(ctx, ns)
		Consistently(func() []string { return line.in(ns) }, "700ms").Should(BeEmpty(), "each attempt writes")

		line.refusing(nil)
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		Eventually(fresh(ctx, server)).Should(beReady())
	})

	It("is told to those who wait, be it the configuration, and to nobody else", func(ctx context.Context) {
		other := hmacPolicy(ns, "other", "acme")
		Expect(admin.Create(ctx, policy)).To(Succeed())
		Expect(admin.Create(ctx, other)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		Eventually(fresh(ctx, other)).Should(beReady())
		settled(ctx, ns)
		version := other.ResourceVersion
		refuse("secrets/gatehouse-default-tenants")
		update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"x"} })
		told(ctx)
		Expect(fresh(ctx, other)().ResourceVersion).To(Equal(version))

		line.refusing(nil)
		Eventually(fresh(ctx, policy)).Should(beReady())
		Eventually(fresh(ctx, server)).Should(beReady())
		Expect(fresh(ctx, other)().ResourceVersion).To(Equal(version))
	})

	It("keeps no pod from confirming what was written, where only the workload is refused", func(ctx context.Context) {
		Expect(admin.Create(ctx, policy)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		refuse("deployments/")
		update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.Image = "localhost/gatehouse:next" })
		clock.advance(11 * time.Second)
		Eventually(fresh(ctx, server)).Should(haveCondition(applied, metav1.ConditionFalse, v1alpha1.ReasonPropagating, "refused by the test"))
		update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"x"} })
		Eventually(fresh(ctx, policy)).Should(beReady())
	})

	It("does not include a rendered Secret that somebody made immutable: it is made anew", func(ctx context.Context) {
		Expect(admin.Create(ctx, policy)).To(Succeed())
		startPod(ctx, admin, defaultServer(ns))
		Eventually(fresh(ctx, policy)).Should(beReady())
		for _, o := range managed(defaultServer(ns))[:2] {
			s := o.(*corev1.Secret)
			update(ctx, s, func(s *corev1.Secret) { s.Immutable = ptr.To(true) })
		}
		update(ctx, policy, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Audiences = []string{"x"} })
		Eventually(fresh(ctx, policy)).Should(beReady())
		update(ctx, server, func(s *v1alpha1.AuthServer) { s.Spec.ExternalURL = "https://auth.example.com" })
		Eventually(fresh(ctx, server)).Should(beReady())
		Expect(server.Status.URL).To(Equal("https://auth.example.com"))
	})
})
