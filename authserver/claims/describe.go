// SPDX-License-Identifier: Apache-2.0

package claims

import "strings"

// Count is the number of claim rules.
func (r *Rules) Count() int {
	if r == nil {
		return 0
	}
	return len(r.rules)
}

// UsernameSource tells a person where the username comes from, such as "the claim upn or email".
func (r *Rules) UsernameSource() string {
	switch u := &r.username; {
	case u.program != nil:
		return "an expression"
	case len(u.joined) > 0:
		return "the claims " + strings.Join(u.joined, ", ")
	default:
		return "the claim " + strings.Join(u.claims, " or ")
	}
}

// HeaderCount is the number of mapped headers.
func (r *Rules) HeaderCount() int {
	if r == nil {
		return 0
	}
	return len(r.headers)
}
