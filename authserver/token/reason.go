// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// Reason is a snake_case code for why a token was refused: the one vocabulary of logs,
// metrics and explain. The client never sees it.
type Reason string

// Reasons, in the order of the steps that give them.
const (
	// ReasonTooLong: the token is longer than [MaxLength].
	ReasonTooLong Reason = "token_too_long"
	// ReasonCharacters: a byte outside A–Z, a–z, 0–9, `-`, `_` and `.`.
	ReasonCharacters Reason = "bad_characters"
	// ReasonSegments: neither three segments nor five, or an empty header or signature.
	ReasonSegments Reason = "segments"
	// ReasonEncrypted: five segments, a JWE, and the policy has no decryption.
	ReasonEncrypted Reason = "encrypted_not_accepted"
	// ReasonJWERequired: three segments, a JWS, and the policy requires encryption.
	ReasonJWERequired Reason = "jwe_required"
	// ReasonBase64: a segment is not canonical base64url without padding.
	ReasonBase64 Reason = "bad_base64url"
	// ReasonJSON: header or payload is not one JSON object in valid UTF-8.
	ReasonJSON Reason = "bad_json"
	// ReasonDuplicateMember: an object has a member name twice.
	ReasonDuplicateMember Reason = "duplicate_member"
	// ReasonJSONLimits: depth, number of members or length of a number is over its bound.
	ReasonJSONLimits Reason = "json_limits"
	// ReasonHeader: alg, typ, kid, enc or cty is not a string, apu or apv not base64url or too long.
	ReasonHeader Reason = "bad_header"
	// ReasonAlgorithm: alg is absent or not one of the policy's.
	ReasonAlgorithm Reason = "alg_not_allowed"
	// ReasonContentAlgorithm: a JWE's enc is absent or not one of the policy's.
	ReasonContentAlgorithm Reason = "enc_not_allowed"
	// ReasonCritical: the header has crit.
	ReasonCritical Reason = "crit"
	// ReasonB64: the header has b64 (RFC 7797).
	ReasonB64 Reason = "b64"
	// ReasonZip: the header has zip (RFC 7516 §4.1.3).
	ReasonZip Reason = "zip"
	// ReasonContentType: a JWE's cty is not JWT, or it is and there is no token inside.
	ReasonContentType Reason = "cty_not_allowed"
	// ReasonType: typ is not one of the policy's.
	ReasonType Reason = "typ_not_allowed"
	// ReasonUnknownKey: no key has the token's kid.
	ReasonUnknownKey Reason = "unknown_key"
	// ReasonAmbiguousKey: several keys fit, or no kid and several keys.
	ReasonAmbiguousKey Reason = "ambiguous_key"
	// ReasonKeyMismatch: the key is not for the token's algorithm.
	ReasonKeyMismatch Reason = "key_mismatch"
	// ReasonDecryption: the JWE does not decrypt, whichever step failed.
	ReasonDecryption Reason = "decryption_failed"
	// ReasonNestedRequired: claims directly inside a JWE, where a signed token must be.
	ReasonNestedRequired Reason = "nested_required"
	// ReasonNestedEncryption: a JWE inside a JWE.
	ReasonNestedEncryption Reason = "nested_encryption"
	// ReasonSignature: the signature does not verify.
	ReasonSignature Reason = "bad_signature"
	// ReasonClaimType: a registered claim has the wrong JSON type.
	ReasonClaimType Reason = "bad_claim_type"
	// ReasonTimeRange: a NumericDate is outside 0 … 253402300799.
	ReasonTimeRange Reason = "bad_numeric_date"
	// ReasonExpMissing: there is no exp.
	ReasonExpMissing Reason = "exp_missing"
	// ReasonExpired: exp ≤ now − leeway.
	ReasonExpired Reason = "expired"
	// ReasonNotYetValid: nbf > now + leeway.
	ReasonNotYetValid Reason = "not_yet_valid"
	// ReasonIssuedInFuture: iat > now + leeway.
	ReasonIssuedInFuture Reason = "issued_in_future"
)

// Error refuses a token. Detail says more for the operator of the server and holds no
// bytes of the token.
type Error struct {
	Reason Reason
	Detail string

	cause error
}

// Error returns reason and detail.
func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Reason)
	}
	return string(e.Reason) + ": " + e.Detail
}

// Unwrap returns the error that led to the refusal, if it is one that callers compare.
func (e *Error) Unwrap() error { return e.cause }

func refuse(reason Reason, detail string) error { return &Error{Reason: reason, Detail: detail} }

// SelectError turns an error of [jwk.Set.Select] into a refusal that still satisfies
// errors.Is for the jwk error; another error is returned as it is.
func SelectError(err error) error {
	for _, row := range []struct {
		is     error
		reason Reason
	}{
		{jwk.ErrUnknownKeyID, ReasonUnknownKey},
		{jwk.ErrAmbiguousKey, ReasonAmbiguousKey},
		{jwk.ErrKeyMismatch, ReasonKeyMismatch},
	} {
		if errors.Is(err, row.is) {
			return &Error{Reason: row.reason, Detail: err.Error(), cause: err}
		}
	}
	return err
}
