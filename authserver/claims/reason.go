// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Reasons beyond those of package token.
const (
	// ReasonIssuer: no issuer of the policy is the token's iss.
	ReasonIssuer token.Reason = "issuer_not_allowed"
	// ReasonDirectory: tid is not the Entra ID directory that the issuer stands for.
	ReasonDirectory token.Reason = "directory"
	// ReasonAudience: aud holds none of the audiences asked for.
	ReasonAudience token.Reason = "audience_not_allowed"
	// ReasonTooOld: iat is absent, or longer ago than maxTokenAge.
	ReasonTooOld token.Reason = "token_too_old"
	// ReasonNonce: nonce is not the policy's requiredNonce.
	ReasonNonce token.Reason = "nonce"
	// ReasonClaimRule: a claim rule does not hold (403).
	ReasonClaimRule token.Reason = "claim_rule"
	// ReasonUsername: the username is absent, empty or not a string.
	ReasonUsername token.Reason = "bad_username"
	// ReasonTooLarge: the identity's headers would be longer than [MaxIdentity].
	ReasonTooLarge token.Reason = "identity_too_large"
)

// ErrForbidden is what a refusal wraps that is answered with 403; every other is answered with 401.
var ErrForbidden = errors.New("forbidden")

func refuse(reason token.Reason, detail string) error {
	return &token.Error{Reason: reason, Detail: detail}
}

// forbidden is a refusal that is answered with 403: errors.As finds its [token.Error], errors.Is [ErrForbidden].
type forbidden struct{ refusal *token.Error }

func (f forbidden) Error() string   { return f.refusal.Error() }
func (f forbidden) Unwrap() []error { return []error{f.refusal, ErrForbidden} }
