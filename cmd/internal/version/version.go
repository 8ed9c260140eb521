// SPDX-License-Identifier: Apache-2.0

package version

import "runtime/debug"

// version is set by the Makefile through -ldflags -X; empty in a plain `go build` or `go install`.
var version string

// String returns what the Makefile stamped (`git describe`), else the module's version as Go recorded it, else "devel".
// It is one word and never empty.
func String() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}
