// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// TestHashPassword guards that the hash, and nothing else, is printed, and that it is the line's without its line break.
func TestHashPassword(t *testing.T) {
	for _, stdin := range []string{"correct horse\n", "correct horse", "correct horse\r\n"} {
		code, stdout, stderr := cli(t, stdin, "hash-password")
		phc := strings.TrimSuffix(stdout, "\n")
		if code != exitFine || stderr != "" || strings.ContainsAny(phc, "\n ") {
			t.Fatalf("%q: exit code %d, %q %q", stdin, code, stdout, stderr)
		}
		if ok, err := password.NewVerifier(1).Verify(t.Context(), phc, []byte("correct horse")); err != nil || !ok {
			t.Errorf("%q: the hash does not match: %v", stdin, err)
		}
	}
}

// TestHashPasswordRefuses guards input that would give a hash nobody could log in with.
func TestHashPasswordRefuses(t *testing.T) {
	for stdin, want := range map[string]string{
		"":                               "gatehouse: a password has 1 to 1024 bytes\n",
		"\n":                             "gatehouse: a password has 1 to 1024 bytes\n",
		strings.Repeat("x", 1025):        "gatehouse: reading the password: a password has 1 to 1024 bytes\n",
		strings.Repeat("x", 5000) + "\n": "gatehouse: reading the password: a password has 1 to 1024 bytes\n",
		"one\ntwo\n":                     "gatehouse: reading the password: standard input has more than one line\n",
	} {
		if code, stdout, stderr := cli(t, stdin, "hash-password"); code != exitFailed || stdout != "" || stderr != want {
			t.Errorf("%.20q: exit code %d, %q %q", stdin, code, stdout, stderr)
		}
	}
	if code, stdout, _ := cli(t, strings.Repeat("x", 1024)+"\r\n", "hash-password"); code != exitFine || stdout == "" {
		t.Error("the longest password is refused")
	}
}

// TestAskPassword guards the terminal's dialogue.
func TestAskPassword(t *testing.T) {
	asked := errors.New("the terminal is gone")
	cases := []struct {
		name    string
		answers []string
		want    string
	}{
		{"twice the same", []string{"a", "a"}, ""},
		{"two that differ", []string{"a", "b"}, "the two differ: nothing was hashed"},
		{"nothing", []string{""}, "a password has 1 to 1024 bytes"},
		{"an end of input", nil, "the terminal is gone"},
		{"an end of input at the second", []string{"a"}, "the terminal is gone"},
	}
	for _, c := range cases {
		i := 0
		got, err := askPassword(func(string) ([]byte, error) {
			if i == len(c.answers) {
				return nil, asked
			}
			i++
			return []byte(c.answers[i-1]), nil
		})
		if c.want == "" && (err != nil || string(got) != "a") || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
