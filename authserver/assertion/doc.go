// SPDX-License-Identifier: Apache-2.0

// Package assertion makes the JWTs with which Gatehouse says at somebody else's token endpoint who it is, or for whom it asks (RFC 7521, RFC 7523), and gets tokens for
// them. Server and operator share it.
//
// A client assertion (RFC 7523 §2.2) authenticates this server as a client:
//
//	client, err := assertion.NewClient(config, audience)      // basic, post, private_key_jwt or none
//	err = client.Authenticate(header, form, now, random)
//
// An authorization grant (RFC 7523 §2.1) is exchanged for an access token, or is the bearer token itself:
//
//	maker, err := assertion.Compile(credential)               // an IdentityProvider of type JWTBearer
//	token, err := maker.Obtain(ctx, client, time.Now, rand.Reader)
//	source := assertion.NewSource(assertion.SourceOptions{…}) // keeps one token fresh for all who ask
//
// aud is one JSON string and jti always set and never twice the same; nbf is not sent: a clock that is a little ahead must not make an assertion useless.
//
// What an endpoint answers is judged strictly (answer.go): 64 KiB of JSON with an access_token that can stand in a header and token_type Bearer. Where it does not say
// how long a token lives, it counts for 5 minutes. An [Error] names a reason, a status and a code that an RFC registers, and nothing else of the answer: endpoints
// exist that send back what they were sent.
//
// A [Key], a [Maker] and a [Token] print and log without what is secret in them. The one way out for a key is [Key.JWK], which is for the rendered configuration alone.
//
// Not checked here: which addresses may be dialled (the HTTP client is package outbound's), and who may have a token.
//
// Adding an algorithm is a row in package jwk.
package assertion
