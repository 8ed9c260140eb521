// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

// The servers a scenario can compare. All but authServer are modes of the floor.
const (
	authServer = "authserver"
	floorRSA   = "rsa"
	floorECDSA = "ecdsa"
	floorEmpty = "empty"
)

// scenario is one row of the table: a floor, a subject and what both are asked.
type scenario struct {
	name     string
	floor    string // the server whose CPU time stands above the line
	subject  string // the server whose CPU time stands below it
	workload workload
	target   float64 // the least median ratio that passes; 0 = for reference
	latency  bool    // open loop at half of the own maximum, for p50 and p99, in place of the closed loop
}

// workload says what is asked. The floor and the subject get the same requests.
type workload struct {
	algorithm string // of tokens, key and policy: RS256 or ES256
	repeated  bool   // one token again and again; otherwise no token is sent to one server twice
	bare      bool   // the subject's requests carry no token at all
}

var scenarios = []scenario{
	{name: "verify, distinct RS256", floor: floorRSA, subject: authServer, workload: workload{algorithm: "RS256"}, target: 0.65},
	{name: "verify, repeated RS256", floor: floorRSA, subject: authServer, workload: workload{algorithm: "RS256", repeated: true}},
	{name: "verify, distinct ES256", floor: floorECDSA, subject: authServer, workload: workload{algorithm: "ES256"}},
	{name: "latency, distinct RS256", floor: floorRSA, subject: authServer, workload: workload{algorithm: "RS256"}, latency: true},
	{name: "reference: empty handler", floor: floorRSA, subject: floorEmpty, workload: workload{algorithm: "RS256", bare: true}},
	{name: "reference: empty handler, token sent", floor: floorRSA, subject: floorEmpty, workload: workload{algorithm: "RS256", repeated: true}},
}
