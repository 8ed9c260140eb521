// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"strings"

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
	Entry("time series over int32", server("monitoring: {tenantSeries: 3000000000}")),
	Entry("time series as a fraction", server("monitoring: {tenantSeries: 1.5}")),
	Entry("time series as text", server("monitoring: {tenantSeries: '7'}")),
	Entry("null time series", server("monitoring: {tenantSeries: null}")),
)

// The claims of an example are any JSON, so they are where hostile values get furthest.
var _ = DescribeTable("no stored TenantJWTPolicy stops the typed list",
	func(ctx SpecContext, manifest string) {
		if u, err := create(ctx, manifest); err == nil {
			DeferCleanup(api.Delete, u)
		}
		Expect(api.List(ctx, &v1alpha1.TenantJWTPolicyList{})).To(Succeed())
	},
	Entry("claims with numbers beyond every type", example("{a: 99999999999999999999999999, b: 1.0e300, c: -0.0, d: 18446744073709551615}")),
	Entry("claims with a number that overflows", example("{a: 1.0e400}")),
	Entry("claims with null", example("{a: null, b: [null]}")),
	Entry("claims that are null", example("null")),
	Entry("claims that are a list", example("[1]")),
	Entry("claims that are text", example("'{}'")),
	Entry("claims with odd names", example(`{"": 1, "a\u0000b": 2, "\ud7ff": 3, apiVersion: 4, metadata: {name: x}, "__proto__": {}}`)),
	Entry("claims of a thousand levels", example(strings.Repeat("{a: ", 1000)+"1"+strings.Repeat("}", 1000))),
	Entry("claims of 100 KiB", example("{a: '"+strings.Repeat("x", 100<<10)+"'}")),
	Entry("no claims", policy("examples: [{expect: {rejected: true}}]")),
	Entry("now as a number", policy("examples: [{claims: {}, now: 1767362645, expect: {rejected: true}}]")),
	Entry("now as a date without quotes", policy("examples: [{claims: {}, now: 2026-01-02T15:04:05Z, expect: {rejected: true}}]")),
	Entry("now on a day that does not exist", policy("examples: [{claims: {}, now: '2026-02-31T25:61:61Z', expect: {rejected: true}}]")),
	Entry("expect that is null", policy("examples: [{claims: {}, expect: null}]")),
	Entry("rejected as text", policy("examples: [{claims: {}, expect: {rejected: 'true'}}]")),
	Entry("requiredValue as a number", policy("claimValidationRules: [{claim: a, requiredValue: 7}]")),
	Entry("requiredValue that is null", policy("claimValidationRules: [{claim: a, requiredValue: null}]")),
	Entry("maxTokenAge of a day", policy("maxTokenAge: 1d")),
	Entry("maxTokenAge as a number", policy("maxTokenAge: 30")),
	Entry("maxTokenAge as large as its pattern takes", policy("maxTokenAge: 99999h99999h99999h99999h")),
	Entry("leeway as large as its pattern takes", policy("leeway: 99999h99999h99999h99999h")),
	Entry("refreshInterval that is null", policy("jwks: {refreshInterval: null}")),
	Entry("azure that is null", policy("azure: null")),
	Entry("a directory as a number", policy("profile: Azure", "azure: {tenantIDs: [1]}")),
	Entry("headers as a map", policy("claimMappings: {headers: {X-A: {claim: a}}}")),
	Entry("a header without name", policy("claimMappings: {headers: [{claim: a}]}")),
	Entry("decryption without keys", policy("decryption: {keyAlgorithms: [dir]}")),
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
