// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
)

const phc = "$argon2id$v=19$m=19456,t=2,p=1$iaKSWhWnQ4valDejob24WA$xXBot0lUDx5YAD/qXKX9/3f4KtFx6FddKSVvOd+af/0"

// TestParseUsers guards each message about a list of users.
func TestParseUsers(t *testing.T) {
	good := "- {email: bob@example.com, hash: '" + phc + "'}"
	shape := ": want a YAML list such as\n- email: bob@example.com\n  hash: '<from gatehouse hash-password>'"
	cases := []struct {
		name, text string
		users      int
		mistakes   []string
	}{
		{"one", good, 1, nil},
		{"nothing", "", 0, nil},
		{"a comment", "# nobody yet\n", 0, nil},
		{"an empty list", "[]", 0, nil},
		{"JSON", `[{"email":"bob@example.com","hash":"` + phc + `"}]`, 1, nil},
		{"a mapping", "users: []", 0, []string{"the content is not a list" + shape}},
		{"a syntax error", "- email: [\n", 0, []string{"the content is not valid YAML near line 1" + shape}},
		{"a value that begins with a star", "- email: a@b\n  hash: *hunter2\n", 0, []string{"the content is not valid YAML" + shape}},
		{"two documents", good + "\n---\n" + good, 0, []string{"the content holds more than one YAML document: put all users into one list"}},
		{"the same after folding", good + "\n- {email: ＢＯＢ@example.com, username: b2, hash: '" + phc + "'}", 2,
			[]string{`entry 1 (line 2) "ＢＯＢ@example.com": entry 0 has the same email (upper and lower case count as one)`}},
		{"a field twice", "- email: a@b\n  email: c@d\n  hash: '" + phc + "'", 1, []string{`entry 0 (line 1) "a@b": email is there twice`}},
		{"spaces", "- email: ' a@b'\n  hash: '" + phc + "'", 1, []string{"entry 0 (line 1): email has spaces around it, line breaks or control characters"}},
		{"a field whose name is no name", "- email: a@b\n  '" + phc + "': hash\n", 1, []string{
			`entry 0 (line 1) "a@b": unknown field at line 2: the fields are email, username, name, groups and hash`,
			"entry 0 (line 1) \"a@b\": hash is missing: make one with `gatehouse hash-password`"}},
		{"a number", "- email: a@b\n  username: 7\n  hash: '" + phc + "'", 1, []string{`entry 0 (line 1) "a@b": username must be a string: put it in quotes`}},
		{"a long name", "- email: a@b\n  name: " + strings.Repeat("x", 257) + "\n  hash: '" + phc + "'", 1,
			[]string{`entry 0 (line 1) "a@b": name has 257 bytes, at most 256 are allowed`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			users, mistakes := parseUsers([]byte(c.text))
			if diff := cmp.Diff(c.mistakes, mistakes); diff != "" || len(users) != c.users {
				t.Errorf("%d users; -want +got:\n%s", len(users), diff)
			}
			if s := strings.Join(mistakes, ""); strings.Contains(s, "hunter2") || strings.Contains(s, phc) {
				t.Errorf("a mistake holds a hash: %s", s)
			}
		})
	}
}

// FuzzFold guards that what the server's login holds for one address is one here too.
func FuzzFold(f *testing.F) {
	for _, s := range []string{"Bob@example.com", " ﬁ@x", "İ@x", "ǅ@x", "K@x", "ς@x", "\xff@x"} {
		f.Add(s, strings.ToUpper(s))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if login.Fold(a) == login.Fold(b) && fold(a) != fold(b) {
			t.Errorf("%q and %q meet at login only", a, b)
		}
	})
}

// FuzzParseUsers guards that no text makes it panic, repeat a hash, or let a bad list through as a good one.
func FuzzParseUsers(f *testing.F) {
	f.Add("- {email: bob@example.com, hash: '" + phc + "'}")
	f.Add("- &a {email: b, hash: c}\n- *a\n- <<: *a")
	f.Add("a: [*b, &b 'x']")
	f.Fuzz(func(t *testing.T, text string) {
		users, mistakes := parseUsers([]byte(text))
		if len(mistakes) > 0 {
			return
		}
		seen := map[string]bool{}
		for _, u := range users {
			if u.Email == "" || u.Username == "" || u.Hash == "" || seen[login.Fold(u.Email)] {
				t.Errorf("a bad list passed: %+v", u.Email)
			}
			seen[login.Fold(u.Email)] = true
		}
	})
}
