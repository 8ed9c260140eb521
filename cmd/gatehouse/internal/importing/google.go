// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"slices"
	"strings"
)

// googleIssuer is Google's; its tokens have no preferred_username.
const googleIssuer = "https://accounts.google.com"

// isGoogle tells whether a URL is of Google's provider.
func isGoogle(text string) bool {
	return text == googleIssuer || strings.HasPrefix(text, googleIssuer+"/")
}

const googleName = "Google tells no preferred_username, which is the username otherwise, so that nobody could log in: it is the e-mail address. Decide before the first login, since a user keeps the name that applications know"

// googleUsername is the e-mail address where the provider is Google and nothing else is mapped.
func (u *upstream) googleUsername(issuer string) {
	if !isGoogle(issuer) || slices.ContainsFunc(u.mappings, func(f Field) bool { return f.Name == "username" }) {
		return
	}
	u.mappings.SetFrom("username", Inline{{Name: "claim", Value: "email"}}, "Google's tokens have no preferred_username")
	u.object.Notes = append(u.object.Notes, Note{Text: googleName})
}
