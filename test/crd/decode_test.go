// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

// One stored object that the typed decoder cannot read would stop the list of its kind, and with it the operator. Each row
// is a value that a Go type behind the schema cannot hold: it is refused by the API server, or the typed
// list still works.
var _ = DescribeTable("no stored AuthServer stops the typed list",
	func(ctx SpecContext, manifest string) {
		if u, err := create(ctx, manifest); err == nil {
			DeferCleanup(api.Delete, u)
		}
		Expect(api.List(ctx, &v1alpha1.AuthServerList{})).To(Succeed())
	},
	Entry("replicas over int32", server("replicas: 3000000000")),
	Entry("tolerationSeconds over int64", server("podTemplate: {tolerations: [{key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 1.0e30}]}")),
	Entry("weight over int32", server("podTemplate: {affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 3000000000, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}}")),
	Entry("pod weight over int32", server("podTemplate: {affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 3000000000, podAffinityTerm: {topologyKey: a}}]}}}")),
	Entry("pod anti weight over int32", server("podTemplate: {affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: -3000000000, podAffinityTerm: {topologyKey: a}}]}}}")),
	Entry("maxSkew over int32", server("podTemplate: {topologySpreadConstraints: [{maxSkew: 3000000000, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]}")),
	Entry("minDomains over int32", server("podTemplate: {topologySpreadConstraints: [{maxSkew: 1, minDomains: 3000000000, topologyKey: a, whenUnsatisfiable: DoNotSchedule}]}")),
	Entry("budget over int32", server("podDisruptionBudget: {maxUnavailable: 3000000000}")),
	Entry("a huge amount", server("resources: {requests: {cpu: 99999999999999999999}}")),
	Entry("an amount as a fraction", server("resources: {requests: {cpu: 0.5}}")),
	Entry("a quantity with a huge exponent", server("resources: {requests: {cpu: '1e99999999999'}}")),
	Entry("a null amount", server("resources: {requests: {cpu: null}}")),
)

var _ = Describe("the kinds", func() {
	It("can be selected by tenant, server and type", func(ctx SpecContext) {
		u, err := create(ctx, policy("tenantID: selected", "authServerRef: {name: other}"))
		Expect(err).NotTo(HaveOccurred())
		for _, field := range []string{"spec.tenantID=selected", "spec.authServerRef.name=other"} {
			selector, err := fields.ParseSelector(field)
			Expect(err).NotTo(HaveOccurred())
			var list v1alpha1.TenantJWTPolicyList
			Expect(api.List(ctx, &list, client.MatchingFieldsSelector{Selector: selector})).To(Succeed())
			Expect(list.Items).To(HaveLen(1), field)
			Expect(list.Items[0].Name).To(Equal(u.GetName()))
		}
	})
})
