// SPDX-License-Identifier: Apache-2.0

// Package mutation shows that each check of the verifier matters: it switches one off at a time and demands that a test
// of the package fails.
//
//	make mutation
//
// mutants.go lists the checks, each as a piece of source and what stands there once the check is off. A piece must
// occur exactly once in its file, so the list cannot go stale unseen. The changed file reaches the compiler by
// `go test -overlay`; the tree is not touched. A mutant that no test notices is a failure, and so is one that does not
// compile, since then nothing was shown.
//
// A new check in packages token, jwe, jwk, claims or policy comes with a row here.
package mutation
