// SPDX-License-Identifier: Apache-2.0

package profile

import "fmt"

// Reasons of an [Error], for logs and pages.
const (
	// ReasonNoUsername: the mapped username is absent, empty or of another type than string or integer, or an e-mail address of which only userinfo could say whether it is verified.
	ReasonNoUsername = "no_username"
	// ReasonBadUsername: the mapped username is too long, or has space around it, control or invisible characters.
	ReasonBadUsername = "bad_username"
	// ReasonEmailUnverified: the username is an e-mail address, and email_verified is there and not the boolean true.
	ReasonEmailUnverified = "email_unverified"
	// ReasonTooManyGroups: no access token could hold the mapped groups.
	ReasonTooManyGroups = "too_many_groups"
	// ReasonGroups: the expression over the groups endpoint's answer fails for it.
	ReasonGroups = "groups"
	// ReasonRule is that of a [RuleError].
	ReasonRule = "rule"
)

// Error says why no user can be made of what a provider says. It holds none of it.
type Error struct {
	Reason string // one of the constants
	Detail string // names the field and the fix, for administrators
}

// Error implements error.
func (e *Error) Error() string { return e.Reason + ": " + e.Detail }

// RuleError says which claim rule does not hold for somebody.
type RuleError struct {
	// Index in claimValidationRules.
	Index int
	// Message is the author's, for the person who logs in; it may be empty.
	Message string
	// Cause says why the rule could not be evaluated; empty where it was false.
	Cause string
}

// Error implements error.
func (e *RuleError) Error() string {
	text := fmt.Sprintf("claimValidationRules[%d] does not hold", e.Index)
	if e.Cause != "" {
		text = fmt.Sprintf("claimValidationRules[%d] cannot be evaluated (%s)", e.Index, e.Cause)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}
