// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// One auth server issues, another verifies by the first one's JWKS URL, which resolves to a private address.
var _ = Describe("keys behind a URL", func() {
	It("are fetched once the AuthServer allows the address, and the condition says which", func(ctx SpecContext) {
		issuing := &v1alpha1.AuthServer{ObjectMeta: metav1.ObjectMeta{Name: "issuing", Namespace: namespace}}
		// A name of its own: pods on their way out of another suite's server of the same name would answer for a while, and
		// would be the ones that fetched.
		edge := edgeServer()
		edge.Name = "verifying"
		*edge.Spec.Replicas = 1
		people := staff(issuing.Name)
		origin := "http://gatehouse-issuing." + namespace + ".svc:8080"
		partner := policy("partner", edge.Name, newIssuer("unused"), origin)
		partner.Spec.Issuers = []v1alpha1.Issuer{{Issuer: origin, JWKSURI: origin + "/.well-known/jwks.json"}}
		partner.Spec.ClaimMappings.Username = v1alpha1.UsernameMapping{Claim: "preferred_username"}
		create(ctx, append(people, issuing, edge, partner)...)
		DeferCleanup(func(ctx SpecContext) {
			removeServer(ctx, edge, partner)
			removeServer(ctx, issuing, people...)
		}, NodeTimeout(patience))
		waitReady(ctx, issuing, edge, people[1], partner)

		status, answer := login(ctx, service(ctx, issuing.Name), phrase)
		Expect(status).To(Equal(http.StatusOK))
		address := strings.TrimSuffix(strings.TrimPrefix(service(ctx, issuing.Name), "http://"), ":8080")
		Eventually(func(g Gomega) {
			// Asked again each time: a pod tells of keys that it was asked for, and one that is replaced knows of none.
			code, headers, err := verify(ctx, browserless(), service(ctx, edge.Name), "partner", answer.AccessToken)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(code).To(Equal(http.StatusServiceUnavailable), "keys out of reach are 503, not 401")
			g.Expect(headers.Get("Retry-After")).NotTo(BeEmpty())
			c := meta.FindStatusCondition(conditions(ctx, partner), v1alpha1.ConditionUpstreamReady)
			g.Expect(c).NotTo(BeNil())
			g.Expect(c.Status).To(Equal(metav1.ConditionFalse), "%s: %s", c.Reason, c.Message)
			g.Expect(c.Reason).To(Equal(v1alpha1.ReasonAddressNotAllowed))
			g.Expect(c.Message).To(And(ContainSubstring(address+"/32"), ContainSubstring("outbound.allowedCIDRs")))
		}).Should(Succeed())
		Expect(ready(partner)).To(BeTrue(), "an upstream blocks Ready")

		patch(ctx, edge, func(a *v1alpha1.AuthServer) {
			a.Spec.Outbound = &v1alpha1.Outbound{AllowedCIDRs: []v1alpha1.CIDR{v1alpha1.CIDR(address + "/32")}}
		})
		waitReady(ctx, edge)
		Eventually(func(g Gomega) {
			code, headers, err := verify(ctx, browserless(), service(ctx, edge.Name), "partner", answer.AccessToken)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(code).To(Equal(http.StatusOK))
			g.Expect(headers.Get("X-Auth-Request-User")).To(Equal("ada"))
		}).Should(Succeed())

		By("leaving the URL to the issuer's metadata")
		patch(ctx, partner, func(p *v1alpha1.TenantJWTPolicy) { p.Spec.Issuers = []v1alpha1.Issuer{{Issuer: origin}} })
		waitReady(ctx, partner)
		code, headers, err := verify(ctx, browserless(), service(ctx, edge.Name), "partner", answer.AccessToken)
		Expect(err).NotTo(HaveOccurred())
		Expect(code).To(Equal(http.StatusOK))
		Expect(headers.Get("X-Auth-Request-User")).To(Equal("ada"))
	}, SpecTimeout(2*patience))
})
