// SPDX-License-Identifier: Apache-2.0

package token

// Check applies the rules for encryption, algorithm and type once more, for a caller that parsed with wider rules because the
// payload's issuer decides which rules count. An error is an [*Error].
func (t *Token) Check(r *Rules) error { return t.check(r) }
