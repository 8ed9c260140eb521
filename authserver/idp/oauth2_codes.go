// SPDX-License-Identifier: Apache-2.0

package idp

// standardCodes are the error codes that GitHub's token endpoint sends in place of those of RFC 6749 §5.2.
var standardCodes = map[string]string{
	"bad_verification_code":        "invalid_grant",
	"bad_refresh_token":            "invalid_grant",
	"redirect_uri_mismatch":        "invalid_grant",
	"incorrect_client_credentials": "invalid_client",
	"unverified_user_email":        "access_denied",
}

// standardCode returns the code of RFC 6749 that means the same, else the code itself.
func standardCode(code string) string {
	if standard, ok := standardCodes[code]; ok {
		return standard
	}
	return code
}
