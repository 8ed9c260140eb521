// SPDX-License-Identifier: Apache-2.0

// Package token takes in a JWT: it checks the compact serialization, header, encryption,
// signature and claims of a token in the fixed order of DESIGN §7, and refuses at the first
// step that fails with one [Reason].
//
//	t, err := token.Parse(raw, rules)          // steps 1 to 8, nothing is trusted yet
//	key, err := t.Select(set)                  // step 9: exactly one key
//	err = t.Verify(key)                        // step 10: the signature
//	claims, err := t.Claims(rules, time.Now()) // step 11: strict types and times
//
// parse.go reads like that list; each step is a function of its own. Package jwk does the
// signatures, package jwe the decryption, jsontext the JSON grammar; the rest is here because
// no library does it.
//
// Where [Rules] have an [Encryption], Parse opens a JWE itself (encrypted.go) and takes in the
// token inside by the very same steps: encryption is not authentication, so that token must
// be signed. The one exception is [Token.Direct].
//
// The policy fixes algorithm, type and keys; the token only names which of them it uses.
// Header members jwk, jku, x5u, x5c and x5t are never read. Names are compared exactly, so
// `ALG` is an unknown member like any other.
//
// Not checked here, and the caller's work: which issuer and audience a policy wants,
// narrowing headers, claim rules, replay. [Token.UnverifiedIssuer] may choose whose keys
// are tried and nothing else.
//
// No error holds bytes of the token.
package token
