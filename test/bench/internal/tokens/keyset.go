// SPDX-License-Identifier: Apache-2.0

package tokens

import (
	"crypto"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// KeySet is the JWKS (RFC 7517) with one public key, by the KeyID that all tokens name.
func KeySet(key crypto.PublicKey, algorithm string) ([]byte, error) {
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key, KeyID: KeyID, Algorithm: algorithm, Use: "sig"}}})
	if err != nil {
		return nil, fmt.Errorf("writing the key set: %w", err)
	}
	return set, nil
}
