// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// Reasons of an [Error], which are those of the conditions CredentialReady and UpstreamReady.
const (
	ReasonAddressNotAllowed = string(keys.ReasonAddressNotAllowed) // outbound rules; the message names the CIDR to allow
	ReasonUnreachable       = string(keys.ReasonUnreachable)       // DNS, connect or timeout
	ReasonTLSFailed         = string(keys.ReasonTLSFailed)         // certificate or handshake
	ReasonBadStatus         = string(keys.ReasonBadStatus)         // an answer that is neither 200 nor a refusal
	ReasonBadRedirect       = string(keys.ReasonBadRedirect)       // a redirect: none is followed with an assertion
	ReasonTooLarge          = string(keys.ReasonTooLarge)          // more than 64 KiB
	ReasonBadContent        = string(keys.ReasonBadContent)        // an answer of 200 that brings no token to use
	ReasonInvalidSource     = string(keys.ReasonInvalidSource)     // what the administrator wrote cannot be asked or signed
	ReasonInternalError     = string(keys.ReasonInternalError)     // a fault of Gatehouse
	ReasonTooManyWaiting    = "TooManyWaiting"                     // of one caller alone, never of a condition: see [SourceOptions]
	ReasonRequestRefused    = "RequestRefused"                     // the endpoint refused the request; Code says why, if it said so in OAuth's words
)

// Error is why there is no token. It holds nothing that the token endpoint sent but a status, Retry-After and a code of OAuth's own lists.
type Error struct {
	// Reason is one of the constants.
	Reason string
	// Code is the error code of the answer (RFC 6749 §5.2) if it is one that an RFC registers, else "".
	Code string
	// Status is that of the answer, 0 without one.
	Status int
	// Message says cause and fix in words for a condition; it names a field where one is to blame.
	Message string
	// RetryAfter is how long to wait before the next attempt: what the endpoint asked for, at most [MaxRetryAfter], and from [Source.Get] the time until it
	// tries again; 0 if nothing says.
	RetryAfter time.Duration

	timeout bool
}

// Error returns reason, code and message.
func (e *Error) Error() string {
	if e.Code != "" {
		return fmt.Sprintf("%s (%s): %s", e.Reason, e.Code, e.Message)
	}
	return e.Reason + ": " + e.Message
}

// Timeout reports whether the endpoint did not answer in time.
func (e *Error) Timeout() bool { return e.timeout }

// Away reports whether the endpoint is out of reach or overloaded, and may do better later without anybody changing anything here: 503 rather than 502.
func (e *Error) Away() bool {
	switch e.Reason {
	case ReasonUnreachable, ReasonTooManyWaiting:
		return true
	case ReasonBadStatus:
		return e.Status >= 500 || e.Status == http.StatusTooManyRequests
	case ReasonRequestRefused:
		return slices.Contains([]string{"temporarily_unavailable", "server_error", "slow_down"}, e.Code)
	}
	return false
}

// registered are the error codes that a token endpoint may send and this package tell: those of the IANA registry OAuth Extensions Errors, and of RFC 6749 §4.1.2.1
// and §5.2, which some send here too. Any other text could be the assertion or a secret that the endpoint sends back.
var registered = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", // RFC 6749 §5.2
	"access_denied", "server_error", "temporarily_unavailable", // RFC 6749 §4.1.2.1
	"invalid_target",                                      // RFC 8707 §2
	"authorization_pending", "slow_down", "expired_token", // RFC 8628 §3.5
	"invalid_authorization_details",        // RFC 9396 §5
	"invalid_dpop_proof", "use_dpop_nonce", // RFC 9449 §5, §8
	"unmet_authentication_requirements",                                                        // OpenID Connect Core Error Code unmet_authentication_requirements 1.0
	"interaction_required", "login_required", "account_selection_required", "consent_required", // OpenID Connect Core 1.0 §3.1.2.6
}

// registeredCode returns the code if it may be told, else "".
func registeredCode(code string) string {
	if slices.Contains(registered, code) {
		return code
	}
	return ""
}

func fail(reason, message string) *Error { return &Error{Reason: reason, Message: message} }
