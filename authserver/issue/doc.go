// SPDX-License-Identifier: Apache-2.0

// Package issue makes the server's own tokens and the keys that sign them.
//
//   - [Signer] holds the keys of one keys.json: it signs access tokens (RFC 9068) with the key whose time it is, and
//     publishes all of them as a JWKS (RFC 7517).
//   - [Generate] makes a signing key, named by its RFC 7638 thumbprint.
//   - [Plan] decides which keys there should be: when the next one is made and when an old one goes.
//
// The operator plans and keeps the keys in a Secret, the command line does in a folder or in memory, and the server only
// signs; so this package holds nothing of the server, reads no file and no clock.
//
// # Why a verifier never meets an unknown key
//
// The JWKS may be cached for [CacheFor]. A key that a plan adds is in the JWKS at once but signs only [PublishLead]
// later, which leaves time for the new file to reach every replica and for clocks that disagree. That holds for a change
// of algorithm too: the old key goes on signing until then. Only a server without any key signs with a new one at once; nobody holds a
// token or a key set of it yet. An old key stays in the JWKS until every token that it signed has expired, with a margin for clocks and leeway.
package issue
