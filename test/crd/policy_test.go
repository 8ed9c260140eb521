// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("TenantJWTPolicy is refused with a message that names the fix",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("unknown field", policy("audience: [x]"), `unknown field "spec.audience"`),
	Entry("no tenant", policy("-tenantID"), "spec.tenantID: Required value"),
	Entry("tenant with a slash", policy("tenantID: a/b"), `spec.tenantID: Invalid value: "a/b": spec.tenantID in body should match '^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$'`),
	Entry("tenant with a slash, in words", policy("tenantID: a/b"), `spec.tenantID: Invalid value: "a/b": `+nameMessage),
	Entry("tenant with a trailing line feed", policy(`tenantID: "acme\n"`), "spec.tenantID: Invalid value"),
	Entry("tenant too long", policy("tenantID: "+strings.Repeat("a", 129)), "spec.tenantID: Too long: may not be more than 128 bytes"),
	Entry("no issuers", policy("-issuers"), "no token can pass: add an entry to spec.issuers, set spec.profile to Azure, or set spec.acceptIssuedTokens to true"),
	Entry("empty issuers", policy("issuers: []"), "no token can pass: add an entry to spec.issuers, set spec.profile to Azure, or set spec.acceptIssuedTokens to true"),
	Entry("issuer without keys that is no URL", policy("issuers: [{issuer: acme}]"), "spec.issuers[0]: Invalid value: set jwksURI, discoveryURL or keys: this issuer is no https URL at which its keys could be discovered"),
	Entry("issuer with a URL and keys", policy("issuers: [{issuer: 'https://a.example', jwksURI: 'https://a.example/k', keys: [{pem: x}]}]"), oneSource),
	Entry("issuer with two URLs", policy("issuers: [{issuer: 'https://a.example', jwksURI: 'https://a.example/k', discoveryURL: 'https://a.example/d'}]"), oneSource),
	Entry("issuer with metadata and keys", policy("issuers: [{issuer: 'https://a.example', discoveryURL: 'https://a.example/d', keys: [{pem: x}]}]"), oneSource),
	Entry("URL without issuer", policy("issuers: [{jwksURI: 'https://a.example/k'}]"), "spec.issuers[0]: Invalid value: issuer is required; only an entry with keys may leave it out"),
	Entry("metadata without issuer", policy("issuers: [{discoveryURL: 'https://a.example/d'}]"), "spec.issuers[0]: Invalid value: issuer is required; only an entry with keys may leave it out"),
	Entry("nothing in an issuer", policy("issuers: [{}]"), "spec.issuers[0]: Invalid value: issuer is required; only an entry with keys may leave it out"),
	Entry("several, one without issuer", policy("issuers: [{keys: [{pem: x}]}, {issuer: 'https://a.example', keys: [{pem: x}]}]"), "with several issuers each entry needs issuer; only a single entry with keys may leave it out"),
	Entry("two of one issuer", policy("issuers: [{issuer: a, keys: [{pem: x}]}, {issuer: a, keys: [{pem: z}]}]"), "two entries of spec.issuers have the same issuer: merge their keys into one entry"),
	Entry("17 issuers", policy("issuers: ["+strings.Repeat("{issuer: a, keys: [{pem: x}]},", 17)+"]"), "spec.issuers: Too many: 17: must have at most 16 items"),
	Entry("key of no form", policy("issuers: [{issuer: a, keys: [{keyID: k}]}]"), "set exactly one of jwks, pem and secretRef"),
	Entry("key of two forms", policy("issuers: [{issuer: a, keys: [{jwks: '{}', pem: x}]}]"), "set exactly one of jwks, pem and secretRef"),
	Entry("secretRef without format", policy("issuers: [{issuer: a, keys: [{secretRef: {name: s, key: k}}]}]"), "format goes with secretRef: set format to JWKS, PEM or Symmetric beside secretRef, and leave it out otherwise"),
	Entry("format without secretRef", policy("issuers: [{issuer: a, keys: [{pem: x, format: PEM}]}]"), "format goes with secretRef: set format to JWKS, PEM or Symmetric beside secretRef, and leave it out otherwise"),
	Entry("keyID beside a JWKS", policy("issuers: [{issuer: a, keys: [{jwks: '{}', keyID: k}]}]"), "a JWKS names its own kid and alg: leave keyID and algorithm out"),
	Entry("algorithm beside a JWKS in a Secret", policy("issuers: [{issuer: a, keys: [{secretRef: {name: s, key: k}, format: JWKS, algorithm: RS256}]}]"), "a JWKS names its own kid and alg: leave keyID and algorithm out"),
	Entry("unknown format", policy("issuers: [{issuer: a, keys: [{secretRef: {name: s, key: k}, format: DER}]}]"), `Unsupported value: "DER": supported values: "JWKS", "PEM", "Symmetric"`),
	Entry("jwksURI that is no URL", policy("issuers: [{issuer: a, jwksURI: 'idp.example/keys'}]"), "jwksURI must be an https URL such as https://idp.example/keys"),
	Entry("jwksURI of a file", policy("issuers: [{issuer: a, jwksURI: 'file:///etc/passwd'}]"), "jwksURI must be an https URL such as https://idp.example/keys"),
	Entry("jwksURI without host", policy("issuers: [{issuer: a, jwksURI: 'https:///keys'}]"), "jwksURI must be an https URL such as https://idp.example/keys"),
	Entry("jwksURI with a password", policy("issuers: [{issuer: a, jwksURI: 'https://u:p@idp.example/keys'}]"), "jwksURI must not hold a fragment, user or password"),
	Entry("jwksURI with a fragment", policy("issuers: [{issuer: a, jwksURI: 'https://idp.example/keys#x'}]"), "jwksURI must not hold a fragment, user or password"),
	Entry("algorithm none", policy("algorithms: [none]"), `Unsupported value: "none"`),
	Entry("no algorithm", policy("algorithms: []"), "spec.algorithms in body should have at least 1 items"),
	Entry("algorithm twice", policy("algorithms: [RS256, RS256]"), `spec.algorithms[1]: Duplicate value: "RS256"`),
	Entry("leeway of a day", policy("leeway: 24h"), "leeway must be at most 10m"),
	// The whole answer: a rule about bounds must not add that it could not read the value.
	Entry("leeway in days", policy("leeway: 1d"), `is invalid: [spec.leeway: Invalid value: "1d": spec.leeway in body should match '^([0-9]{1,5}(h|m|s|ms)){1,4}$', spec.leeway: Invalid value: "1d": `+durationMessage+"]"),
	Entry("leeway without a unit", policy("leeway: '30'"), `spec.leeway: Invalid value: "30": `+durationMessage),
	Entry("leeway as a fraction", policy("leeway: 1.5m"), `spec.leeway: Invalid value: "1.5m": `+durationMessage),
	Entry("leeway below zero", policy("leeway: -1s"), `spec.leeway: Invalid value: "-1s": `+durationMessage),
	Entry("token type with a space", policy("tokenTypes: ['a b']"), `spec.tokenTypes[0]: Invalid value: "a b": must be a media type without parameters such as JWT, at+jwt or application/at+jwt, or the word absent`),
	Entry("bundle of another kind", policy("caBundleRef: {kind: Pod, name: x}"), `Unsupported value: "Pod": supported values: "ConfigMap", "Secret"`),
	Entry("empty claim", policy("claimMappings: {username: {claim: ''}}"), "spec.claimMappings.username.claim in body should be at least 1 chars long"),
	Entry("33 audiences", policy("audiences: ["+numbers(33)+"]"), "spec.audiences: Too many: 33: must have at most 32 items"),
)

