// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"errors"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
)

var (
	// ErrUnavailable says that the provider is away or cannot be used at the moment: 503, and nobody is refused for good.
	ErrUnavailable = errors.New("the identity provider is unavailable")
	// ErrNoRefresh says that there is nothing to refresh with: the provider gave no refresh token, or cannot take one.
	ErrNoRefresh = errors.New("there is no upstream refresh token")
	// ErrEnded says that the provider, or a rule of this server, wants the person no more: the session ends.
	ErrEnded = errors.New("the login at the identity provider has ended")
)

// Reasons of an [Error]. They are for logs, metrics and the texts of pages.
const (
	ReasonUnavailable     = "provider_unavailable"   // metadata or keys are out of reach; ErrUnavailable
	ReasonMisconfigured   = "provider_misconfigured" // what the administrator wrote cannot work
	ReasonIssuerMismatch  = "issuer_mismatch"        // iss of the callback is another provider's, or missing although promised
	ReasonNoCode          = "no_code"                // the callback brings neither code nor error
	ReasonRefused         = "provider_refused"       // the provider answered the authorization request with an error
	ReasonCancelled       = "access_denied"          // the person, or the provider for them, said no
	ReasonTokenEndpoint   = "token_endpoint"         // the token endpoint refused the code, or gave no usable answer
	ReasonClientRefused   = "client_refused"         // the token endpoint does not know this client or its secret
	ReasonIDTokenMissing  = "id_token_missing"
	ReasonIDToken         = "id_token" // form, algorithm, key or signature
	ReasonIDTokenIssuer   = "id_token_issuer"
	ReasonIDTokenAudience = "id_token_audience"
	ReasonIDTokenTime     = "id_token_time" // exp, iat, nbf or auth_time
	ReasonIDTokenSubject  = "id_token_subject"
	ReasonIDTokenHash     = "id_token_hash" // at_hash
	ReasonNonce           = "nonce"
	ReasonUserInfo        = "userinfo"         // no usable answer
	ReasonUserInfoSubject = "userinfo_subject" // it tells of somebody else
	ReasonSubject         = "no_subject"       // OAuth2: userinfo lacks the subject attribute
	ReasonUsername        = profile.ReasonNoUsername
	ReasonBadUsername     = profile.ReasonBadUsername
	ReasonEmailUnverified = profile.ReasonEmailUnverified // the username is an e-mail address that the provider calls unverified
	ReasonTooManyGroups   = profile.ReasonTooManyGroups
	ReasonGroups          = profile.ReasonGroups // OAuth2: the expression over the groups endpoint's answer fails
	ReasonMapping         = "mapping"            // what the provider says cannot be mapped for another reason
	ReasonRule            = profile.ReasonRule   // a claim validation rule is false or fails
	ReasonLogoutToken     = "logout_token"
	ReasonEnded           = "ended" // a refresh was refused
)

// Error is why a login, refresh or logout failed. Reason is one of the constants, Detail says cause and fix to an
// administrator. Neither holds what an upstream wrote, but for an error code of OAuth's own lists.
type Error struct {
	Reason string
	Detail string

	message string // of a claim rule, for the person; its author wrote it
	cause   error  // one that callers compare, if any
}

// Error returns reason and detail, for logs.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Detail
}

// Unwrap returns [ErrUnavailable], [ErrNoRefresh] or [ErrEnded] where it is one of those.
func (e *Error) Unwrap() error { return e.cause }

// RuleMessage returns the message of the claim rule that failed, "" if it is another failure or the rule has none.
func (e *Error) RuleMessage() string { return e.message }

// oauthErrors are the codes that may be told: those of RFC 6749 §4.1.2.1 and §5.2, and OpenID Connect Core 1.0 §3.1.2.6.
var oauthErrors = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "access_denied",
	"unsupported_response_type", "server_error", "temporarily_unavailable", "interaction_required", "login_required",
	"account_selection_required", "consent_required", "invalid_request_uri", "invalid_request_object", "request_not_supported",
	"request_uri_not_supported", "registration_not_supported",
}

// knownError returns the code if it is one that may be told, else words for "another".
func knownError(code string) string {
	if slices.Contains(oauthErrors, code) {
		return code
	}
	return "an error code that OAuth does not define"
}

// AuthorizationError turns the parameter error of a callback into an [*Error]. Call [Provider.CheckIssuer] first.
func AuthorizationError(code string) *Error {
	switch code {
	case "access_denied":
		return &Error{Reason: ReasonCancelled, Detail: "the provider answered access_denied"}
	case "temporarily_unavailable", "server_error":
		return &Error{Reason: ReasonUnavailable, Detail: "the provider answered " + code, cause: ErrUnavailable}
	}
	return &Error{Reason: ReasonRefused, Detail: "the provider answered the authorization request with " + knownError(code)}
}

func refuse(reason, detail string) *Error { return &Error{Reason: reason, Detail: detail} }

// unavailable is an Error for a provider that is away.
func unavailable(detail string) *Error {
	return &Error{Reason: ReasonUnavailable, Detail: detail, cause: ErrUnavailable}
}

// refused makes a refusal one that ends the session. A provider that is away does not, nor one that does not know this client: that is for the administrator.
func refused(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Reason == ReasonClientRefused || e.Reason == ReasonMisconfigured || errors.Is(err, ErrUnavailable) {
		return err
	}
	return &Error{Reason: e.Reason, Detail: e.Detail, message: e.message, cause: ErrEnded}
}
