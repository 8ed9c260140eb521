// SPDX-License-Identifier: Apache-2.0

// Package watch reads a directory of rendered files and tells when it may have changed.
//
// It knows the two ways in which such a directory changes: the kubelet's, which writes a whole new directory and then
// swaps the symbolic link ..data, so that one reading never mixes two states; and plain files, written one after the
// other. Changes are noticed by inotify; a slow poll finds what inotify cannot (a directory replaced as a whole, a file
// system without it).
//
// It judges no content: package authserver does, and keeps what it had where a file is bad.
package watch