var _ = Describe("TenantJWTPolicy", func() {
	It("gets the documented defaults", func(ctx SpecContext) {
		u, err := create(ctx, policy("claimMappings: {email: {claim: email}, username: {}}", "jwks: {}",
			"decryption: {keyAlgorithms: [A256KW], keys: [{secretRef: {name: s, key: k}, format: Symmetric}]}"))
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Object["spec"]).To(Equal(map[string]any{
			"authServerRef":       map[string]any{"name": "default"},
			"tenantID":            "acme",
			"default":             false,
			"profile":             "Custom",
			"acceptIssuedTokens":  false,
			"leeway":              "30s",
			"algorithms":          []any{"RS256"},
			"audienceMatchPolicy": "MatchAny",
			"tokenTypes":          []any{"absent", "JWT", "at+jwt"},
			"issuers":             []any{map[string]any{"issuer": "https://idp.example", "jwksURI": "https://idp.example/keys"}},
			"jwks":                map[string]any{"refreshInterval": "10m", "staleIfError": "24h"},
			"claimMappings": map[string]any{
				"email":    map[string]any{"claim": "email"},
				"username": map[string]any{"prefixWithTenant": false}, // its claim follows from the profile
			},
			"decryption": map[string]any{
				"keyAlgorithms": []any{"A256KW"}, "contentAlgorithms": []any{"A256GCM"}, "required": false, "nestedSignature": "Required",
				"keys": []any{map[string]any{"secretRef": map[string]any{"name": "s", "key": "k"}, "format": "Symmetric"}},
			},
		}))
	})

	It("keeps its tenantID", func(ctx SpecContext) {
		u, err := create(ctx, policy())
		Expect(err).NotTo(HaveOccurred())
		u.Object["spec"].(map[string]any)["tenantID"] = "globex"
		Expect(api.Update(ctx, u)).To(MatchError(ContainSubstring("tenantID cannot be changed: delete the policy and create one with the new tenantID")))
	})

	It("has room in its status for every Secret that a spec can name", func(ctx SpecContext) {
		issuers, references := []string{}, []any{map[string]any{"kind": "ConfigMap", "name": "ca", "resourceVersion": "1"}}
		for i := range 16 {
			keys := []string{}
			for k := range 16 {
				name := fmt.Sprintf("s%d-%d", i, k)
				keys = append(keys, "{secretRef: {name: "+name+", key: k}, format: PEM}")
				references = append(references, map[string]any{"kind": "Secret", "name": name, "resourceVersion": "18446744073709551615"})
			}
			issuers = append(issuers, fmt.Sprintf("{issuer: 'i%d', keys: [%s]}", i, strings.Join(keys, ", ")))
		}
		var decryption []string
		for k := range 16 {
			name := fmt.Sprintf("d%d", k)
			decryption = append(decryption, "{secretRef: {name: "+name+", key: k}, format: PEM}")
			references = append(references, map[string]any{"kind": "Secret", "name": name, "resourceVersion": "18446744073709551615"})
		}
		u, err := create(ctx, policy("issuers: ["+strings.Join(issuers, ", ")+"]", "caBundleRef: {kind: ConfigMap, name: ca}",
			"decryption: {keyAlgorithms: [RSA-OAEP], keys: ["+strings.Join(decryption, ", ")+"]}"))
		Expect(err).NotTo(HaveOccurred())
		u.Object["status"] = map[string]any{"observedGeneration": int64(1), "references": references}
		Expect(api.Status().Update(ctx, u)).To(Succeed())
	})

	DescribeTable("accepts", func(ctx SpecContext, manifest string) {
		_, err := create(ctx, manifest)
		Expect(err).NotTo(HaveOccurred())
	},
		Entry("only issued tokens", policy("-issuers", "acceptIssuedTokens: true")),
		Entry("keys without issuer", policy("issuers: [{keys: [{pem: x}]}]")),
		Entry("all three forms of keys", policy("issuers: [{issuer: a, keys: [{jwks: '{}'}, {pem: x, keyID: k, algorithm: RS256}, {secretRef: {name: s, key: k}, format: Symmetric, keyID: s}]}]")),
		Entry("a compound leeway", policy("leeway: 1m30s")),
		Entry("discovery at the issuer", policy("issuers: [{issuer: 'https://idp.example/realms/a/'}]")),
		Entry("discovery elsewhere of an issuer that is no URL", policy("issuers: [{issuer: acme, discoveryURL: 'http://idp.svc:8080/metadata'}]")),
		Entry("no issuers with a shared secret that vouches for claims", policy("-issuers", "decryption: {keyAlgorithms: [dir, A128KW], nestedSignature: Optional, keys: [{secretRef: {name: s, key: k}, format: Symmetric}]}")),
		Entry("Azure alone", policy("-issuers", "profile: Azure", "azure: {tenantIDs: ["+directory+"]}")),
		Entry("Azure with templates", policy("profile: Azure", "azure: {tenantIDs: ["+directory+"], authorityHost: 'https://login.example:8443'}",
			"issuers: [{issuer: 'https://login.example/{tenantid}/v2.0', discoveryURL: 'https://login.example:8443/{tenantid}/v2.0/.well-known/openid-configuration'}]")),
		Entry("claims of any kind in an example", policy("examples: [{claims: {a: [1, {b: null}], c: 1.5, d: true, e: x}, now: '2026-01-02T15:04:05.5Z', expect: {rejected: true}}]")),
		Entry("a claim that must be empty", policy("claimValidationRules: [{claim: locked, requiredValue: ''}]")),
		Entry("headers in any case", policy("claimMappings: {headers: [{name: x-plan, claim: plan}, {name: X-Authority, expression: claims.a}]}")),
	)
})
