// SPDX-License-Identifier: Apache-2.0

// Package heap keeps the garbage collector of a small server from running all the time. By default it runs once the heap
// has doubled, and from 4 MiB on: a server whose live heap is 3 MiB would collect dozens of times a second under load.
package heap
