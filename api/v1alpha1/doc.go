// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 holds Gatehouse's three kinds: AuthServer (where and how an
// auth server runs), IdentityProvider (how people log in, and programs get a
// credential for somebody else's API) and
// TenantJWTPolicy (which tokens a tenant's requests may carry).
//
// Every string and list is bounded, every default is written into the schema,
// and every cross-field rule is CEL whose message names the fix. No object that
// the API server stores may make the typed decoder fail: one such object would
// stop the list of its whole kind. That is why durations are strings of type
// [Duration] and why numbers carry explicit bounds.
//
// A newcomer adds things here:
//   - a provider type: its enum value on [ProviderType], its block on
//     [IdentityProviderSpec], its file in controllers/render and its row in
//     provider.go there, its block on authserver/config's Provider, and its
//     file in authserver/idp with one line of the table connectors;
//   - a field of a credential: its field on [JWTBearerProvider] and on
//     authserver/config's Credential, controllers/render's jwtbearer.go and
//     credential.go, and authserver/assertion;
//   - a token algorithm: its value on [SignatureAlgorithm] and one row in
//     authserver/jwk's table;
//   - an algorithm of encryption: its value on [KeyAlgorithm] or
//     [ContentAlgorithm] and one row in authserver/jwe's tables;
//   - a check of a token: its field on [TenantJWTPolicySpec] and on
//     authserver/config's Policy, the check in authserver/token, claims or
//     policy, its row in authserver/policy/checks.go and in test/mutation;
//   - a claim mapping of tokens: its field on [ClaimMappings], controllers/render's
//     mapping.go, authserver/config's ClaimRules and authserver/claims;
//   - an attribute of users: its field on [ProviderClaimMappings], controllers/render's
//     provider_mapping.go, authserver/config's ProviderMappings and authserver/idp/profile;
//   - a provider at which anybody can have an account: its row in
//     controllers/render/open.go;
//   - an endpoint: one handle_*.go in authserver and one line in its route
//     table;
//   - an event, metric or span: authserver/logs, metrics*.go and trace.go, which
//     docs/telemetry.md is made from;
//   - a condition or reason: one documented constant in conditions.go.
//
// +kubebuilder:object:generate=true
// +groupName=auth.gatehouse.dev
package v1alpha1
