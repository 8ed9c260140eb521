// SPDX-License-Identifier: Apache-2.0

// Package migrating serves the manifests of docs/migrating and sends each what its row of the page promises to accept or refuse: tokens, and people who log in.
//
//	page_test.go        takes the manifests and tables out of a page
//	lab_test.go         serves them with the Secrets they name, and asks
//	rows_test.go        timbr.md: a case list for each manifest
//	refusals_test.go    timbr.md: a test for each line of "What we refuse on purpose"
//	people_test.go      a browser, and a site that people log in at
//	jumper_test.go      jumper.md: a test for each manifest and each refusal
//	jumpserver_test.go  jumpserver.md: the same
//	jwtbearer_test.go   jwt-bearer.md: its lines
//
// A manifest or a line without a test is a failure.
package migrating
