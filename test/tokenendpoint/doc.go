// SPDX-License-Identifier: Apache-2.0

// Package tokenendpoint is a token endpoint for tests that takes JWT bearer grants (RFC 7523 §2.1) and looks at everything.
//
//	e := tokenendpoint.Start(t, tokenendpoint.Options{Algorithm: "RS256", Key: &key.PublicKey, Issuer: "me", Subject: "robot", Audience: "https://idp.example"})
//	e.URL(); e.Requests(); e.Tokens(); e.Refusals()
//
// It is strict where real servers are lenient, so that a client which passes here passes everywhere: POST, the media type to the letter, no parameter twice or unasked
// for, exactly the header members and claims that the options name, integers to the last digit, times within a minute, a jti used once, one way of client
// authentication. Signatures are verified by go-jose: what is tested here signs with another library. Every refusal is remembered with its cause
// ([Endpoint.Refusals]), since the answers tell a client as little as real ones do.
//
// Tests of misbehaviour put a [Behaviour] in its place with [Endpoint.Misbehave]; nil ends it.
package tokenendpoint
