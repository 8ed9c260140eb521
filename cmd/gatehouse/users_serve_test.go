// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// login returns the status of a password login.
func (s *served) login(t *testing.T, email, secret string) int {
	t.Helper()
	resp, err := http.Post(s.url+"/api/v1/login", "application/json", strings.NewReader(fmt.Sprintf(`{"email":%q,"password":%q}`, email, secret)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode
}

// TestUsersOfAServer guards the commands against a real server, over its operations API and beside it over its database: whoever is added can log in,
// whoever is disabled or locked cannot, and users of the Secret are shown and left alone.
func TestUsersOfAServer(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": docs(provider, usersDoc("- {email: sue@example.com, username: sue, hash: '"+phc+"'}"))})
	data, tokenFile := t.TempDir(), filepath.Join(t.TempDir(), "token")
	write(t, tokenFile, opsToken)
	s := start(t, "-f", dir, "--data-dir", data, "--ops-token-file", tokenFile)
	ops, direct := []string{"--ops", s.ops, "--token-file", tokenFile}, []string{"--data-dir", data}
	users := func(want int, where []string, stdin string, args ...string) string {
		t.Helper()
		code, stdout, stderr := cli(t, stdin, append(append([]string{"users"}, args...), where...)...)
		if code != want {
			t.Fatalf("%v: exit code %d, %q %q", args, code, stdout, stderr)
		}
		return stdout + stderr
	}
	may := func(what string, want int, email, secret string) {
		t.Helper()
		if got := s.login(t, email, secret); got != want {
			t.Errorf("%s: login of %s: %d, want %d", what, email, got, want)
		}
	}
	may("nobody yet", 401, "bob@example.com", orchard)
	if got := users(0, ops, orchard, "add", "bob@example.com", "--username", "bob", "--password-stdin"); !strings.HasPrefix(got, "Added bob of default (") {
		t.Errorf("added: %q", got)
	}
	may("added", 200, "bob@example.com", orchard)
	users(0, direct, "", "disable", "bob")
	may("disabled in the database", 401, "bob@example.com", orchard)
	users(0, ops, "", "enable", "bob")
	users(0, ops, "another orchard", "passwd", "bob", "--password-stdin")
	may("the password before", 401, "bob@example.com", orchard)
	may("a new password", 200, "bob@example.com", "another orchard")

	for range 10 {
		may("guessing", 401, "Bob@example.com", "wrong")
		may("guessing", 401, "sue@example.com", "wrong")
	}
	may("locked", 429, "bob@example.com", "another orchard")
	may("locked", 429, "sue@example.com", "secret-pass")
	users(0, direct, "", "unlock", "bob@example.com")
	users(0, ops, "", "unlock", "sue")
	may("unlocked", 200, "bob@example.com", "another orchard")
	may("unlocked", 200, "sue@example.com", "secret-pass")

	if got := users(0, ops, "", "list"); !strings.Contains(got, "bob@example.com") || !strings.Contains(got, "secret default/staff") {
		t.Errorf("listed: %q", got)
	}
	if got := users(1, ops, "", "disable", "sue"); !strings.Contains(got, "change the Secret that spec.password.usersSecretRef of IdentityProvider default/staff names") {
		t.Errorf("a user of the Secret: %q", got)
	}
	if got := users(1, ops, orchard, "add", "SUE@example.com", "--password-stdin"); !strings.Contains(got, "of the Secret") {
		t.Errorf("the Secret's address: %q", got)
	}
	users(0, ops, "", "delete", "bob")
	may("deleted", 401, "bob@example.com", "another orchard")
}

// TestUsersOfAServerInMemory guards that nobody is added who would be gone with the process.
func TestUsersOfAServerInMemory(t *testing.T) {
	tokenFile := filepath.Join(t.TempDir(), "token")
	write(t, tokenFile, opsToken)
	s := start(t, "-f", folder(t, map[string]string{"a.yaml": docs(provider, usersDoc("[]"))}), "--ops-token-file", tokenFile)
	code, _, stderr := cli(t, orchard, "users", "add", "bob@example.com", "--password-stdin", "--ops", s.ops, "--token-file", tokenFile)
	if code != exitFailed || !strings.Contains(stderr, "gatehouse serve: --data-dir") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
