// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// decryption is a policy with a valid block decryption, but for these words in place of its own.
func decryption(replace ...string) string {
	block := "{keyAlgorithms: [A256KW], contentAlgorithms: [A256GCM], keys: [{secretRef: {name: s, key: k}, format: Symmetric}]}"
	return policy("decryption: " + strings.NewReplacer(replace...).Replace(block))
}

// azure is a policy of profile Azure with this block azure and no issuers.
func azure(block string) string { return policy("-issuers", "profile: Azure", "azure: "+block) }

// mapped is a policy with this header mapping.
func mapped(header string) string { return policy("claimMappings: {headers: [" + header + "]}") }

const (
	oneOfTwo    = "set exactly one of claim and expression"
	directoryID = "must be the directory's ID, a GUID such as aaaabbbb-0000-cccc-1111-dddd2222eeee: not a domain name, common, organizations or consumers"
	hostMessage = "must be a host name such as login.microsoftonline.com, or an https URL without a path"
	headerName  = "must be a header name such as X-Acme-Plan"
	headerTaken = "must not begin with X-Auth-, X-Forwarded-, X-Real-, X-Original- or X-Jwt-, which have a meaning of their own"
	nowMessage  = "must be a time in UTC such as 2026-01-02T15:04:05Z"
	metadataURL = "discoveryURL must be an https URL such as https://idp.internal.example/.well-known/openid-configuration"
	secretsOnly = "nestedSignature: Optional is for symmetric keys only: with RSA or ECDH anybody can encrypt, so set keyAlgorithms to A128KW, A192KW, A256KW or dir, or nestedSignature to Required"
)

var _ = DescribeTable("TenantJWTPolicy is refused where issuers, keys and times are wrong",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("discoveryURL that is no URL", policy("issuers: [{issuer: a, discoveryURL: 'idp.example'}]"), "spec.issuers[0].discoveryURL: Invalid value: \"idp.example\": "+metadataURL),
	Entry("discoveryURL of a file", policy("issuers: [{issuer: a, discoveryURL: 'file:///etc/passwd'}]"), metadataURL),
	Entry("discoveryURL with a password", policy("issuers: [{issuer: a, discoveryURL: 'https://u:p@a.example'}]"), "discoveryURL must not hold a fragment, user or password"),
	Entry("discoveryURL with a fragment", policy("issuers: [{issuer: a, discoveryURL: 'https://a.example/#x'}]"), "discoveryURL must not hold a fragment, user or password"),
	Entry("discoveryURL too long", policy("issuers: [{issuer: a, discoveryURL: 'https://a.example/"+strings.Repeat("x", 2048)+"'}]"), "spec.issuers[0].discoveryURL: Too long: may not be more than 2048 bytes"),

	Entry("Azure without its block", policy("profile: Azure"), "spec.azure goes with profile: Azure: set both or neither"),
	Entry("the block without Azure", policy("azure: {tenantIDs: ["+directory+"]}"), "spec.azure goes with profile: Azure: set both or neither"),
	Entry("Azure without its block and issuers, told once", policy("-issuers", "profile: Azure"), "is invalid: spec: Invalid value: spec.azure goes with profile: Azure: set both or neither"),
	Entry("the block without Azure and issuers, told once", policy("-issuers", "azure: {tenantIDs: ["+directory+"]}"), "is invalid: spec: Invalid value: spec.azure goes with profile: Azure: set both or neither"),
	Entry("unknown profile", policy("profile: AWS"), `spec.profile: Unsupported value: "AWS": supported values: "Custom", "Azure"`),
	Entry("no directories", azure("{}"), "spec.azure.tenantIDs: Required value"),
	Entry("an empty list of directories", azure("{tenantIDs: []}"), "spec.azure.tenantIDs in body should have at least 1 items"),
	Entry("17 directories", azure("{tenantIDs: ["+numbers(17)+"]}"), "spec.azure.tenantIDs: Too many: 17: must have at most 16 items"),
	Entry("the directory of everybody", azure("{tenantIDs: [common]}"), `spec.azure.tenantIDs[0]: Invalid value: "common": `+directoryID),
	Entry("a directory by its domain", azure("{tenantIDs: [acme.onmicrosoft.com]}"), `spec.azure.tenantIDs[0]: Invalid value: "acme.onmicrosoft.com": `+directoryID),
	Entry("a directory twice", azure("{tenantIDs: ["+directory+", "+directory+"]}"), `spec.azure.tenantIDs[1]: Duplicate value: "`+directory+`"`),
	Entry("an authority with a path", azure("{tenantIDs: ["+directory+"], authorityHost: 'https://login.example/common'}"), hostMessage),
	Entry("an authority with a slash at its end", azure("{tenantIDs: ["+directory+"], authorityHost: 'https://login.example/'}"), hostMessage),
	Entry("an authority with a user", azure("{tenantIDs: ["+directory+"], authorityHost: 'a@login.example'}"), hostMessage),
	Entry("an empty authority", azure("{tenantIDs: ["+directory+"], authorityHost: ''}"), "spec.azure.authorityHost in body should be at least 1 chars long"),

	Entry("other comparison of audiences", policy("audienceMatchPolicy: MatchAll"), `spec.audienceMatchPolicy: Unsupported value: "MatchAll": supported values: "MatchAny"`),
	Entry("maxTokenAge of nothing", policy("maxTokenAge: 0s"), "maxTokenAge must be at least 1s"),
	Entry("maxTokenAge in days", policy("maxTokenAge: 1d"), `spec.maxTokenAge: Invalid value: "1d": `+durationMessage+"]"),
	Entry("empty nonce", policy("requiredNonce: ''"), "spec.requiredNonce in body should be at least 1 chars long"),
	Entry("nonce too long", policy("requiredNonce: "+strings.Repeat("x", 513)), "spec.requiredNonce: Too long: may not be more than 512 bytes"),
	Entry("refreshed every second", policy("jwks: {refreshInterval: 1s}"), "refreshInterval must be 1m to 24h"),
	Entry("refreshed every other day", policy("jwks: {refreshInterval: 48h}"), "refreshInterval must be 1m to 24h"),
	Entry("refreshed every day, as 1d", policy("jwks: {refreshInterval: 1d}"), `spec.jwks.refreshInterval: Invalid value: "1d": `+durationMessage+"]"),
	Entry("stale for a year", policy("jwks: {staleIfError: 8760h}"), "staleIfError must be at most 168h"),
	Entry("stale for a week, as 1w", policy("jwks: {staleIfError: 1w}"), `spec.jwks.staleIfError: Invalid value: "1w": `+durationMessage+"]"),
)

