// SPDX-License-Identifier: Apache-2.0

// Package clientkey reads the private key with which this server proves who it is to a provider (private_key_jwt, OpenID Connect Core 1.0 §9): one key, as
// PEM or as a JWK. The operator reads what a user put into a Secret and renders it as one JWK, and the server reads that back, with the same rules:
//
//	key, err := clientkey.Parse(value) // an error never holds bytes of the key
//	text, err := json.Marshal(key)     // a JWK, private members included
//
// A key is an RSA key of 2048 to 4096 bits with e = 65537, an EC key on P-256, P-384 or P-521, or an Ed25519 key. [Key.Algorithm] is what it signs
// with: the JWK's alg, else RS256, that of the curve, or EdDSA. Nothing here signs.
package clientkey
