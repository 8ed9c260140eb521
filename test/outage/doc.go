// SPDX-License-Identifier: Apache-2.0

// Package outage holds the suite that takes the parts around a running auth server away: API server, etcd, operator, and the objects
// themselves when etcd is restored from an older copy. Requests go on all the while, and none may be dropped or wrongly decided.
// Everything is the real program, run by test/local.
package outage
