// SPDX-License-Identifier: Apache-2.0

// Package clientaddr says from which address a request comes: that of the connection, or one that a proxy tells which the
// server trusts ([From]). Failed logins are counted by it, so nobody may choose it.
//
// X-Forwarded-For is a list to which each proxy appends whom it talks to. Everything left of what the first trusted proxy
// wrote was sent by the client and may say anything; so the list is read from the right, and only as far as addresses are
// those of trusted proxies. Without trusted proxies the header is not read. Forwarded (RFC 7239) and X-Real-IP never are: a
// proxy that sets X-Forwarded-For would pass on what a client says in them.
package clientaddr
