// SPDX-License-Identifier: Apache-2.0

package pages

import "net/http"

// Reasons why a person does not get on. Each has a message "problem.<reason>" (words) and, where a page is about nothing else, "problem.<reason>.title".
const (
	ReasonInvalidCredentials = "invalid_credentials" // wrong e-mail address or password; says nothing of which
	ReasonTooManyAttempts    = "too_many_attempts"
	ReasonUnavailable        = "temporarily_unavailable" // our store, or all hashing slots
	ReasonFormExpired        = "form_expired"            // CSRF token missing, old or of another browser
	ReasonLoginExpired       = "login_expired"           // state missing, edited, old, used or of another browser
	ReasonLoginFailed        = "login_failed"            // at a provider, when there is nothing better to say
	ReasonCancelled          = "access_denied"           // the provider says that the person, or its policy, refused
	ReasonProviderAway       = "provider_unavailable"
	ReasonProviderAnswer     = "provider_answer" // the provider's answer breaks the protocol or our rules: issuer, signature, nonce, subject
	ReasonProviderSetup      = "provider_setup"  // the provider refuses this server: client credentials, redirect URI
	ReasonRule               = "rule"            // a claim rule; its own words are the ProblemMessage
	ReasonNoUsername         = "no_username"
	ReasonEmailUnverified    = "email_unverified" // at the provider, and it is the username
	ReasonTooManyGroups      = "too_many_groups"
	ReasonGroups             = "groups" // what the provider says of them cannot be used
	ReasonDisabled           = "user_disabled"
	ReasonNoRoom             = "no_room" // for further accounts in the organization
	ReasonHTTPSRequired      = "https_required"
	ReasonBadRequest         = "invalid_request" // a link or form that does not fit
	ReasonNotFound           = "not_found"
	ReasonServerError        = "server_error"
)

// statusReasons are the words of a status for reasons without words of their own.
func statusReason(status int) string {
	switch {
	case status == http.StatusNotFound:
		return ReasonNotFound
	case status == http.StatusTooManyRequests:
		return ReasonTooManyAttempts
	case status == http.StatusServiceUnavailable:
		return ReasonUnavailable
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return ReasonProviderAway
	case status >= http.StatusInternalServerError:
		return ReasonServerError
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return ReasonLoginFailed
	default:
		return ReasonBadRequest
	}
}

// Reasons are all constants above, in their order.
func Reasons() []string {
	return []string{
		ReasonInvalidCredentials, ReasonTooManyAttempts, ReasonUnavailable, ReasonFormExpired, ReasonLoginExpired, ReasonLoginFailed, ReasonCancelled,
		ReasonProviderAway, ReasonProviderAnswer, ReasonProviderSetup, ReasonRule, ReasonNoUsername, ReasonEmailUnverified, ReasonTooManyGroups, ReasonGroups, ReasonDisabled, ReasonNoRoom,
		ReasonHTTPSRequired, ReasonBadRequest, ReasonNotFound, ReasonServerError,
	}
}