var _ = DescribeTable("TenantJWTPolicy is refused where decryption is wrong",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("no key algorithms", decryption("keyAlgorithms: [A256KW], ", ""), "spec.decryption.keyAlgorithms: Required value"),
	Entry("an empty list of key algorithms", decryption("[A256KW]", "[]"), "spec.decryption.keyAlgorithms in body should have at least 1 items"),
	Entry("a key algorithm twice", decryption("[A256KW]", "[dir, dir]"), `spec.decryption.keyAlgorithms[1]: Duplicate value: "dir"`),
	Entry("PKCS #1 v1.5", decryption("[A256KW]", "[RSA1_5]"), `spec.decryption.keyAlgorithms[0]: Unsupported value: "RSA1_5": supported values: "RSA-OAEP", "RSA-OAEP-256", "A128KW", "A192KW", "A256KW", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "dir"`),
	Entry("passwords", decryption("[A256KW]", "[PBES2-HS256+A128KW]"), `spec.decryption.keyAlgorithms[0]: Unsupported value: "PBES2-HS256+A128KW"`),
	Entry("an empty list of content algorithms", decryption("[A256GCM]", "[]"), "spec.decryption.contentAlgorithms in body should have at least 1 items"),
	Entry("unknown content algorithm", decryption("[A256GCM]", "[A192CBC-HS384]"), `spec.decryption.contentAlgorithms[0]: Unsupported value: "A192CBC-HS384": supported values: "A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512"`),
	Entry("content algorithm twice", decryption("[A256GCM]", "[A256GCM, A256GCM]"), `spec.decryption.contentAlgorithms[1]: Duplicate value: "A256GCM"`),
	Entry("zip", decryption("keyAlgorithms", "zip: DEF, keyAlgorithms"), `unknown field "spec.decryption.zip"`),
	Entry("unknown nesting", decryption("keyAlgorithms", "nestedSignature: Never, keyAlgorithms"), `Unsupported value: "Never": supported values: "Required", "Optional"`),
	Entry("no signature inside with RSA", decryption("keyAlgorithms: [A256KW]", "nestedSignature: Optional, keyAlgorithms: [RSA-OAEP-256]"), "spec.decryption: Invalid value: "+secretsOnly),
	Entry("no signature inside with RSA beside secrets", decryption("keyAlgorithms: [A256KW]", "nestedSignature: Optional, keyAlgorithms: [dir, ECDH-ES]"), secretsOnly),
	Entry("no keys", decryption(", keys: [{secretRef: {name: s, key: k}, format: Symmetric}]", ""), "spec.decryption.keys: Required value"),
	Entry("an empty list of keys", decryption("[{secretRef: {name: s, key: k}, format: Symmetric}]", "[]"), "spec.decryption.keys in body should have at least 1 items"),
	Entry("17 keys", decryption("keys: [{secretRef: {name: s, key: k}, format: Symmetric}", "keys: ["+strings.Repeat("{secretRef: {name: s, key: k}, format: Symmetric},", 16)+"{secretRef: {name: s, key: k}, format: Symmetric}"), "spec.decryption.keys: Too many: 17: must have at most 16 items"),
	Entry("a key inline", decryption("secretRef: {name: s, key: k}", "pem: x"), `unknown field "spec.decryption.keys[0].pem"`),
	Entry("a key without format", decryption(", format: Symmetric", ""), "spec.decryption.keys[0].format: Required value"),
	Entry("a key of unknown format", decryption("Symmetric", "DER"), `Unsupported value: "DER": supported values: "JWKS", "PEM", "Symmetric"`),
	Entry("keyID beside a JWKS", decryption("format: Symmetric", "format: JWKS, keyID: k"), "spec.decryption.keys[0]: Invalid value: a JWKS names its own kid and alg: leave keyID and algorithm out"),
	Entry("algorithm beside a JWKS", decryption("format: Symmetric", "format: JWKS, algorithm: A256KW"), "spec.decryption.keys[0]: Invalid value: a JWKS names its own kid and alg: leave keyID and algorithm out"),
	Entry("a signature's algorithm", decryption("format: Symmetric", "format: Symmetric, algorithm: HS256"), `spec.decryption.keys[0].algorithm: Unsupported value: "HS256"`),
	Entry("empty keyID", decryption("format: Symmetric", "format: Symmetric, keyID: ''"), "spec.decryption.keys[0].keyID in body should be at least 1 chars long"),
)

