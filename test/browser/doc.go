// SPDX-License-Identifier: Apache-2.0

// Package browser looks at Gatehouse's pages as people do: through Chromium.
//
//   - look_test.go shows every state of every page (states_test.go) in light and dark, on a desktop and a phone, and fails for whatever axe-core finds, for
//     anything that the pages' Content-Security-Policy stops, and for a page that has to be scrolled sideways at 320 px.
//   - keyboard_test.go uses the pages without a mouse, and without scripts.
//   - machines_test.go asks npm's oidc-provider for tokens as a program does, with private_key_jwt; it needs no Chromium.
//   - oidc_test.go and oauth2_test.go log in for real: at npm's oidc-provider (folder provider), and at test/oauth2server.
//
// It needs Chromium, node and the packages of package.json (npm ci); a test that lacks one is skipped by name, and with CI=true fails.
// GATEHOUSE_SCREENSHOTS=DIR keeps the pictures there; otherwise they go with the test.
package browser
