// SPDX-License-Identifier: Apache-2.0

// Package jwk holds verification keys: it parses them from JWK, JWKS, PEM or raw
// secrets, refuses what must not verify a token, and selects the one key that a
// token's header asks for (RFC 7517, RFC 7518, RFC 8037).
//
// Start with [ParseSet] for a document and [Set.Select] for a token. A [Key] is
// immutable and keeps its parsed material, so verifying with it costs no parsing.
//
// What a key must be, whatever its source:
//
//   - RSA: 2048 to 4096 bits, e = 65537, not of the ROCA kind (CVE-2017-15361);
//   - EC: P-256, P-384 or P-521, the point on that curve;
//   - OKP: Ed25519, not a point of small order;
//   - oct: 32 bytes to 1 KiB; HS384 needs 48 and HS512 64 (RFC 7518 §3.2);
//   - public: a private key is refused with the command that gives its public half;
//   - for signatures: `use` absent or `sig`, `key_ops` absent or with `verify`;
//   - `alg`, if present, is one of this package's algorithms and fits the key.
//
// Adding a token algorithm is one row in algorithms.go.
//
// Not checked here: who published a key, and an x5c certificate's chain, names and
// dates. A key is trusted because of where it was configured; x5c must only carry
// the same public key (RFC 7517 §4.7).
//
// Errors and Problems name the key by index and kid and never hold key bytes.
package jwk
