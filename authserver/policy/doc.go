// SPDX-License-Identifier: Apache-2.0

// Package policy decides who a request is: the rules of DESIGN §4 on tokens, tenants, narrowing, own tokens, refusal and
// the answer's headers.
//
// [ReadShard] and [NewSet] turn the rendered policies into an immutable [Set], reusing what has not changed; [Set.Decide]
// turns the [Facts] of one request into a [Decision], and [Set.Explain] into a [Report] of every check, by the same code.
// None writes a log line, a metric or an HTTP answer: that is the work of the front ends, package authserver and its like.
//
// decide.go reads like the rules:
//
//	what is asked   headers, the token (x-jwt-token, else Authorization: Bearer), the tenant (route, else
//	                x-jwt-tenant-id, else the organization of an own token, else the default policy): facts.go
//	whose token     iss equal to the server's own: own.go; else the policy's issuer with exactly that name: source.go
//	the token's     package token: form, decryption, one key, signature, claims with strict types, times
//	the claims      package claims: directory, audience, age, nonce; then the narrowing headers (narrowing.go), the
//	                claim rules, and who it is
//
// An own token's organization, and whether the policy accepts own tokens, come between the types of its claims and its
// times, which the policy's leeway decides on. checks.go has all of it as one table, in that order: a check that is added
// to the code gets a row there, and a test finds reasons without one.
//
// Nothing is inferred from a token before it is verified, with one exception: its unverified iss chooses whose keys are
// tried. It never chooses the tenant. A token that was encrypted is never an own one.
//
// Every refusal has one [token.Reason]; reason.go adds those of this package. The client never sees it.
//
// [Set.Exchange] judges an assertion that is to become an access token (RFC 7523): assertion.go finds whose policy counts, by the tenant's name or by iss, and
// lets the code above judge by it as if it were a token; assertion_rules.go adds what RFC 7523 §3 asks for, and finds scope and client. assertion_reason.go has its
// reasons and the little that a client is told, assertion_checks.go its table of checks. That each is used once is the caller's to see to, who has a store.
//
// [Decisions] remembers what was accepted (remember.go). All that decided is either in the hash that an entry is kept under
// or told again on each hit, so nothing has to be dropped when a policy, a key set or the own keys change.
package policy
