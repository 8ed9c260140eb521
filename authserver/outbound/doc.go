// SPDX-License-Identifier: Apache-2.0

// Package outbound is the only way the auth server opens a connection.
//
// Tenants write the URLs the server fetches, so every URL is hostile: it may name the API server, a neighbour's
// database or the cloud's metadata service. The package answers with one HTTP client whose dialer looks at the address
// itself, after DNS and immediately before connect(2). What a name resolved to a moment earlier does not matter (DNS
// rebinding), nor which of several addresses wins the race, nor whether a redirect led there.
//
// What is dialled:
//
//   - a public address: with https:// only;
//   - any address inside Rules.AllowedCIDRs (AuthServer spec.outbound.allowedCIDRs): with https:// and http://;
//   - a cloud metadata address, in any IPv6 dress: never;
//   - an address of Options.DeniedCIDRs, likewise: never. The operator keeps itself from its own loopback so.
//
// Everything else (private, loopback, link-local, unique local, carrier-grade NAT, multicast, documentation, reserved,
// see address.go) is an [*AddressError] whose message holds the CIDR to add. An IPv6 address that wraps an IPv4 address
// (NAT64, 6to4, Teredo, ISATAP and the compatible and translated forms) is judged by both.
//
// What is not checked: the port, the path and the name. TLS checks the name against Rules.RootCAs, or the system's roots.
//
// Start at [NewClient] for one client, at [Clients] for clients shared by (allowed CIDRs, CA bundle), and read bodies
// with [ReadBody].
package outbound
