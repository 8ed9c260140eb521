// SPDX-License-Identifier: Apache-2.0

// Package crd holds the suite that only creates objects in a real API server: every CEL rule, bound and default
// of the three kinds has a row that matches the exact message, and hostile values show that
// nothing the API server stores can make the typed decoder fail.
package crd
