// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	endpointMessage = "must be an https URL such as https://idp.example/oauth2/token"
	plainMessage    = "must not hold a fragment, user or password"
	scopeMessage    = "must be one scope, without spaces, quotes and backslashes: write each as an item of the list"
	secretMessage   = "clientSecretRef goes with every clientAuthenticationMethod but None"
	upstreamMessage = "icon, caBundleRef, claimMappings, claimValidationRules, allowAnyone, userSync and linking are for types OIDC and OAuth2: leave them out"
	ownMessage      = "is set by the login itself: leave it out"
)

var _ = DescribeTable("an OIDC or OAuth2 provider is refused with a message that names the fix",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("OIDC without its block", provider("type: OIDC", "-password"), "spec.oidc goes with type OIDC: set both or neither"),
	Entry("OIDC with a block of passwords", oidc(nil, "password: {}"), "spec.password goes with type Password: set both or neither"),
	Entry("OAuth2 without its block", provider("type: OAuth2", "-password"), "spec.oauth2 goes with type OAuth2: set both or neither"),
	Entry("OAuth2 with a block of OIDC", oauth2(nil, "oidc: {issuer: 'https://a.example', clientID: a}"), "spec.oidc goes with type OIDC: set both or neither"),
	Entry("Password with an icon", provider("icon: {url: 'https://a.example/i.png'}"), upstreamMessage),
	Entry("Password with a CA bundle", provider("caBundleRef: {kind: ConfigMap, name: ca}"), upstreamMessage),
	Entry("Password with mappings", provider("claimMappings: {}"), upstreamMessage),
	Entry("Password with rules", provider("claimValidationRules: [{expression: 'true'}]"), upstreamMessage),
	Entry("Password for anyone", provider("allowAnyone: false"), upstreamMessage),
	Entry("Password with userSync", provider("userSync: Always"), upstreamMessage),
	Entry("Password with linking", provider("linking: None"), upstreamMessage),
	Entry("two usernames", oidc(in("usernameClaim: sub"), "claimMappings: {username: {claim: email}}"), "spec.oidc.usernameClaim is short for spec.claimMappings.username: set one of them"),
	Entry("unknown userSync", oidc(nil, "userSync: Never"), `Unsupported value: "Never": supported values: "Always", "FirstLogin"`),
	Entry("unknown linking", oidc(nil, "linking: Email"), `Unsupported value: "Email": supported values: "None", "VerifiedEmail"`),
	Entry("a mapping of two sources", oidc(nil, "claimMappings: {email: {claim: a, expression: b}}"), "spec.claimMappings.email: Invalid value: set exactly one of claim and expression"),
	Entry("a mapping of none", oidc(nil, "claimMappings: {groups: {}}"), "set exactly one of claim and expression"),
	Entry("an unknown attribute", oidc(nil, "claimMappings: {mail: {claim: a}}"), `unknown field "spec.claimMappings.mail"`),
	Entry("a long claim", oidc(nil, "claimMappings: {name: {claim: "+strings.Repeat("x", 257)+"}}"), "spec.claimMappings.name.claim: Too long: may not be more than 256 bytes"),
	Entry("a long expression", oidc(nil, "claimMappings: {phone: {expression: "+strings.Repeat("x", 1025)+"}}"), "spec.claimMappings.phone.expression: Too long: may not be more than 1024 bytes"),
	Entry("a rule without an expression", oidc(nil, "claimValidationRules: [{message: no}]"), "spec.claimValidationRules[0].expression: Required value"),
	Entry("a long message", oidc(nil, "claimValidationRules: [{expression: 'true', message: "+strings.Repeat("x", 257)+"}]"), "spec.claimValidationRules[0].message: Too long: may not be more than 256 bytes"),
	Entry("17 rules", oidc(nil, "claimValidationRules: "+many(17, "{expression: 'claims.a == %d'}")), "spec.claimValidationRules: Too many: 17: must have at most 16 items"),
	Entry("an icon of none", oidc(nil, "icon: {}"), "spec.icon: Invalid value: set exactly one of url and configMapRef"),
	Entry("an icon over http", oidc(nil, "icon: {url: 'http://a.example/i.png'}"), imageMessage),
	Entry("an icon with a user", oidc(nil, "icon: {url: 'https://a@b.example/i.png'}"), imageMessage),
	Entry("an icon without a key", oidc(nil, "icon: {configMapRef: {name: a}}"), "spec.icon.configMapRef.key: Required value"),
	Entry("a CA bundle of another kind", oidc(nil, "caBundleRef: {kind: File, name: a}"), `Unsupported value: "File"`),

	Entry("neither issuer nor endpoints", oidc(in("-issuer")), "set issuer, or authorizationEndpoint, tokenEndpoint and jwksEndpoint"),
	Entry("no issuer and no keys", oidc(in("-issuer", "authorizationEndpoint: 'https://a.example/a'", "tokenEndpoint: 'https://a.example/t'")), "set issuer, or authorizationEndpoint, tokenEndpoint and jwksEndpoint"),
	Entry("metadata of nobody", oidc(in("-issuer", "discoveryURL: 'https://a.example/d'", "authorizationEndpoint: 'https://a.example/a'", "tokenEndpoint: 'https://a.example/t'", "jwksEndpoint: 'https://a.example/k'")), "discoveryURL needs issuer: metadata must name the issuer they are of"),
	Entry("an issuer that is no URL", oidc(in("issuer: idp.example")), endpointMessage),
	Entry("an issuer of another scheme", oidc(in("issuer: 'ftp://idp.example'")), endpointMessage),
	Entry("an issuer without a host", oidc(in("issuer: 'https:///realms'")), endpointMessage),
	Entry("an empty issuer", oidc(in("issuer: ''")), "spec.oidc.issuer in body should be at least 1 chars long"),
	Entry("an endpoint with a user", oidc(in("tokenEndpoint: 'https://a:b@idp.example/t'")), plainMessage),
	Entry("an endpoint with a fragment", oidc(in("jwksEndpoint: 'https://idp.example/k#a'")), plainMessage),
	Entry("an endpoint too long", oidc(in("userInfoEndpoint: 'https://idp.example/"+strings.Repeat("x", 2048)+"'")), "spec.oidc.userInfoEndpoint: Too long: may not be more than 2048 bytes"),
	Entry("no client ID", oidc(in("-clientID")), "spec.oidc.clientID: Required value"),
	Entry("an empty client ID", oidc(in("clientID: ''")), "spec.oidc.clientID in body should be at least 1 chars long"),
	Entry("a client secret in plain sight", oidc(in("clientSecret: a")), `unknown field "spec.oidc.clientSecret"`),
	Entry("a method without a secret", oidc(in("clientAuthenticationMethod: ClientSecretPost")), secretMessage),
	Entry("None with a secret", oidc(in("clientAuthenticationMethod: None", "clientSecretRef: {name: a, key: b}")), secretMessage),
	Entry("an unknown method", oidc(in("clientAuthenticationMethod: tls_client_auth")), `Unsupported value: "tls_client_auth": supported values: "ClientSecretBasic", "ClientSecretPost", "PrivateKeyJWT", "None"`),
	Entry("scopes in one text", oidc(in("scopes: ['openid email']")), scopeMessage),
	Entry("a scope with a quote", oidc(in(`scopes: ['a"b']`)), scopeMessage),
	Entry("33 scopes", oidc(in("scopes: "+many(33, "s%d"))), "spec.oidc.scopes: Too many: 33: must have at most 32 items"),
	Entry("no algorithm", oidc(in("signingAlgorithms: []")), "spec.oidc.signingAlgorithms in body should have at least 1 items"),
	Entry("unsigned ID tokens", oidc(in("signingAlgorithms: [none]")), `Unsupported value: "none"`),
	Entry("an empty username claim", oidc(in("usernameClaim: ''")), "spec.oidc.usernameClaim in body should be at least 1 chars long"),
	Entry("a parameter of ours", oidc(in("extraAuthorizationParameters: [{name: redirect_uri, value: x}]")), ownMessage),
	Entry("our state", oidc(in("extraAuthorizationParameters: [{name: state, value: x}]")), ownMessage),
	Entry("a parameter twice", oidc(in("extraAuthorizationParameters: [{name: a, value: x}, {name: a, value: y}]")), "Duplicate value"),
	Entry("17 parameters", oidc(in("extraAuthorizationParameters: "+many(17, "{name: p%d, value: x}"))), "spec.oidc.extraAuthorizationParameters: Too many: 17: must have at most 16 items"),
	Entry("unknown pkce", oidc(in("pkce: Optional")), `Unsupported value: "Optional": supported values: "Required", "Off"`),
	Entry("pkce Off without quotes, which YAML reads as false", oidc(in("pkce: Off")), "spec.oidc.pkce in body must be of type string"),

	Entry("OAuth2 without an authorization endpoint", oauth2(in("-authorizationEndpoint")), "spec.oauth2.authorizationEndpoint: Required value"),
	Entry("OAuth2 without a token endpoint", oauth2(in("-tokenEndpoint")), "spec.oauth2.tokenEndpoint: Required value"),
	Entry("OAuth2 without a userinfo endpoint", oauth2(in("-userInfoEndpoint")), "spec.oauth2.userInfoEndpoint: Required value"),
	Entry("OAuth2 without a subject", oauth2(in("-subjectAttribute")), "spec.oauth2.subjectAttribute: Required value"),
	Entry("OAuth2 without a client ID", oauth2(in("-clientID")), "spec.oauth2.clientID: Required value"),
	Entry("OAuth2: a method without a secret", oauth2(in("clientAuthenticationMethod: PrivateKeyJWT")), secretMessage),
	Entry("OAuth2: an endpoint of another scheme", oauth2(in("emailsEndpoint: 'file:///etc/passwd'")), endpointMessage),
	Entry("OAuth2: syncLogout to nowhere", oauth2(in("syncLogout: true")), "syncLogout needs logoutEndpoint"),
	Entry("OAuth2: groups without an expression", oauth2(in("groupsEndpoint: {url: 'https://idp.example/g'}")), "spec.oauth2.groupsEndpoint.expression: Required value"),
	Entry("OAuth2: groups from nowhere", oauth2(in("groupsEndpoint: {expression: groups}")), "spec.oauth2.groupsEndpoint.url: Required value"),
	Entry("OAuth2: an issuer", oauth2(in("issuer: 'https://idp.example'")), `unknown field "spec.oauth2.issuer"`),
)

