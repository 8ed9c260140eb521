// SPDX-License-Identifier: Apache-2.0

// Package roots is imported for its effects by every main package that opens TLS connections or reads clocks: the
// image is `scratch`, which holds neither CA certificates nor time zones, so the programs carry both.
//
// The CA certificates are Mozilla's list at the version go.mod names. They count only where the system has none of its
// own: certificates mounted at a usual place, or named by SSL_CERT_FILE or SSL_CERT_DIR, win.
package roots
