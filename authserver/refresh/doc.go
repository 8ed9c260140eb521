// SPDX-License-Identifier: Apache-2.0

// Package refresh makes and reads refresh tokens: what they look like, what of them is stored, and how a successor is
// sealed. It keeps nothing; package store keeps the hashes, package login joins both.
//
// A token is 64 characters of base64url: 16 bytes that name its family (one login) and 256 random bits. Stored are two
// SHA-256 sums, [Token.Family] and [Token.Hash], from which neither can be computed. Because a token names its family, a
// token that is neither current nor just used is known to be reused for ever, without a row for each use.
//
// Using a token stores its successor sealed with AES-256-GCM under HKDF(the used token). Only who presents the used token
// again can open it, so a client whose answer was lost gets the same successor for a short time, and a copy of the
// database yields no token.
package refresh
