// SPDX-License-Identifier: Apache-2.0

// Package policy decides who a request is: the rules of DESIGN §4 on tokens, tenants, narrowing, own tokens, refusal and
// the answer's headers.
//
// [Compile] turns the rendered policies into an immutable [Set], reusing what has not changed; [Set.Decide] turns the
// [Facts] of one request into a [Decision]. Neither writes a log line, a metric or an HTTP answer: that is package
// authserver's work, and later that of other front ends.
//
// decide.go reads like the rules:
//
//	the token       x-jwt-token, else Authorization: Bearer (facts.go)
//	the tenant      route, else x-jwt-tenant-id, else the organization of an own token, else the default policy
//	whose token     iss equal to the server's own: own.go; else the policy's issuer with exactly that name
//	the token's     package token: form, one key, signature, claims
//	what is asked   audiences, narrowing headers
//	who it is       username, email, groups (identity.go), percent-encoded for headers (encode.go)
//
// Nothing is inferred from a token before it is verified, with one exception: its unverified iss chooses whose keys are
// tried. It never chooses the tenant.
//
// Every refusal has one [token.Reason]; reason.go adds those of this package. The client never sees it.
package policy
