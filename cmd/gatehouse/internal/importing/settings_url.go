// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// URL is an http or https URL; "" where there is none. A URL may hold a password in many places: what is no plain endpoint is a mistake.
func (s *Settings) URL(key string) string {
	text := s.Text(key)
	if text == "" {
		return ""
	}
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		s.Mistake(key, "the URL has a space at position %d: remove it. Want a URL such as %s", utf8.RuneCountInString(text[:i])+1, exampleOf(s.Name(key)))
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsAny(text, "\"<>\\^`{|}"):
		s.Mistake(key, "want an https URL such as %s", exampleOf(s.Name(key)))
	case u.User != nil || strings.ContainsAny(text, "#@"):
		s.Mistake(key, "want a URL without user, password and fragment")
	case secretQuery(u):
		s.Mistake(key, "a parameter of the URL may be a secret, and manifests hold none: take all but well-known ones such as tenant and fields out, and put it into the manifest if it is none")
	default:
		return text
	}
	return ""
}

// exampleOf is an example of the URL that a setting of this name has.
func exampleOf(name string) string {
	name = strings.Map(letters, strings.ToLower(name))
	for _, one := range [][2]string{
		{"issuer", ""}, {"baseurl", ""}, {"host", ""}, {"redirecturl", "/oauth2/callback"}, {"jwks", "/oauth2/jwks"}, {"logout", "/oauth2/logout"}, {"endsession", "/oauth2/logout"}, {"userinfo", "/oauth2/userinfo"},
		{"opuser", "/oauth2/userinfo"}, {"profile", "/oauth2/userinfo"}, {"validate", "/oauth2/userinfo"}, {"accesstoken", "/oauth2/token"}, {"auth", "/oauth2/authorize"}, {"loginurl", "/oauth2/authorize"},
	} {
		if strings.Contains(strings.ReplaceAll(name, "oauth2", ""), one[0]) {
			return "https://idp.example" + one[1]
		}
	}
	return "https://idp.example/oauth2/token"
}

// plainParameters are names in URLs of endpoints whose values are known to be no secret. A code or a signature has any other name.
var plainParameters = []string{
	"access_type", "alt", "api-version", "fields", "format", "hd", "lang", "locale", "orgid", "p", "page", "pagelen", "per_page", "policy", "prompt", "resource", "response_mode", "response_type",
	"schema", "scope", "select", "$select", "tenant", "ui_locales", "v", "version",
}

// secretQuery tells whether the query of a URL has a part that may be a secret.
func secretQuery(u *url.URL) bool {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return true
	}
	for name, values := range query {
		if !slices.Contains(plainParameters, name) || slices.ContainsFunc(values, func(v string) bool { return len(v) > maxParameter }) {
			return true
		}
	}
	return false
}

// maxParameter bounds the value of a parameter that a manifest repeats, in bytes.
const maxParameter = 256
