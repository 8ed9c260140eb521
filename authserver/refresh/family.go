// SPDX-License-Identifier: Apache-2.0

package refresh

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

const familyKeyInfo = "gatehouse refresh-token family key v1"

// FamilyKey is a key of 32 bytes that all tokens of a family have in common, for what a login keeps as long as it lives. The
// store knows the family by a hash only, so a copy of the database does not yield it. It is derived (HKDF, RFC 5869) from 128
// random bits.
func (t Token) FamilyKey() ([]byte, error) {
	key, err := hkdf.Key(sha256.New, t.raw[:familyLength], nil, familyKeyInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a refresh-token family: %w", err)
	}
	return key, nil
}