var _ = DescribeTable("TenantJWTPolicy is refused where claims are wrong",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("username of two sources", policy("claimMappings: {username: {claim: a, expression: claims.a}}"), "spec.claimMappings.username: Invalid value: set at most one of claim and expression"),
	Entry("empty username expression", policy("claimMappings: {username: {expression: ''}}"), "spec.claimMappings.username.expression in body should be at least 1 chars long"),
	Entry("username expression too long", policy("claimMappings: {username: {expression: '"+strings.Repeat("x", 1025)+"'}}"), "spec.claimMappings.username.expression: Too long: may not be more than 1024 bytes"),
	Entry("email of two sources", policy("claimMappings: {email: {claim: a, expression: claims.a}}"), "spec.claimMappings.email: Invalid value: "+oneOfTwo),
	Entry("email of none", policy("claimMappings: {email: {}}"), "spec.claimMappings.email: Invalid value: "+oneOfTwo),
	Entry("groups of two sources", policy("claimMappings: {groups: {claim: a, expression: claims.a}}"), "spec.claimMappings.groups: Invalid value: "+oneOfTwo),
	Entry("groups of none", policy("claimMappings: {groups: {}}"), "spec.claimMappings.groups: Invalid value: "+oneOfTwo),
	Entry("header of two sources", mapped("{name: X-A, claim: a, expression: claims.a}"), "spec.claimMappings.headers[0]: Invalid value: "+oneOfTwo),
	Entry("header of none", mapped("{name: X-A}"), "spec.claimMappings.headers[0]: Invalid value: "+oneOfTwo),
	Entry("header without name", mapped("{claim: a}"), "spec.claimMappings.headers[0].name: Required value"),
	Entry("header without X-", mapped("{name: Plan, claim: a}"), `spec.claimMappings.headers[0].name: Invalid value: "Plan": `+headerName),
	Entry("header with an underscore", mapped("{name: X_Plan, claim: a}"), headerName),
	Entry("header with a line break", mapped(`{name: "X-Plan\r\nX-Auth-Request-User", claim: a}`), headerName),
	Entry("header that ends with a line feed", mapped(`{name: "X-Plan\n", claim: a}`), headerName),
	Entry("header that is too short", mapped("{name: X-, claim: a}"), "spec.claimMappings.headers[0].name in body should be at least 3 chars long"),
	Entry("header that is too long", mapped("{name: X-"+strings.Repeat("a", 63)+", claim: a}"), "spec.claimMappings.headers[0].name: Too long: may not be more than 64 bytes"),
	Entry("header of ours", mapped("{name: x-AUTH-Request-Groups, claim: a}"), headerTaken),
	Entry("header that ours begin with", mapped("{name: X-Auth, claim: a}"), headerTaken),
	Entry("header of gateways", mapped("{name: X-Forwarded-User, claim: a}"), headerTaken),
	Entry("the client's address", mapped("{name: X-Real-IP, claim: a}"), headerTaken),
	Entry("the original URL", mapped("{name: X-Original-URL, claim: a}"), headerTaken),
	Entry("the token", mapped("{name: X-JWT-Token, claim: a}"), headerTaken),
	Entry("header twice", mapped("{name: X-A, claim: a}, {name: X-A, claim: b}"), `spec.claimMappings.headers[1]: Duplicate value: {"name":"X-A"}`),
	Entry("header twice in different case", mapped("{name: X-A, claim: a}, {name: x-a, claim: b}"), "spec.claimMappings.headers: Invalid value: two entries have the same name: header names do not differ by case"),
	Entry("17 headers", mapped(headers(17)), "spec.claimMappings.headers: Too many: 17: must have at most 16 items"),

	Entry("rule of two kinds", policy("claimValidationRules: [{claim: a, requiredValue: b, expression: 'true'}]"), "spec.claimValidationRules[0]: Invalid value: set exactly one of claim (with requiredValue) and expression"),
	Entry("rule of none", policy("claimValidationRules: [{message: x}]"), "spec.claimValidationRules[0]: Invalid value: set exactly one of claim (with requiredValue) and expression"),
	Entry("rule without requiredValue", policy("claimValidationRules: [{claim: a}]"), "spec.claimValidationRules[0]: Invalid value: claim and requiredValue go together"),
	Entry("requiredValue beside an expression", policy("claimValidationRules: [{expression: 'true', requiredValue: a}]"), "spec.claimValidationRules[0]: Invalid value: claim and requiredValue go together"),
	Entry("requiredValue too long", policy("claimValidationRules: [{claim: a, requiredValue: '"+strings.Repeat("x", 1025)+"'}]"), "spec.claimValidationRules[0].requiredValue: Too long: may not be more than 1024 bytes"),
	Entry("empty message", policy("claimValidationRules: [{expression: 'true', message: ''}]"), "spec.claimValidationRules[0].message in body should be at least 1 chars long"),
	Entry("message too long", policy("claimValidationRules: [{expression: 'true', message: '"+strings.Repeat("x", 257)+"'}]"), "spec.claimValidationRules[0].message: Too long: may not be more than 256 bytes"),
	Entry("17 rules", policy("claimValidationRules: ["+strings.Repeat("{expression: 'true'},", 17)+"]"), "spec.claimValidationRules: Too many: 17: must have at most 16 items"),

	Entry("example without claims", policy("examples: [{expect: {rejected: true}}]"), "spec.examples[0].claims: Required value"),
	Entry("example whose claims are a list", example("[]"), `spec.examples[0].claims: Invalid value: "array": spec.examples[0].claims in body must be of type object: "array"`),
	Entry("example of 65 claims", example("{"+members(65)+"}"), "spec.examples[0].claims: Too many: 65: must have at most 64 items"),
	Entry("example without expectation", policy("examples: [{claims: {}}]"), "spec.examples[0].expect: Required value"),
	Entry("example that expects nothing", policy("examples: [{claims: {}, expect: {}}]"), "spec.examples[0].expect: Invalid value: set exactly one of username and rejected: true"),
	Entry("example that expects both", policy("examples: [{claims: {}, expect: {username: a, rejected: true}}]"), "set exactly one of username and rejected: true"),
	Entry("example that expects no refusal", policy("examples: [{claims: {}, expect: {rejected: false}}]"), "set exactly one of username and rejected: true"),
	Entry("example of a date", policy("examples: [{claims: {}, now: '2026-01-02', expect: {rejected: true}}]"), `spec.examples[0].now: Invalid value: "2026-01-02": `+nowMessage),
	Entry("example of another zone", policy("examples: [{claims: {}, now: '2026-01-02T15:04:05+01:00', expect: {rejected: true}}]"), nowMessage),
	Entry("17 examples", policy("examples: ["+strings.Repeat("{claims: {}, expect: {rejected: true}},", 17)+"]"), "spec.examples: Too many: 17: must have at most 16 items"),
)

// headers are n different header mappings.
func headers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{name: X-A%d, claim: a},", i)
	}
	return b.String()
}

// members are n different members of an object.
func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "m%d: 1,", i)
	}
	return b.String()
}
