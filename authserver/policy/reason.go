// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/gatehouse-auth/gatehouse/authserver/token"

// Reasons beyond those of package token.
const (
	// ReasonNoToken: the request carries no token.
	ReasonNoToken token.Reason = "no_token"
	// ReasonDuplicateHeader: a header that decides is there twice.
	ReasonDuplicateHeader token.Reason = "duplicate_header"
	// ReasonEmptyHeader: an x-jwt-* header, or a Bearer token, is there and empty.
	ReasonEmptyHeader token.Reason = "empty_header"
	// ReasonTokensDiffer: x-jwt-token and the Bearer token are not the same.
	ReasonTokensDiffer token.Reason = "tokens_differ"
	// ReasonInvalidTenant: route or x-jwt-tenant-id cannot be a tenant ID.
	ReasonInvalidTenant token.Reason = "invalid_tenant"
	// ReasonTenantsDiffer: route, x-jwt-tenant-id and the own token's organization do not agree.
	ReasonTenantsDiffer token.Reason = "tenants_differ"
	// ReasonUnknownTenant: no policy has the tenant ID that the request names.
	ReasonUnknownTenant token.Reason = "unknown_tenant"
	// ReasonNoTenant: the request names no tenant, and there is no default policy.
	ReasonNoTenant token.Reason = "no_tenant"
	// ReasonIssuer: no issuer of the policy is the token's iss.
	ReasonIssuer token.Reason = "issuer_not_allowed"
	// ReasonKeysUnavailable: no keys could be fetched (503).
	ReasonKeysUnavailable token.Reason = "keys_unavailable"
	// ReasonAudience: aud holds none of the audiences asked for.
	ReasonAudience token.Reason = "audience_not_allowed"
	// ReasonNarrowIssuer: iss is not x-jwt-issuer.
	ReasonNarrowIssuer token.Reason = "issuer_narrowed"
	// ReasonNarrowClientID: x-jwt-client-id is none of the policy's audiences, or aud does not hold it.
	ReasonNarrowClientID token.Reason = "client_id_narrowed"
	// ReasonNarrowNonce: nonce is not x-jwt-nonce.
	ReasonNarrowNonce token.Reason = "nonce_narrowed"
	// ReasonOwnNotAccepted: an own token, and the policy of its organization does not have acceptIssuedTokens.
	ReasonOwnNotAccepted token.Reason = "own_tokens_not_accepted"
	// ReasonOrganization: an own token without a valid organization.
	ReasonOrganization token.Reason = "bad_organization"
	// ReasonUsername: the username is absent, empty or not a string.
	ReasonUsername token.Reason = "bad_username"
	// ReasonNotConfigured: the server has no configuration yet (503).
	ReasonNotConfigured token.Reason = "not_configured"
)