var _ = Describe("An OIDC or OAuth2 provider", func() {
	It("of OIDC gets the documented defaults", func(ctx SpecContext) {
		u, err := create(ctx, oidc(nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Object["spec"]).To(Equal(map[string]any{
			"authServerRef": map[string]any{"name": "default"}, "type": "OIDC", "enabled": true,
			"oidc": map[string]any{
				"issuer": "https://idp.example", "clientID": "gatehouse", "syncLogout": false,
				"scopes": []any{"openid", "email", "profile"}, "signingAlgorithms": []any{"RS256"},
			},
		}))
	})
	It("of OAuth2 gets the documented defaults", func(ctx SpecContext) {
		u, err := create(ctx, oauth2(nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(u.Object["spec"]).To(HaveKeyWithValue("oauth2", HaveKeyWithValue("syncLogout", false)))
	})
	DescribeTable("accepts", func(ctx SpecContext, manifest string) {
		_, err := create(ctx, manifest)
		Expect(err).NotTo(HaveOccurred())
	},
		Entry("an issuer with a trailing slash", oidc(in("issuer: 'https://idp.example/realms/main/'"))),
		Entry("endpoints without an issuer", oidc(in("-issuer", "authorizationEndpoint: 'https://a.example/a'", "tokenEndpoint: 'https://a.example/t'", "jwksEndpoint: 'https://a.example/k'"))),
		Entry("a key in place of a secret", oidc(in("clientAuthenticationMethod: PrivateKeyJWT", "clientSecretRef: {name: a, key: b}"))),
		Entry("a public client", oidc(in("clientAuthenticationMethod: None"))),
		Entry("a secret by the default method", oauth2(in("clientSecretRef: {name: a, key: b}"))),
		Entry("parameters", oidc(in("extraAuthorizationParameters: [{name: prompt, value: login}, {name: domain_hint, value: ''}]"))),
		Entry("everything that users have", oauth2(in("groupsEndpoint: {url: 'https://idp.example/g', expression: groups}", "syncLogout: true", "logoutEndpoint: 'https://idp.example/out'", "pkce: 'Off'"),
			"claimMappings: {username: {claim: login}, email: {claim: email}, name: {claim: name}, phone: {expression: claims.tel}, comment: {claim: bio}, groups: {claim: teams}}",
			"claimValidationRules: [{expression: 'claims.a == 1', message: sorry}]", "userSync: FirstLogin", "linking: VerifiedEmail", "allowAnyone: true", "icon: {configMapRef: {name: a, key: b}}")),
	)
})
