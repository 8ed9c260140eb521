// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
)

const (
	exchangeMessage = "grantType, clientID, clientSecretRef, clientAuthenticationMethod and parameters are for tokenEndpoint: set it, or leave them out"
	nobodyMessage   = "nobody logs in at type JWTBearer: leave out organization, icon, claimMappings, claimValidationRules, allowAnyone, userSync and linking"
	requestMessage  = "is set by the request itself: leave it out"
	outputMessage   = "must be the name of a Secret, such as api-token"
	lifetimeMessage = "lifetime must be 10s to 4400h"
)

// bearer is a valid IdentityProvider of type JWTBearer whose JWT is the token, with lines added to its block, or put in place of the line with the same key; spec are
// lines of its spec.
func bearer(block []string, spec ...string) string {
	return upstream("JWTBearer", "jwtBearer", []string{"keySecretRef: {name: key, key: key.pem}", "algorithm: RS256", "issuer: app"}, block, spec)
}

// exchange is one whose JWT is exchanged at a token endpoint.
func exchange(block ...string) string {
	return bearer(merge([]string{"tokenEndpoint: 'https://idp.example/token'", "subject: app", "audience: 'https://idp.example'"}, block))
}

var _ = DescribeTable("a JWTBearer provider is refused with a message that names the fix",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("without its block", provider("type: JWTBearer", "-password"), "spec.jwtBearer goes with type JWTBearer: set both or neither"),
	Entry("a block of another type", bearer(nil, "password: {}"), "spec.password goes with type Password: set both or neither"),
	Entry("the block with another type", oidc(nil, "jwtBearer: {keySecretRef: {name: a, key: b}, algorithm: RS256, issuer: a}"), "spec.jwtBearer goes with type JWTBearer: set both or neither"),
	Entry("an organization", bearer(nil, "organization: acme"), nobodyMessage),
	Entry("an icon", bearer(nil, "icon: {url: 'https://a.example/i.png'}"), nobodyMessage),
	Entry("mappings", bearer(nil, "claimMappings: {}"), nobodyMessage),
	Entry("rules", bearer(nil, "claimValidationRules: [{expression: 'true'}]"), nobodyMessage),
	Entry("for anyone", bearer(nil, "allowAnyone: false"), nobodyMessage),
	Entry("userSync", bearer(nil, "userSync: Always"), nobodyMessage),
	Entry("linking", bearer(nil, "linking: None"), nobodyMessage),

	Entry("no key", bearer(in("-keySecretRef")), "spec.jwtBearer.keySecretRef: Required value"),
	Entry("a key of nothing", bearer(in("keySecretRef: {name: a}")), "spec.jwtBearer.keySecretRef.key: Required value"),
	Entry("a key in plain sight", bearer(in("key: a")), `unknown field "spec.jwtBearer.key"`),
	Entry("no algorithm", bearer(in("-algorithm")), "spec.jwtBearer.algorithm: Required value"),
	Entry("unsigned", bearer(in("algorithm: none")), `spec.jwtBearer.algorithm: Unsupported value: "none"`),
	Entry("no issuer", bearer(in("-issuer")), "spec.jwtBearer.issuer: Required value"),
	Entry("an empty issuer", bearer(in("issuer: ''")), "spec.jwtBearer.issuer in body should be at least 1 chars long"),
	Entry("an issuer as a number", bearer(in("issuer: 12345")), "spec.jwtBearer.issuer in body must be of type string"),
	Entry("a long issuer", bearer(in("issuer: "+strings.Repeat("x", 1025))), "spec.jwtBearer.issuer: Too long: may not be more than 1024 bytes"),
	Entry("an empty subject", bearer(in("subject: ''")), "spec.jwtBearer.subject in body should be at least 1 chars long"),
	Entry("two audiences", bearer(in("audience: [a, b]")), "spec.jwtBearer.audience in body must be of type string"),
	Entry("an empty key ID", bearer(in("keyID: ''")), "spec.jwtBearer.keyID in body should be at least 1 chars long"),
	Entry("a long key ID", bearer(in("keyID: "+strings.Repeat("x", 257))), "spec.jwtBearer.keyID: Too long: may not be more than 256 bytes"),
	Entry("a lifetime of a day", bearer(in("lifetime: 1d")), durationMessage),
	Entry("a short lifetime", bearer(in("lifetime: 9s")), lifetimeMessage),
	Entry("a long lifetime", bearer(in("lifetime: 4401h")), lifetimeMessage),
	Entry("headers that are a list", bearer(in("headers: [typ]")), "spec.jwtBearer.headers in body must be of type object"),
	Entry("17 headers", bearer(in("headers: {"+members(17)+"}")), "spec.jwtBearer.headers: Too many: 17: must have at most 16 items"),
	Entry("claims that are text", bearer(in("additionalClaims: a")), "spec.jwtBearer.additionalClaims in body must be of type object"),
	Entry("65 claims", bearer(in("additionalClaims: {"+members(65)+"}")), "spec.jwtBearer.additionalClaims: Too many: 65: must have at most 64 items"),

	Entry("a token endpoint without a subject", exchange("-subject"), "tokenEndpoint needs subject and audience: RFC 7523 section 3 requires sub and aud"),
	Entry("a token endpoint without an audience", exchange("-audience"), "tokenEndpoint needs subject and audience: RFC 7523 section 3 requires sub and aud"),
	Entry("a token endpoint that is no URL", exchange("tokenEndpoint: idp.example/token"), endpointMessage),
	Entry("a token endpoint with a password", exchange("tokenEndpoint: 'https://a:b@idp.example/token'"), plainMessage),
	Entry("a grant type for nothing", bearer(in("grantType: a")), exchangeMessage),
	Entry("a client for nothing", bearer(in("clientID: a")), exchangeMessage),
	Entry("a secret for nothing", bearer(in("clientSecretRef: {name: a, key: b}")), exchangeMessage),
	Entry("a method for nothing", bearer(in("clientAuthenticationMethod: None")), exchangeMessage),
	Entry("parameters for nothing", bearer(in("parameters: [{name: a, value: b}]")), exchangeMessage),
	Entry("a grant type of two words", exchange("grantType: jwt bearer"), "must be one word of printable ASCII"),
	Entry("an empty grant type", exchange("grantType: ''"), "spec.jwtBearer.grantType in body should be at least 1 chars long"),
	Entry("a secret without a client", exchange("clientSecretRef: {name: a, key: b}"), "clientSecretRef and clientAuthenticationMethod need clientID"),
	Entry("a method without a client", exchange("clientAuthenticationMethod: None"), "clientSecretRef and clientAuthenticationMethod need clientID"),
	Entry("a method without a secret", exchange("clientID: a", "clientAuthenticationMethod: PrivateKeyJWT"), secretMessage),
	Entry("None with a secret", exchange("clientID: a", "clientAuthenticationMethod: None", "clientSecretRef: {name: a, key: b}"), secretMessage),
	Entry("another assertion", exchange("parameters: [{name: assertion, value: x}]"), requestMessage),
	Entry("another grant type", exchange("parameters: [{name: grant_type, value: x}]"), requestMessage),
	Entry("a client secret in plain sight", exchange("parameters: [{name: client_secret, value: x}]"), requestMessage),
	Entry("a parameter twice", exchange("parameters: [{name: a, value: x}, {name: a, value: y}]"), "Duplicate value"),
	Entry("a parameter without a name", exchange("parameters: [{name: '', value: x}]"), "spec.jwtBearer.parameters[0].name in body should be at least 1 chars long"),
	Entry("17 parameters", exchange("parameters: "+many(17, "{name: p%d, value: x}")), "spec.jwtBearer.parameters: Too many: 17: must have at most 16 items"),

	Entry("an output that is no name", bearer(in("outputSecretName: a/b")), outputMessage),
	Entry("an output in upper case", bearer(in("outputSecretName: Token")), outputMessage),
	Entry("an output with two dots", bearer(in("outputSecretName: a..b")), outputMessage),
	Entry("an output of the operator's", bearer(in("outputSecretName: gatehouse-default-keys")), "names that begin with gatehouse- are the operator's own: choose another, such as api-token"),
	Entry("a long output", bearer(in("outputSecretName: "+strings.Repeat("x", 254))), "spec.jwtBearer.outputSecretName: Too long: may not be more than 253 bytes"),
	Entry("empty callers", bearer(in("allowedCallers: ''")), "spec.jwtBearer.allowedCallers in body should be at least 1 chars long"),
	Entry("long callers", bearer(in("allowedCallers: "+strings.Repeat("x", 1025))), "spec.jwtBearer.allowedCallers: Too long: may not be more than 1024 bytes"),
	Entry("callers as a list", bearer(in("allowedCallers: [true]")), "spec.jwtBearer.allowedCallers in body must be of type string"),

	Entry("a policy's credential without a name", policy("upstreamCredential: ''"), "spec.upstreamCredential in body should be at least 1 chars long"),
	Entry("a policy's credential with a namespace", policy("upstreamCredential: {name: a, namespace: b}"), `unknown field "spec.upstreamCredential.namespace"`),
	Entry("token exchange by a word", policy("tokenExchange: true"), "spec.tokenExchange in body must be of type object"),
	Entry("scopes in one text", policy("tokenExchange: {enabled: true, scopes: ['a b']}"), scopeMessage),
	Entry("a scope twice", policy("tokenExchange: {scopes: [a, a]}"), "Duplicate value"),
	Entry("33 scopes", policy("tokenExchange: {scopes: "+many(33, "s%d")+"}"), "spec.tokenExchange.scopes: Too many: 33: must have at most 32 items"),
)

