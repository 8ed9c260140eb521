// SPDX-License-Identifier: Apache-2.0

package outbound

import "unique"

// Bundle is a CA bundle in PEM as part of a key: equal bundles are one copy in memory, and comparing or hashing one costs
// the same whatever its length. The zero value is no bundle: the system's roots.
type Bundle struct{ handle unique.Handle[string] }

// NewBundle returns the handle of a bundle; "" gives the zero value. Whether it can be read is told by
// [Profile.Rules].
func NewBundle(pem string) Bundle {
	if pem == "" {
		return Bundle{}
	}
	return Bundle{unique.Make(pem)}
}

// PEM returns the bundle's text, "" for the zero value.
func (b Bundle) PEM() string {
	if b == (Bundle{}) {
		return ""
	}
	return b.handle.Value()
}

// String keeps bundles short where a key is printed.
func (b Bundle) String() string {
	if b == (Bundle{}) {
		return "system roots"
	}
	return "CA bundle"
}
