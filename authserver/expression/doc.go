// SPDX-License-Identifier: Apache-2.0

// Package expression compiles and evaluates the CEL of policies over the claims of a token: cel-go, held to a bound that a
// server of many tenants can live with.
//
//	program, err := expression.Compile("claims.plan in ['gold', 'silver']", expression.Rule)
//	holds, err := program.Bool(expression.Of(claims))
//
// The variable claims is a map(string, dyn), read from the token's JSON member by member as the expression touches them
// (value.go, object.go). Strings, booleans, null, arrays and objects are what CEL calls them. A number without fraction and
// exponent is an int where it fits 64 bits with a sign, a uint where it fits without. One with a fraction or exponent is a
// double if that loses nothing: it is within ±2⁵³, and no shorter decimal stands for the same double. A claim that holds any
// other number (longer integers, 1e400, 0.99999999999999999999) is an error where it is read, so that no two claims that
// differ become one name: long identifiers belong in strings. A mapping of the claim itself keeps every digit.
//
// Expressions of identity providers read other variables ([Variables]): claims and userinfo of somebody who logs in, for rules also groups, the names of
// the groups they are in, or groups, the answer of a groups endpoint. They are read and charged for as a token's claims are. A program sees only the variables that it was compiled over; a policy's has no userinfo.
// Those on who may have a credential's token read claims of an accepted token, and tenant, username and groups as the policy found them.
//
// Functions are those of functions.go: CEL's own without time, of cel-go's extensions strings (not format, which can
// write without end) and sets, and optional values such as claims.?plan.orValue('free'). There is no clock, no zone file,
// no network. The pattern of matches is a literal, so that it is compiled once and its size is known.
//
// # Cost
//
// A text is at most [MaxLength] characters. Compiling estimates the cost of the worst token (estimate.go) and refuses what has
// no hope, such as three nested loops over claims. Evaluating charges every step to a meter before it is made, and stops at
// [MaxCost], and for all expressions that share a [Subject] at [MaxTotal] (meter.go, node.go): cel-go's own limit counts a
// call after it was made, and by the size of its arguments' top level, so comparing [x, x] nested sixty times takes it for
// ever. A unit is some 100 ns of work. Measured (BenchmarkWorst), no expression and token found takes more than 5 ms of a core or
// makes more than 2 MiB of garbage; a common rule takes 0.3 µs. A token that costs too much is an error, which callers take
// for "does not hold" or "no value".
//
// Texts are compiled once: equal texts of all policies share one Program as long as any policy uses it (cache.go). A Program
// takes 1.4 KiB for a comparison with a list and 5 KiB for 100 characters of loops and calls, and 0.1 to 10 ms to compile.
// An environment, 0.35 MiB and 2 ms for each set of variables, is built with the first; importing this package costs a process 1 MiB of memory.
package expression
