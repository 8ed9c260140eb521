// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

// The servers a scenario can compare. All but authServer are modes of the floor.
const (
	authServer = "authserver"
	floorRSA   = "rsa"
	floorECDSA = "ecdsa"
	floorEmpty = "empty"
	floorGRPC  = "grpc"
)

// scenario is one row of a table: two parties that are asked in turn, and what is made of their figures.
type scenario struct {
	name    string
	base    party
	subject party
	figure  figure
	target  float64 // the least CPU ratio, or the largest p99 ratio or cost, that passes; 0 = for reference
	fetches fetches // of keys, while the subject is asked
	brief   bool    // three short pairs do: for reference, or where a factor of many is in question
}

// party is a server and what it is asked.
type party struct {
	server string
	site   string // of the auth server: what it is configured for (site.go); one of a scenario serves both its parties
	ask    asks   // nil in a base: what the subject is asked
	grpc   bool   // asked over gRPC external authorization instead of HTTP
	reload bool   // its configuration changes once a second while it is asked
}

// figure is what a scenario is about.
type figure int

const (
	figureCPU  figure = iota // CPU time per request, base/subject: higher is better
	figureCost               // the same, subject/base: what a hostile request costs in ordinary ones
	figureP99                // p99 latency in an open loop at half of the own maximum, subject/base: lower is better
)

// fetches says which fetches of keys a scenario may cause after the first.
type fetches int

const (
	fetchesUncounted fetches = iota
	fetchesNone
	fetchesRare // one per 30 s
)

var (
	// againstFloor is the base of all rows that say how much of the work is the work itself.
	againstFloor = party{server: floorRSA}
	// oneTenant asks the auth server as one tenant's gateway does.
	oneTenant = party{server: authServer, site: siteRS256, ask: distinct}
)

var scenarios = append([]scenario{
	{name: "verify, distinct RS256", base: againstFloor, subject: oneTenant, target: 0.90},
	{name: "verify, repeated RS256", base: againstFloor, subject: party{server: authServer, site: siteRS256, ask: repeated}, target: 2.5},
	{name: "verify, distinct ES256", base: party{server: floorECDSA}, subject: party{server: authServer, site: siteES256, ask: distinct}, target: 0.90},
	{name: "gRPC, distinct RS256", base: againstFloor, subject: party{server: authServer, site: siteRS256, ask: distinct, grpc: true}, target: 0.85},
	{name: "gRPC, repeated RS256", base: againstFloor, subject: party{server: authServer, site: siteRS256, ask: repeated, grpc: true}, brief: true},
	{name: "a credential against verify, both from cache", base: party{server: authServer, site: siteJWT, ask: repeated},
		subject: party{server: authServer, site: siteJWT, ask: handedOut}, target: 0.80},
	{name: "bad signatures against good ones", base: party{server: authServer, site: siteRemote, ask: distinct},
		subject: party{server: authServer, site: siteRemote, ask: badSignature}, target: 0.90, fetches: fetchesNone},
	{name: "unknown kid", base: againstFloor, subject: party{server: authServer, site: siteRemote, ask: unknownKey}, target: 2.0, fetches: fetchesRare},
	{name: "10,000 tenants against one", base: oneTenant, subject: party{server: authServer, site: siteMany, ask: distinct}, target: 0.90},
	{name: "latency, distinct RS256", base: againstFloor, subject: oneTenant, figure: figureP99, target: 1.5},
	{name: "latency, a reload a second of 10,000 tenants", base: party{server: authServer, site: siteMany, ask: distinct},
		subject: party{server: authServer, site: siteMany, ask: distinct, reload: true}, figure: figureP99, target: 1.2},
	{name: "reference: empty handler", base: againstFloor, subject: party{server: floorEmpty, ask: bare}, brief: true},
	{name: "reference: empty handler, token sent", base: againstFloor, subject: party{server: floorEmpty, ask: repeated}, brief: true},
	{name: "reference: gRPC that does nothing", base: againstFloor, subject: party{server: floorGRPC, ask: repeated, grpc: true}, brief: true},
}, hostileScenarios()...)
