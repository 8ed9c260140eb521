// SPDX-License-Identifier: Apache-2.0

// Package gateways puts real gateways in front of a real auth server and an application that says what it was sent.
//
// nginx and Caddy run with the very configuration of docs/gateways: the suite takes it out of the page and changes nothing but
// addresses. Every case of cases_test.go goes through both. Traefik and Envoy are not run: forwarded_test.go sends what their
// documentation says they send. examples_test.go checks that the remaining examples are well-formed.
//
// nginx is the machine's (Debian: apt-get install nginx). Without it those tests skip themselves by name, with CI=true they fail. Caddy
// is built by caddy/build, once.
package gateways
