// SPDX-License-Identifier: Apache-2.0

// Package expression compiles and evaluates the CEL of policies (cel-go) over the claims of a token.
package expression
