// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
)

// appendDigest appends the digest of the signing input. The SHA-2 functions are called by name, not through hash.Hash, which
// would copy the input to the heap.
func appendDigest(b []byte, hash crypto.Hash, input string) []byte {
	switch hash {
	case crypto.SHA256:
		sum := sha256.Sum256([]byte(input))
		return append(b, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384([]byte(input))
		return append(b, sum[:]...)
	case crypto.SHA512:
		sum := sha512.Sum512([]byte(input))
		return append(b, sum[:]...)
	}
	panic("jwk: no algorithm has the hash " + hash.String()) // the table of algorithms has no other
}
