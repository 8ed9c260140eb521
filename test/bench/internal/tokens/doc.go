// SPDX-License-Identifier: Apache-2.0

// Package tokens signs the many distinct tokens that a benchmark needs.
//
// A window of three seconds takes tens of thousands of distinct RS256 tokens. crypto/rsa signs a thousand a second, so
// they would take minutes. The key here (rsa.go) is a product of many small primes: its 2048-bit modulus and its
// public exponent are those of any RSA key and cost the verifier exactly the same (BenchmarkVerify shows it), but its
// owner signs 30 times as fast. Everybody can factor it. It must never leave a benchmark.
package tokens
