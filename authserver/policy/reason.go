// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Reasons beyond those of packages token and claims, in the order of the checks that give them (check.go). Each is answered
// with 401, and so are all others, but where it says 503; the one that is answered with 403 is [claims.ReasonClaimRule].
const (
	// ReasonNotConfigured: the server has no configuration yet (503).
	ReasonNotConfigured token.Reason = "not_configured"
	// ReasonDuplicateHeader: a header that decides is there twice.
	ReasonDuplicateHeader token.Reason = "duplicate_header"
	// ReasonEmptyHeader: an x-jwt-* header, or a Bearer token, is there and empty.
	ReasonEmptyHeader token.Reason = "empty_header"
	// ReasonNoToken: the request carries no token.
	ReasonNoToken token.Reason = "no_token"
	// ReasonTokensDiffer: x-jwt-token and the Bearer token are not the same.
	ReasonTokensDiffer token.Reason = "tokens_differ"
	// ReasonInvalidTenant: route or x-jwt-tenant-id cannot be a tenant ID.
	ReasonInvalidTenant token.Reason = "invalid_tenant"
	// ReasonTenantsDiffer: route and x-jwt-tenant-id do not agree.
	ReasonTenantsDiffer token.Reason = "tenants_differ"
	// ReasonUnknownTenant: no policy has the tenant ID that the request names.
	ReasonUnknownTenant token.Reason = "unknown_tenant"
	// ReasonNoTenant: the request names no tenant, and there is no default policy.
	ReasonNoTenant token.Reason = "no_tenant"
	// ReasonKeysUnavailable: no keys could be fetched (503).
	ReasonKeysUnavailable token.Reason = "keys_unavailable"
	// ReasonKeyIssuer: the key was published for another Entra ID directory.
	ReasonKeyIssuer token.Reason = "key_of_another_directory"
	// ReasonInternal: a fault of this program.
	ReasonInternal token.Reason = "internal"
	// ReasonOrganization: an own token without a valid organization.
	ReasonOrganization token.Reason = "bad_organization"
	// ReasonOrganizationDiffers: an own token's organization is not the tenant that the request names.
	ReasonOrganizationDiffers token.Reason = "organization_differs"
	// ReasonOwnNotAccepted: an own token, and the policy of its organization does not have acceptIssuedTokens.
	ReasonOwnNotAccepted token.Reason = "own_tokens_not_accepted"
	// ReasonGrantGone: an own token that was given for an assertion, and the policy that took it applies no more.
	ReasonGrantGone token.Reason = "exchanged_under_another_policy"
	// ReasonNarrowIssuer: iss is not x-jwt-issuer.
	ReasonNarrowIssuer token.Reason = "issuer_narrowed"
	// ReasonNarrowClientID: x-jwt-client-id is none of the policy's audiences, or aud does not hold it.
	ReasonNarrowClientID token.Reason = "client_id_narrowed"
	// ReasonNarrowNonce: x-jwt-nonce is not the policy's requiredNonce, or nonce is not x-jwt-nonce.
	ReasonNarrowNonce token.Reason = "nonce_narrowed"
	// ReasonNoCredential: the request is let in, and the policy's upstreamCredential has no token (503).
	ReasonNoCredential token.Reason = "credential_unavailable"
)

// answerTo tells what an error of a check is answered with (DESIGN §4, Refusal). One that names no reason is a fault of this
// program: it refuses too.
func answerTo(err error) (status int, reason token.Reason, detail string) {
	if errors.Is(err, keys.ErrUnavailable) {
		return http.StatusServiceUnavailable, ReasonKeysUnavailable, err.Error()
	}
	e, ok := errors.AsType[*token.Error](err)
	switch {
	case !ok:
		return http.StatusUnauthorized, ReasonInternal, ""
	case errors.Is(err, claims.ErrForbidden):
		return http.StatusForbidden, e.Reason, e.Detail
	}
	return http.StatusUnauthorized, e.Reason, e.Detail
}
