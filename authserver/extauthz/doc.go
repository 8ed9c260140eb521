// SPDX-License-Identifier: Apache-2.0

// Package extauthz answers Envoy's external authorization over gRPC (envoy.service.auth.v3.Authorization). It translates:
// a CheckRequest into [policy.Facts], a [policy.Decision] into a CheckResponse. What is decided, and the counting and
// logging of it, is behind [Gate].
//
//	request.go   the headers that decide, as Envoy hands them over: joined or raw
//	check.go     one call: request, decision, answer
//	answer.go    the identity as headers to set and to remove; names.go has all of a server's
//	metadata.go  the identity as dynamic metadata
//	refusal.go   401, 403 and 503 as HTTP clients of Envoy see them
//	wire.go      the fields of both messages; codec.go puts them under grpc
//	patience.go  an answer before Envoy's timeout
//	server.go    the gRPC server with its limits, and the health service
//
// The two messages of a call are read and written here, field by field, with the helpers of package protowire: with the
// generated types the translation took 15 µs and 109 allocations, half of what the signature costs, now 2 and 11; and the
// packages they come with took 1.5 to 2 MiB of an idle server's memory. Tests read and write with the generated types, and compare.
//
// Every call is answered with a CheckResponse, whatever came and whatever happened: an error of the call itself is what
// Envoy's failure_mode_allow lets pass. A panic is a refusal too. One error remains: a message of more than 4 MiB, which
// only a large with_request_body makes.
//
// The tenant of the route is context_extensions["tenant"], which Envoy takes from its own route configuration
// (ExtAuthzPerRoute) and never from a client.
//
// What this package cannot see: headers that Envoy was told not to send on (allowed_headers), and, without
// encode_raw_headers, how often a header was sent. Envoy then joins equal names with commas, so a comma in a header that
// decides counts as a header sent twice. Only an Authorization of which no part could be Bearer is one of another scheme,
// as over HTTP.
package extauthz
