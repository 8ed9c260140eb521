// SPDX-License-Identifier: Apache-2.0

// Package version tells which build of Gatehouse a program is.
package version
