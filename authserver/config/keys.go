// SPDX-License-Identifier: Apache-2.0

package config

import "time"

// Keys is the file keys.json: the server's own signing keys. It is absent or empty where the server signs nothing
// (store type None).
type Keys struct {
	Version int          `json:"version"`
	Keys    []SigningKey `json:"keys"`
}

// SigningKey is one key that the server signs with, or did. All of them are published in its JWKS. The key in use at a time
// is the one with the latest ActiveFrom that is not after it.
type SigningKey struct {
	// KeyID is the RFC 7638 thumbprint.
	KeyID string `json:"kid"`
	// Algorithm is ES256, ES384, RS256, PS256 or EdDSA.
	Algorithm string `json:"alg"`
	// ActiveFrom is when signing with it begins; it is published before.
	ActiveFrom time.Time `json:"activeFrom"`
	// RetireAfter is when it may be dropped: its last token has expired. Zero while no successor is known.
	RetireAfter time.Time `json:"retireAfter,omitzero"`
	// TokenLifetime is the longest access-token lifetime while it signs or signed, so that RetireAfter also covers tokens
	// signed before the setting was lowered.
	TokenLifetime Duration `json:"tokenLifetime,omitzero"`
	// PrivateKey is PKCS#8 in PEM.
	PrivateKey string `json:"privateKey"`
}
