// SPDX-License-Identifier: Apache-2.0

// Command credentials measures what many credentials (IdentityProviders of type JWTBearer) cost one server, and whether they are renewed together:
//
//   - memory: the server of 1,000 providers, each with an RSA key and a token, over that of one that is asked as often;
//   - spread: all of them are fetched at once and then asked for four times a second until each was renewed. The token endpoint, which is this program, notes when; the
//     busiest tenth of the time between 80 and 90 % of the tokens' life must not see more than its double share.
//
// With -operator it measures the same of the operator, which keeps each token in a Secret (outputSecretName), on a control plane of its own.
//
// The server is the deployed binary on files that gatehouse render made. `make bench` runs this last. It exits 1 when a target is missed.
package main
