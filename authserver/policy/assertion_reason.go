// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Reasons of assertions beyond those of tokens, in the order of the checks that give them (assertion_checks.go). Each is answered with 400, but where it says 503.
const (
	// ReasonTokenBeside: an assertion, and x-jwt-token beside it.
	ReasonTokenBeside token.Reason = "token_beside_assertion"
	// ReasonClientAuthentication: an assertion, and credentials of a client beside it.
	ReasonClientAuthentication token.Reason = "client_authentication"
	// ReasonScopeParameter: the parameter scope of an assertion's request is malformed.
	ReasonScopeParameter token.Reason = "bad_scope_parameter"
	// ReasonClientParameter: the parameter client_id of an assertion's request is malformed.
	ReasonClientParameter token.Reason = "bad_client_id_parameter"
	// ReasonExchangeOff: an assertion, and the tenant's policy does not have tokenExchange.
	ReasonExchangeOff token.Reason = "exchange_off"
	// ReasonIssuerOfNobody: an assertion without a tenant, and no policy with tokenExchange has its iss.
	ReasonIssuerOfNobody token.Reason = "issuer_of_nobody"
	// ReasonIssuerOfSeveral: an assertion without a tenant, and several policies with tokenExchange have its iss.
	ReasonIssuerOfSeveral token.Reason = "issuer_of_several"
	// ReasonOwnAssertion: an assertion whose iss is the server's own.
	ReasonOwnAssertion token.Reason = "own_token_as_assertion"
	// ReasonIssuerMissing: an assertion without iss.
	ReasonIssuerMissing token.Reason = "iss_missing"
	// ReasonRecipient: aud of an assertion is not one string that is this server's externalURL or token endpoint.
	ReasonRecipient token.Reason = "not_for_this_server"
	// ReasonLifetime: exp of an assertion is more than an hour ahead, or after iat.
	ReasonLifetime token.Reason = "lives_too_long"
	// ReasonSubject: sub of an assertion is absent, empty, too long or has a control character.
	ReasonSubject token.Reason = "bad_subject"
	// ReasonID: jti of an assertion is absent, empty or too long.
	ReasonID token.Reason = "bad_jti"
	// ReasonClientID: the claim client_id of an assertion is malformed, or not the request's parameter.
	ReasonClientID token.Reason = "bad_client_id"
	// ReasonScope: the claim scope of an assertion is malformed.
	ReasonScope token.Reason = "bad_scope"
	// ReasonScopeNotGranted: none of the scopes that are asked for may be had.
	ReasonScopeNotGranted token.Reason = "scope_not_granted"
	// ReasonReplayed: jti of an assertion was used before for this tenant.
	ReasonReplayed token.Reason = "replayed"
	// ReasonManyUses: so many assertions of the tenant were used that no more can be remembered at the moment (503).
	ReasonManyUses token.Reason = "too_many_uses"
	// ReasonUsesUnavailable: the store that knows which assertions were used cannot be asked (503).
	ReasonUsesUnavailable token.Reason = "uses_unavailable"
)

// Error codes of the token endpoint (RFC 6749 §5.2), and the one for what may be tried again.
const (
	errorRequest     = "invalid_request"
	errorGrant       = "invalid_grant"
	errorScope       = "invalid_scope"
	errorUnavailable = "temporarily_unavailable"
)

// What a client is told that has not shown that it is anybody's: whether a tenant exists, takes assertions or has an issuer is not for it to know.
const toldNothing = "the assertion is not accepted: it must be signed for a tenant that takes assertions here; where several tenants have its issuer, name yours by x-jwt-tenant-id"

// ofRequest are reasons that are about the request alone, whoever's it is: they are told in full.
var ofRequest = []token.Reason{ReasonDuplicateHeader, ReasonEmptyHeader, ReasonInvalidTenant, ReasonTokenBeside, ReasonNoToken, ReasonClientParameter}

// vouched are what a client is told whose assertion has a good signature (RFC 7521 §4.1.1). What of it is the policy's own is not among it.
var vouched = map[token.Reason]string{
	token.ReasonClaimType:      "a registered claim of the assertion has another JSON type than RFC 7519 section 4.1 gives it",
	token.ReasonTimeRange:      "a time in the assertion is out of range: they are in seconds since 1970",
	token.ReasonExpMissing:     "exp is required of an assertion",
	token.ReasonExpired:        "the assertion has expired",
	token.ReasonNotYetValid:    "the assertion's nbf is in the future",
	token.ReasonIssuedInFuture: "the assertion's iat is in the future",
	claims.ReasonTooOld:        "the assertion's iat is absent, or longer ago than the tenant's policy allows",
	ReasonNarrowIssuer:         "the assertion's iss is not the value of x-jwt-issuer",
	ReasonNarrowClientID:       "the assertion's aud is not the value of x-jwt-client-id",
	ReasonNarrowNonce:          "the assertion's nonce is not the value of x-jwt-nonce, or that is not the tenant's",
	claims.ReasonTooLarge:      "the assertion's claims do not fit into an access token",
	ReasonIssuerMissing:        "iss is required of an assertion",
	ReasonRecipient:            "aud must be one string, and no list: this server's issuer or the URL of its token endpoint",
	ReasonLifetime:             "exp must be at most one hour ahead, and after iat",
	ReasonSubject:              "sub is required of an assertion, 1 to 255 bytes",
	ReasonID:                   "jti is required of an assertion, 1 to 255 bytes",
	ReasonClientID:             "the assertion's client_id is malformed, or not the request's",
	ReasonReplayed:             "the assertion was used before: each is good for one access token",
}

// toldVouched is for reasons that vouched does not have.
const toldVouched = "the tenant's policy does not accept the assertion"

// told is the client's part of a refusal.
func told(j *judgement) (code, description string) {
	d := &j.decision
	switch {
	case d.Reason == ReasonScopeParameter, d.Reason == ReasonScope, d.Reason == ReasonScopeNotGranted:
		return errorScope, d.Detail
	case slices.Contains(ofRequest, d.Reason):
		return errorRequest, d.Detail
	}
	return Told(d.Reason, j.vouched)
}

// Told is the client's part of a refusal of an assertion whose signature was found to be good, or not yet, for a reason that is not about scope or the
// request alone.
func Told(reason token.Reason, good bool) (code, description string) {
	switch {
	case reason == ReasonKeysUnavailable:
		return errorUnavailable, "the keys for the assertion cannot be had at the moment; try again"
	case reason == ReasonManyUses:
		return errorUnavailable, "the tenant has used more assertions than can be remembered; try again later"
	case reason == ReasonUsesUnavailable:
		return errorUnavailable, "whether the assertion was used before cannot be told at the moment; try again"
	case !good:
		return errorGrant, toldNothing
	case reason == ReasonIssuerOfSeveral:
		return errorRequest, "several tenants have the assertion's issuer: name yours by the header x-jwt-tenant-id"
	}
	if text, ok := vouched[reason]; ok {
		return errorGrant, text
	}
	return errorGrant, toldVouched
}
