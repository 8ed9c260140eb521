// SPDX-License-Identifier: Apache-2.0

// Package claims decides what a policy makes of the claims of a token that is otherwise in order: which rules they must
// meet, and who the request is (DESIGN §2 claimMappings and claimValidationRules, §4 Answer).
//
//	rules, err := claims.Compile(&policy.Claims, policy.TenantID) // once per policy
//	err = claims.CheckAudience(c, policy.Audiences)               // what the policy asks of registered claims (check.go)
//	subject := claims.Of(c)                                       // what may still be spent on expressions (source.go)
//	err = rules.Check(subject)                                    // claim rules (rules.go)
//	identity, err := rules.Identify(subject)                      // who it is (identity.go)
//
// source.go reads one mapped value: from the first claim that is present, from several joined by slashes, or from CEL
// (package expression). encode.go makes it fit for a header: every value holds only %x21–7E, and a bare slash in the
// user's name is only ever one that is added here, so no token can imitate another tenant's prefix.
//
// [Example] does all of it for claims without a token, for a policy's examples.
//
// Not decided here: form, signature and times of a token (package token), narrowing headers and tenants (package
// policy).
//
// No error holds the value of a claim.
package claims
