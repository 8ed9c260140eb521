// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "'n%d',", i)
	}
	return b.String()
}

func named(name string) string {
	return strings.Replace(server(), "metadata: {}", fmt.Sprintf("metadata: {name: %q}", name), 1)
}

var _ = DescribeTable("AuthServer is refused with a message that names the fix",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("unknown field", server("url: x"), `unknown field "spec.url"`),
	Entry("name with a dot", named("a.b"), "an AuthServer's name is at most 40 lower-case letters, digits and dashes, and begins and ends with a letter or digit"),
	Entry("name too long", named(strings.Repeat("a", 41)), "an AuthServer's name is at most 40 lower-case letters, digits and dashes, and begins and ends with a letter or digit"),
	Entry("name of its operations Service", named("x-ops"), "an AuthServer's name must not end in -ops, -config or -keys nor contain -tenants-: those name its own Secrets and Services"),
	Entry("name of its Secret", named("x-config"), "an AuthServer's name must not end in -ops, -config or -keys"),
	Entry("name of its keys", named("x-keys"), "an AuthServer's name must not end in -ops, -config or -keys"),
	Entry("name of a shard", named("x-tenants-1-0"), "nor contain -tenants-"),
	Entry("URL with a path", server("externalURL: https://auth.example/x"), "externalURL must be scheme and host only, such as https://auth.example.com: no path, no trailing slash, no query"),
	Entry("URL with a trailing slash", server("externalURL: https://auth.example/"), "externalURL must be scheme and host only"),
	Entry("URL of another scheme", server("externalURL: ftp://auth.example"), "externalURL must be scheme and host only"),
	Entry("two replicas with a store", server("replicas: 2"), "several replicas cannot share the Embedded store: set spec.store.type to PostgreSQL, to None (verification only), or spec.replicas to 1"),
	Entry("two replicas on a volume", server("replicas: 2", "store: {embedded: {persistentVolumeClaim: logins}}"), "several replicas cannot share the Embedded store"),
	Entry("101 replicas", server("replicas: 101", "store: {type: None}"), "spec.replicas in body should be less than or equal to 100"),
	Entry("replicas below zero", server("replicas: -1"), "spec.replicas in body should be greater than or equal to 0"),
	Entry("unknown store", server("store: {type: Redis}"), `Unsupported value: "Redis": supported values: "Embedded", "PostgreSQL", "None"`),
	Entry("PostgreSQL without its block", server("store: {type: PostgreSQL}"), "store.postgreSQL goes with type PostgreSQL: set both or neither"),
	Entry("a database of the Embedded store", server("store: {postgreSQL: {dsnSecretRef: {name: db, key: dsn}}}"), "store.postgreSQL goes with type PostgreSQL: set both or neither"),
	Entry("PostgreSQL without a Secret", server("store: {type: PostgreSQL, postgreSQL: {}}"), "spec.store.postgreSQL.dsnSecretRef: Required value"),
	Entry("PostgreSQL without a key", server("store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: db}}}"), "spec.store.postgreSQL.dsnSecretRef.key: Required value"),
	Entry("a DSN in plain sight", server("store: {type: PostgreSQL, postgreSQL: {dsn: 'postgres://a'}}"), `unknown field "spec.store.postgreSQL.dsn"`),
	Entry("a database's CA bundle without a kind", server("store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: db, key: dsn}, caBundleRef: {name: ca}}}"), "spec.store.postgreSQL.caBundleRef.kind: Required value"),
	Entry("a database's CA bundle of another kind", server("store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: db, key: dsn}, caBundleRef: {kind: Pod, name: ca}}}"), `Unsupported value: "Pod": supported values: "ConfigMap", "Secret"`),
	Entry("a volume of PostgreSQL", server("store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: db, key: dsn}}, embedded: {persistentVolumeClaim: logins}}"), "store.embedded goes with type Embedded: leave it out"),
	Entry("a volume of no store", server("store: {type: None, embedded: {persistentVolumeClaim: logins}}"), "store.embedded goes with type Embedded: leave it out"),
	Entry("a volume without a name", server("store: {embedded: {persistentVolumeClaim: ''}}"), "spec.store.embedded.persistentVolumeClaim in body should be at least 1 chars long"),
	Entry("a claim's name too long", server("store: {embedded: {persistentVolumeClaim: "+strings.Repeat("a", 254)+"}}"), "spec.store.embedded.persistentVolumeClaim: Too long: may not be more than 253 bytes"),
	Entry("selector without from", server("allowedNamespaces: {selector: {}}"), "selector goes with from: Selector; set both or neither"),
	Entry("from Selector without selector", server("allowedNamespaces: {from: Selector}"), "selector goes with from: Selector; set both or neither"),
	Entry("access tokens of a second", server("tokens: {accessTokenLifetime: 1s}"), "accessTokenLifetime must be between 1m and 24h"),
	Entry("access tokens of two days", server("tokens: {accessTokenLifetime: 48h}"), "accessTokenLifetime must be between 1m and 24h"),
	Entry("access tokens of a day, as 1d", server("tokens: {accessTokenLifetime: 1d}"), `is invalid: [spec.tokens.accessTokenLifetime: Invalid value: "1d": spec.tokens.accessTokenLifetime in body should match '^([0-9]{1,5}(h|m|s|ms)){1,4}$', spec.tokens.accessTokenLifetime: Invalid value: "1d": `+durationMessage+"]"),
	Entry("refresh tokens of a month, as 1M", server("tokens: {refreshTokenLifetime: 1M}"), `spec.tokens.refreshTokenLifetime: Invalid value: "1M": `+durationMessage+"]"),
	Entry("rotation in weeks", server("tokens: {keyRotationInterval: 2w}"), `spec.tokens.keyRotationInterval: Invalid value: "2w": `+durationMessage+"]"),
	Entry("refresh tokens of a minute", server("tokens: {refreshTokenLifetime: 1m}"), "refreshTokenLifetime must be between 5m and 8760h"),
	Entry("access outlives refresh", server("tokens: {accessTokenLifetime: 2h, refreshTokenLifetime: 1h}"), "accessTokenLifetime must not exceed refreshTokenLifetime"),
	Entry("rotation every minute", server("tokens: {keyRotationInterval: 1m}"), "keyRotationInterval must be between 1h and 26280h"),
	Entry("symmetric signing", server("tokens: {signingAlgorithm: HS256}"), `Unsupported value: "HS256"`),
	Entry("range that is none", server("outbound: {allowedCIDRs: [10.0.0.0]}"), "must be an address range such as 10.96.0.0/12 or fd00::/8"),
	Entry("label of ours", server("podTemplate: {labels: {auth.gatehouse.dev/server: x}}"), "labels under auth.gatehouse.dev/ and app.kubernetes.io/ belong to the operator"),
	Entry("annotation of ours", server("podTemplate: {annotations: {auth.gatehouse.dev/config-hash: x}}"), "annotations under auth.gatehouse.dev/ belong to the operator"),
	Entry("environment variable without name", server("podTemplate: {env: [{value: x}]}"), "spec.podTemplate.env[0].name: Required value"),
	Entry("environment variable that begins with a digit", server("podTemplate: {env: [{name: 1x}]}"), `spec.podTemplate.env[0].name: Invalid value: "1x": must have only letters, digits and _ and not begin with a digit, such as HTTPS_PROXY`),
	Entry("label with a space", server("podTemplate: {labels: {a: x y}}"), `Invalid value: "x y": must have only letters, digits and - _ . and begin and end with a letter or digit`),
	Entry("memory that is no amount", server("resources: {limits: {memory: lots}}"), `spec.resources.limits.memory: Invalid value: "lots": must be an amount such as 2, 500m or 256Mi`),
	Entry("memory with an exponent", server("resources: {limits: {memory: 1e1.5}}"), `spec.resources.limits.memory: Invalid value: "1e1.5": must be an amount such as 2, 500m or 256Mi`),
	Entry("CPU below zero", server("resources: {limits: {cpu: -1}}"), "must be an amount such as 2, 500m or 256Mi"),
	Entry("time series below zero", server("monitoring: {tenantSeries: -1}"), "spec.monitoring.tenantSeries in body should be greater than or equal to 0"),
	Entry("1001 time series", server("monitoring: {tenantSeries: 1001}"), "spec.monitoring.tenantSeries in body should be less than or equal to 1000"),
	Entry("budget of nothing", server("podDisruptionBudget: {maxUnavailable: 0}"), "spec.podDisruptionBudget.maxUnavailable in body should be greater than or equal to 1"),
)

