// SPDX-License-Identifier: Apache-2.0

// Package migrating serves the manifests of docs/migrating and sends each the tokens that its row of the page promises to accept or refuse.
//
//	page_test.go      takes the manifests and tables out of the page
//	lab_test.go       serves them with the Secrets they name, and asks
//	rows_test.go      a case list for each manifest
//	refusals_test.go  a test for each line of "What we refuse on purpose"
//
// A manifest or a line without a test is a failure.
package migrating
