// SPDX-License-Identifier: Apache-2.0

// Package logs makes the loggers of Gatehouse's programs: one JSON object a line, with a handler that keeps secrets out
// whatever is handed to it.
//
// Three nets lie below each other: a value of type [Secret] never prints; an attribute whose key, or whose group's key,
// tells of a secret (token, authorization, password, …) prints "[redacted]"; and text that looks like a JWT is cut out of
// messages, strings and errors. None of them replaces the rule that secrets are not logged.
package logs