var _ = Describe("AuthServer", func() {
	It("gets the documented defaults", func(ctx SpecContext) {
		u, err := create(ctx, server())
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Object["spec"]).To(Equal(map[string]any{
			"replicas":          int64(1),
			"allowedNamespaces": map[string]any{"from": "Same"},
			"store":             map[string]any{"type": "Embedded"},
			"login": map[string]any{
				"lockout": map[string]any{"maxFailures": int64(10), "window": "15m", "duration": "1m"},
				"theme":   map[string]any{},
			},
			"networkPolicy":       map[string]any{"enabled": true},
			"podDisruptionBudget": map[string]any{"enabled": true, "maxUnavailable": int64(1)},
			"monitoring":          map[string]any{"tenantSeries": int64(100)},
			"tokens": map[string]any{
				"accessTokenLifetime": "15m", "refreshTokenLifetime": "720h",
				"signingAlgorithm": "ES256", "keyRotationInterval": "720h",
			},
		}))
	})

	DescribeTable("accepts", func(ctx SpecContext, manifest string) {
		_, err := create(ctx, manifest)
		Expect(err).NotTo(HaveOccurred())
	},
		Entry("an IPv6 URL", server("externalURL: 'https://[2001:db8::1]:8443'")),
		Entry("several replicas without a store", server("replicas: 3", "store: {type: None}")),
		Entry("several replicas of one database", server("replicas: 3", "store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: db, key: dsn}}}")),
		Entry("a database with a private CA", server("store: {type: PostgreSQL, postgreSQL: {dsnSecretRef: {name: db, key: dsn}, caBundleRef: {kind: ConfigMap, name: ca}}}")),
		Entry("a volume", server("store: {embedded: {persistentVolumeClaim: logins}}")),
		Entry("no time series of tenants", server("monitoring: {tenantSeries: 0}")),
		Entry("amounts as numbers", server("resources: {limits: {cpu: 2, memory: 512Mi}}")),
		Entry("ranges of both families", server("outbound: {allowedCIDRs: [10.96.0.0/12, 'fd00::/8']}")),
	)
})
