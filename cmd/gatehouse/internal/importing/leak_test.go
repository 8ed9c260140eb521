// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"net/url"
	"strings"
	"testing"
)

// TestShortSecrets guards secrets that are short: as a word of its own one is found, inside of another word it is chance, and an ordinary word counts only if its setting is known to be a secret.
func TestShortSecrets(t *testing.T) {
	for _, row := range []struct {
		value, text  string
		known, guess bool
	}{
		{"pw1", "a pw1", true, true},
		{"pw1", "pw1", true, true},
		{"pw1", "https://a.example/pw1/x", true, true},
		{"pw1", "xpw1", false, false},
		{"pw1", "pw12 and xpw1, then pw1.", true, true},
		{"pw1", "épw1", false, false},
		{"a-b", "x.a-b", true, true},
		{"oidc", "oidc", true, false},
		{"true", "true", true, false},
		{"120", "120", true, false},
		{"ab", "ab", false, false}, // nobody can tell it from chance
	} {
		for known, want := range map[bool]bool{true: row.known, false: row.guess} {
			s := newSettings("f")
			s.add(&Setting{Key: "DB_PASSWORD", Line: 7, Value: Value{Kind: Text, Text: row.value}})
			if known {
				s.Secret("DB_PASSWORD")
			}
			err := (&Result{Objects: []Object{{Kind: "K", Name: "n", Spec: Fields{{Name: "a", Value: row.text}}}}, file: "f", settings: s}).leak()
			if (err != nil) != want {
				t.Errorf("%q in %q, known %v: %v", row.value, row.text, known, err)
			}
		}
	}
}

// TestSecretsInURLs guards that no URL is printed with a part that may be a secret, by whichever setting it came.
func TestSecretsInURLs(t *testing.T) {
	for text, want := range map[string]bool{
		"https://a.example/me?fields=id,name,email": false, "https://a.example/t?tenant=a&api-version=2": false, "https://a.example/t": false, "a://b c": false, "urn:a?code=x": false,
		"https://a.example/t?code=x": true, "https://a.example/t?sig=x": true, "https://a.example/t?tenant=a&x": true, "https://a.example/t?TENANT=a": true, "https://a.example/t?a;b": true,
		"https://a.example/t?tenant=" + strings.Repeat("a", 257): true, "https://u:p@a.example/t": true, " https://a.example/t?code=x": true, "ldap://a.example/t?code=x": true,
	} {
		s := newSettings("f")
		err := (&Result{Objects: []Object{{Kind: "K", Name: "n", Spec: Fields{{Name: "a", Value: Inline{{Name: "b", Value: text}}}}}}, file: "f", settings: s}).leak()
		if (err != nil) != want || err != nil && (strings.Contains(err.Error(), "example") || !strings.Contains(err.Error(), "spec.a.b of K")) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if u, err := url.Parse("https://a.example/t?code=x"); err != nil || !secretQuery(u) {
		t.Error("a code is taken for none")
	}
}
