// SPDX-License-Identifier: Apache-2.0

package render

// OpenToEveryone is how the place is called at which anybody can have an account, such as github.com, if the URL of an endpoint or issuer belongs to one; else "". A
// provider with such a URL needs spec.claimValidationRules or spec.allowAnyone.
func OpenToEveryone(url string) string {
	if place, host := openAt(url); place != nil {
		return host
	}
	return ""
}
