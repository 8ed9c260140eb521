// SPDX-License-Identifier: Apache-2.0

// Package mutation shows that each check of the verifier and of logins matters: it switches one off at a time and demands that a
// test of the package fails.
//
//	make mutation
//
// The files mutants*.go list the checks, each as a piece of source and what stands there once the check is off. A piece must
// occur exactly once in its file, so the list cannot go stale unseen (TestChecksAreThere tells in a moment). The changed files reach
// the compiler by `go test -overlay`; the tree is not touched. A function in which something is switched stands there twice, and
// the environment decides at each call, so that one build serves all checks of a package; what is not in a function is built by
// itself. A mutant that no test notices is a failure, and so are one that does not compile, since then nothing was shown, and tests
// that fail with every check on.
//
// A new check in packages token, jwe, jwk, claims or policy comes with a row in mutants.go; one of a provider's answers with a row
// in mutants_logins.go; one of outgoing JWTs and what they are exchanged for with one in mutants_assertions.go; one of cookies, sessions, accounts or the store with a row in mutants_accounts.go;
// one of credentials before a server sees them in mutants_render.go; one of the operator's output Secrets in mutants_operator.go; one of imported files in mutants_import.go.
package mutation
