// SPDX-License-Identifier: Apache-2.0

// Package conformance holds the tests that any store has to pass. A store's own test calls [Run] with a function that
// opens an empty one.
package conformance
