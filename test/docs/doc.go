// SPDX-License-Identifier: Apache-2.0

// Package docs runs the commands of the documentation as they stand on its pages: of README.md and of every page below docs that asks for
// it with a comment at its top. What a comment says is not shown to readers.
//
//	<!-- docs-test: serve -->           gatehouse, curl, jq and openssl; addresses of this machine are the page's own
//	<!-- docs-test: cluster -->         also kubectl, with a control plane, the operator and the auth server as processes of this machine
//	<!-- docs-test: serve, keycloak --> also a stand-in for a service that tests cannot reach (standins_test.go lists them)
//
// A page is run from top to bottom in a folder of its own, by one bash with -euo pipefail, so that variables, functions and files of one
// step are there in the next:
//
//   - a fence of sh is run; each command in it must succeed;
//   - a fence of text, console, json or http that follows is what it printed, to the line. In a line … stands for anything, a line … for any lines;
//   - a fence of another language whose first line is the comment "# file: NAME", or before which <!-- file: NAME --> stands where the
//     language has no such comments, is written to that file.
//
// Comments before a fence of sh say how it is run, several of them with commas between:
//
//	<!-- run: terminal -->     in a terminal of its own, until the page ends; what it prints is waited for
//	<!-- run: exit 1 -->       it ends with that code
//	<!-- run: again -->        until it succeeds and prints what it should, for what takes a moment
//	<!-- run: as written -->   with the names and files of the page, where a stand-in's would make a difference
//	<!-- not run: REASON -->   not at all; the reasons are printed, and are few
//
// and comments after it what is to be seen, one line or part of a line each, and what somebody does in a browser:
//
//	<!-- expect: X-Auth-Request-User: acme/bob -->
//	<!-- browser:
//	open http://localhost:8080/login
//	press My Company SSO
//	see jane@corp.example
//	-->
//
// Beside the commands, every page's manifests are checked as gatehouse lint does, every command line of ours is held against the programs'
// own help, and every link between pages against what is there.
package docs
