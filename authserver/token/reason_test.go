// SPDX-License-Identifier: Apache-2.0

package token

import "errors"

// allReasons returns every reason of this package, in the order of the steps.
func allReasons() []Reason {
	return []Reason{
		ReasonTooLong,
		ReasonCharacters,
		ReasonSegments,
		ReasonEncrypted,
		ReasonJWERequired,
		ReasonBase64,
		ReasonJSON,
		ReasonDuplicateMember,
		ReasonJSONLimits,
		ReasonHeader,
		ReasonAlgorithm,
		ReasonContentAlgorithm,
		ReasonCritical,
		ReasonB64,
		ReasonZip,
		ReasonContentType,
		ReasonType,
		ReasonUnknownKey,
		ReasonAmbiguousKey,
		ReasonKeyMismatch,
		ReasonDecryption,
		ReasonNestedRequired,
		ReasonNestedEncryption,
		ReasonSignature,
		ReasonClaimType,
		ReasonTimeRange,
		ReasonExpMissing,
		ReasonExpired,
		ReasonNotYetValid,
		ReasonIssuedInFuture,
	}
}

// reasonOf returns the reason of a refusal, "" if err holds none.
func reasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
