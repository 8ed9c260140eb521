// SPDX-License-Identifier: Apache-2.0

// Package served runs an auth server in the test's own process from manifests, as `gatehouse serve` would: the same schema, the same
// render and the same server, on loopback ports. It also makes the tokens that suites send.
//
//	server := served.Start(t, manifests)       // ends with the test
//	signer := served.NewSigner(t, "RS256", "k1")
//	raw := signer.Sign(t, nil, served.Claims{"sub": "bob"})
//
// A manifest with a mistake fails the test with the message that lint would show.
package served
