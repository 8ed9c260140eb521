// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// Bounds and defaults of an AuthServer's tokens, in minutes.
const (
	accessLeast, accessMost, accessDefault    = 1, 24 * 60, 15
	refreshLeast, refreshMost, refreshDefault = 5, 8760 * 60, 43200
)

// minutes as a duration: in hours where that is whole.
func minutes(n int) string {
	if n >= 60 && n%60 == 0 {
		return fmt.Sprintf("%dh", n/60)
	}
	return fmt.Sprintf("%dm", n)
}

var scope = regexp.MustCompile(`^[]!#-[^-~]{1,256}$`)

// scopesOf are a setting's scopes, each once.
func scopesOf(s *Settings, key string) []string {
	var out []string
	for _, word := range s.Words(key, ",") {
		if !scope.MatchString(word) {
			s.Mistake(key, "want scopes with blanks between them, without quotes and backslashes (RFC 6749 section 3.3)")
			return nil
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	if len(out) > 32 {
		s.Mistake(key, "it has more than 32 scopes")
		return nil
	}
	return out
}

// clientSecret reads a client secret, which is printable ASCII (RFC 6749 appendix A.2).
func clientSecret(s *Settings, key string) string {
	secret := strings.TrimSpace(s.Secret(key))
	switch {
	case strings.Contains(secret, "-----BEGIN "):
		s.Mistake(key, "it holds PEM, which is no client secret")
	case len(secret) > 4096:
		s.Mistake(key, "it has more than 4096 bytes")
	case strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r > '~' && r != '•' }):
		s.Mistake(key, "it holds a line break, control character or letter outside ASCII, which no client secret has")
	}
	return secret
}

// admitNobody gives a provider at which anybody can have an account a rule that nobody meets. The system that is left let everybody in.
func admitNobody(object *Object, endpoints Fields, issuer string) {
	urls := []string{issuer}
	for _, e := range endpoints {
		if text, ok := e.Value.(string); ok {
			urls = append(urls, text)
		}
	}
	if !slices.ContainsFunc(urls, func(url string) bool { return render.OpenToEveryone(url) != "" }) {
		return
	}
	object.Notes = append(object.Notes, Note{Text: "Anybody can have an account at this provider, and nobody can log in until claimValidationRules say who may: for instance " +
		"claims.hd == 'example.com' (Google), userinfo.id in [583231] (GitHub: curl https://api.github.com/users/NAME), or allowAnyone: true in place of the rule if that is meant"})
	object.Spec.SetFrom("claimValidationRules", []Inline{{{Name: "expression", Value: "false"}, {Name: "message", Value: "who may log in has not been decided yet"}}}, "WRITE YOURS")
}

// tellPlain tells of an http URL, which is called only where the AuthServer allows its address.
func tellPlain(s *Settings, object *Object, key, value string) {
	if strings.HasPrefix(value, "http://") {
		object.Notes = append(object.Notes, s.Note(key, "it is http: Gatehouse calls it only if its address is in outbound.allowedCIDRs of the AuthServer. Use https if the provider has it"))
	}
}
