// SPDX-License-Identifier: Apache-2.0

// Package load is the load generator of the benchmark: HTTP/1.1 or Envoy's external authorization over gRPC, on
// keep-alive loopback connections, one thread, no goroutine per connection and hardly an allocation per request, so that
// it keeps a server busy from a single core.
//
// Run drives a closed loop (each connection sends its next request when its answer is complete: the most the server
// can do) or an open loop (requests are due at a fixed rate, whatever the server does; latency counts from the moment
// a request was due, so waiting for a free connection is part of it and nothing is omitted).
//
// The thread never sleeps: it polls. A generator that sleeps must be woken by the server's own system calls, and that
// would be charged to the server's CPU time.
//
// Every answer is checked (Request.Status, Request.User). The first wrong one ends the run with an error.
//
// Where things are: run.go what to ask for, loop.go the order of events, poller.go sockets, http.go and response.go
// HTTP/1.1, grpc.go frames of HTTP/2 and grpc_answer.go what they carry.
//
// What it does not do: TLS, pipelining, chunked answers, compressed messages, any host but this one.
package load
