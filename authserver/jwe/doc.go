// SPDX-License-Identifier: Apache-2.0

// Package jwe holds keys that decrypt and opens encrypted tokens with them (RFC 7516, RFC
// 7518 §4 and §5).
//
// Start with [ParseSet] for a document, [Set.Select] for the one key that a token's header
// asks for, and [Key.Decrypt] for the content. Adding an algorithm is one row in
// algorithms.go; RSA1_5, PBES2 and AES-GCM key wrap are none.
//
// What a key must be, whatever its source:
//
//   - RSA: 2048 to 4096 bits, two primes, e = 65537, valid as a whole;
//   - EC: P-256, P-384 or P-521, private and public half belonging together;
//   - oct: as long as an algorithm wants it: 16, 24 or 32 bytes for key wrap, for dir as
//     long as the content key (16, 24, 32 or 64);
//   - private, or symmetric;
//   - for encryption: `use` absent or `enc`, `key_ops` absent or with decrypt, unwrapKey,
//     deriveKey or deriveBits;
//   - `alg`, if present, is one of this package's algorithms and fits the key. A content
//     algorithm there, as in RFC 7520 §5.6, allows dir with it.
//
// X25519 (RFC 8037 §3.2) is left out: go-jose has no JWK for it.
//
// Whoever has an RSA or EC public key can encrypt: decryption says nothing about who made a
// token. Only with a symmetric key, [IsSymmetric], does it.
//
// [Key.Decrypt] fails with one error whatever step failed, and goes on with a random content
// key where unwrapping failed, so that neither error nor time tells how far a forged token
// came (RFC 7516 §11.5, Bleichenbacher, Manger, invalid curves). crypto/rsa and crypto/ecdh
// work in constant time; go-jose's cipher package unwraps, derives and does AES-CBC with
// HMAC. Its JSONWebEncryption is not used: it reads the header once more, x5c and jwk
// included, and stops at the first step that fails.
//
// Not checked here: the form of the token and its header, which package token does.
//
// No error, Problem or String holds key bytes; MarshalJSON does.
package jwe
