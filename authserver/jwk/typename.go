// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"fmt"
)

// TypeName says what kind of key a value of Go's crypto packages is, for messages about one that is not supported. It
// shows nothing of the key.
func TypeName(material any) string {
	switch m := material.(type) {
	case *ecdh.PublicKey:
		return curveName(m.Curve())
	case *ecdh.PrivateKey:
		return curveName(m.Curve())
	case ed25519.PublicKey, ed25519.PrivateKey:
		return "Ed25519"
	}
	return "this type of key"
}

// curveName is X25519, P-256, P-384 or P-521.
func curveName(c ecdh.Curve) string { return fmt.Sprint(c) }