var _ = Describe("A JWTBearer provider", func() {
	It("gets the documented defaults", func(ctx SpecContext) {
		u, err := create(ctx, bearer(nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Object["spec"]).To(Equal(map[string]any{
			"authServerRef": map[string]any{"name": "default"}, "type": "JWTBearer", "enabled": true,
			"jwtBearer": map[string]any{
				"keySecretRef": map[string]any{"name": "key", "key": "key.pem"}, "algorithm": "RS256", "issuer": "app", "lifetime": "1h",
			},
		}))
	})
	It("has no rule that its fields cannot change", func(ctx SpecContext) {
		u, err := create(ctx, bearer(in("outputSecretName: api-token")))
		Expect(err).NotTo(HaveOccurred())
		u.Object["spec"].(map[string]any)["jwtBearer"] = map[string]any{
			"keySecretRef": map[string]any{"name": "other", "key": "k"}, "algorithm": "HS256", "issuer": "b", "outputSecretName": "other-token",
		}
		Expect(api.Update(ctx, u)).To(Succeed())
	})
	DescribeTable("accepts", func(ctx SpecContext, manifest string) {
		_, err := create(ctx, manifest)
		Expect(err).NotTo(HaveOccurred())
	},
		Entry("the shortest lifetime", bearer(in("lifetime: 10s"))),
		Entry("the longest lifetime", bearer(in("lifetime: 4400h"))),
		Entry("a CA bundle and a name", bearer(nil, "caBundleRef: {kind: ConfigMap, name: ca}", "displayName: API")),
		Entry("disabled", bearer(nil, "enabled: false")),
		Entry("any JSON", bearer(in("headers: {typ: JWT, x5t: abc, deep: {a: [1, null, {b: true}]}}", "additionalClaims: {scope: [a, b], admin: true, n: 9007199254740993, f: 1.5, nested: {a: null}}"))),
		Entry("a public client", exchange("clientID: a", "clientAuthenticationMethod: None")),
		Entry("a client by the default method", exchange("clientID: a", "clientSecretRef: {name: a, key: b}")),
		Entry("everything", exchange("keyID: k1", "lifetime: 5m", "grantType: urn:ietf:params:oauth:grant-type:jwt-bearer", "clientID: a", "clientSecretRef: {name: a, key: b}",
			"clientAuthenticationMethod: PrivateKeyJWT", "parameters: [{name: scope, value: 'a b'}, {name: resource, value: ''}]", "outputSecretName: api.token-1", "allowedCallers: tenant == 'acme'")),
		Entry("a policy that uses it", policy("upstreamCredential: api", "tokenExchange: {enabled: true, scopes: [read, 'https://api.example/write']}")),
		Entry("a policy that exchanges nothing", policy("tokenExchange: {}")),
	)
})

// Headers and claims are any JSON, so they are where hostile values get furthest.
var _ = DescribeTable("no stored JWTBearer provider stops the typed list",
	func(ctx SpecContext, manifest string) {
		if u, err := create(ctx, manifest); err == nil {
			DeferCleanup(api.Delete, u)
		}
		Expect(api.List(ctx, &v1alpha1.IdentityProviderList{})).To(Succeed())
	},
	Entry("numbers beyond every type", bearer(in("additionalClaims: {a: 99999999999999999999999999, b: 1.0e300, c: -0.0, d: 18446744073709551615}"))),
	Entry("a number that overflows", bearer(in("headers: {a: 1.0e400}"))),
	Entry("null", bearer(in("additionalClaims: {a: null, b: [null]}", "headers: null"))),
	Entry("odd names", bearer(in(`additionalClaims: {"": 1, "a\u0000b": 2, "\ud7ff": 3, apiVersion: 4, metadata: {name: x}, "__proto__": {}}`))),
	Entry("a thousand levels", bearer(in("headers: "+strings.Repeat("{a: ", 1000)+"1"+strings.Repeat("}", 1000)))),
	Entry("100 KiB", bearer(in("additionalClaims: {a: '"+strings.Repeat("x", 100<<10)+"'}"))),
	Entry("a lifetime as large as its pattern takes", bearer(in("lifetime: 99999h99999h99999h99999h"))),
	Entry("a lifetime as a number", bearer(in("lifetime: 3600"))),
	Entry("parameters as a map", exchange("parameters: {scope: a}")),
	Entry("a value as a number", exchange("parameters: [{name: a, value: 7}]")),
	Entry("a client secret that is null", exchange("clientID: a", "clientSecretRef: null")),
)
