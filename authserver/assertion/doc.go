// SPDX-License-Identifier: Apache-2.0

// Package assertion makes the JWTs with which this server says at somebody else's token endpoint who it is (RFC 7521, RFC 7523).
//
//	key, err := assertion.ParseKey(text)          // PEM or JWK, a private key
//	jwt, err := key.Sign(assertion.Claims{…})     // RFC 7523 §3: iss, sub, aud, exp, iat, jti
//
// aud is one JSON string and jti always set; nbf is not sent: a clock that is a little ahead must not make an assertion useless.
//
// A [Key] keeps its private half: it prints and logs as its type and ID. The one way out is [Key.JWK], which is for the
// rendered configuration alone.
//
// Adding an algorithm is a row of the table algorithms.
package assertion
