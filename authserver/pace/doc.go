// SPDX-License-Identifier: Apache-2.0

// Package pace lets work in the background make way for requests. A server with one core (GOMAXPROCS=1) that reads a
// configuration of thousands of tenants would otherwise answer nobody until the scheduler takes the core away, 10 ms later.
//
// Who has long work holds a [Pacer] and calls [Pacer.Pause] between pieces of the work, each of some 100 µs at most.
package pace
