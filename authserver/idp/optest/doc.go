// SPDX-License-Identifier: Apache-2.0

// Package optest is an OpenID provider for tests, on loopback, that behaves well until it is told to misbehave.
//
//	op := optest.Start(t, optest.Options{})
//	op.Behave(optest.Behaviour{IDToken: func(claims map[string]any) { claims["iss"] = "https://evil.example" }})
//
// It logs everybody in as [OP.User] without asking, and is strict with its clients: redirect URI, client authentication in exactly the registered
// way, PKCE, codes that work once and refresh tokens that rotate. [OP.Calls] counts what was asked of each endpoint, so that a test can tell that the token endpoint
// was not.
//
// [Cases] are the relying-party cases of the OpenID conformance suite by their names there, and others in their manner: what is wrong with the
// provider, and what has to come of it. They serve the tests of package idp and those through a whole server alike.
package optest
