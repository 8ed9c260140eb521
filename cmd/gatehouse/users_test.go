// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/test/postgres"
)

const orchard = "a quiet orchard"

// database makes an empty database and returns its folder.
func database(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := openStore(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openStore(t *testing.T, dir string) *store.SQLite {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	anyID   = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	anyTime = regexp.MustCompile(`20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?Z)?`)
)

// settled is an output without what differs from run to run; columns keep their width.
func settled(s string) string {
	s = anyID.ReplaceAllString(s, strings.Repeat("i", 36))
	return anyTime.ReplaceAllString(s, "yyyy-mm-dd hh:mm")
}

// TestUsersOnADatabase guards what an operator reads from each command, in the order of a user's life, and what a database keeps of it.
func TestUsersOnADatabase(t *testing.T) {
	dir := database(t)
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
		out   string // of standard output, or with a code other than 0 of standard error
	}{
		{"", []string{"list"}, 0, "There is no such user.\n"},
		{orchard + "\n", []string{"add", "bob@acme.example", "--organization", "acme", "--username", "bob", "--name", "Bob B.", "--group", "dev", "--group", "ops", "--password-stdin"}, 0,
			"Added bob of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii).\n"},
		{orchard, []string{"add", "eve@acme.example", "--organization", "acme", "--password-stdin"}, 0, "Added eve@acme.example of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii).\n"},
		{orchard, []string{"add", "BOB@acme.example", "--organization", "globex", "--password-stdin"}, 1, "gatehouse: adding a user: email: another user logs in with this address and a password\n"},
		{"short", []string{"add", "ann@acme.example", "--organization", "acme", "--password-stdin"}, 1, "gatehouse: password: it has to have at least 12 characters (spec.password.minLength)\n"},
		{"", []string{"disable", "bob"}, 0, "Disabled bob of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii): sessions and refresh tokens have ended.\n"},
		{"", []string{"list", "--search", "bob"}, 0, "" +
			"USERNAME  EMAIL             ORGANIZATION  SOURCE         STATE     LAST LOGIN (UTC)  ID\n" +
			"bob       bob@acme.example  acme          administrator  disabled  never             iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\n"},
		{"", []string{"enable", "bob@acme.example"}, 0, "Enabled bob of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii).\n"},
		{"another orchard", []string{"passwd", "bob", "--password-stdin"}, 0, "Set the password of bob of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii): sessions and refresh tokens have ended.\n"},
		{"", []string{"set", "bob", "--name", "Robert", "--no-groups"}, 0, "Changed bob of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii).\n"},
		{"", []string{"unlock", "bob"}, 0, "There were no failed logins of bob of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii) to forget.\n"},
		{"", []string{"show", "bob", "--organization", "acme"}, 0, "" +
			"ID            iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\n" +
			"Organization  acme\n" +
			"Username      bob\n" +
			"Email         bob@acme.example\n" +
			"Name          Robert\n" +
			"Phone         -\n" +
			"Comment       -\n" +
			"Groups        -\n" +
			"Source        administrator\n" +
			"State         enabled\n" +
			"Created       yyyy-mm-dd hh:mm\n" +
			"Changed       yyyy-mm-dd hh:mm\n" +
			"Last login    never\n" +
			"\n" +
			"No sessions.\n"},
		{"", []string{"show", "bob", "--organization", "globex"}, 1, "gatehouse: there is no such user\n"},
		{"", []string{"delete", "eve@acme.example"}, 0, "Deleted eve@acme.example of acme (iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii).\n"},
		{"", []string{"delete", "eve@acme.example"}, 1, "gatehouse: there is no such user\n"},
	} {
		code, stdout, stderr := cli(t, c.stdin, append([]string{"users", "--data-dir", dir}, c.args...)...)
		want, silent := &stdout, &stderr
		if c.code != 0 {
			want, silent = silent, want
		}
		if diff := cmp.Diff(c.out, settled(*want)); diff != "" || code != c.code || *silent != "" {
			t.Errorf("%v: exit code %d, %q (-want +got):\n%s", c.args, code, *silent, diff)
		}
	}
	s := openStore(t, dir)
	defer s.Close()
	u, err := s.PasswordUser(t.Context(), "bob@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := password.NewVerifier(1).Verify(t.Context(), u.PasswordHash, []byte("another orchard")); !ok || err != nil {
		t.Errorf("the password does not fit: %v", err)
	}
}

// TestUsersJSON guards that -o json is the answer of the users API.
func TestUsersJSON(t *testing.T) {
	dir := database(t)
	var added, shown directory.Details
	var page directory.Page
	for _, c := range []struct {
		stdin string
		args  []string
		into  any
	}{
		{orchard, []string{"add", "bob@acme.example", "--organization", "acme", "--password-stdin", "-o", "json"}, &added.Entry},
		{"", []string{"show", "bob@acme.example", "-o", "json"}, &shown},
		{"", []string{"list", "-o", "json"}, &page},
	} {
		code, stdout, stderr := cli(t, c.stdin, append([]string{"users", "--data-dir", dir}, c.args...)...)
		d := json.NewDecoder(strings.NewReader(stdout))
		d.DisallowUnknownFields()
		if err := d.Decode(c.into); err != nil || code != 0 || stderr != "" {
			t.Fatalf("%v: exit code %d, %v, %q %q", c.args, code, err, stdout, stderr)
		}
		if strings.Contains(stdout, "argon2id") {
			t.Errorf("%v tells the hash: %s", c.args, stdout)
		}
	}
	age := cmp.Comparer(func(a, b time.Time) bool { return a.Sub(b).Abs() < time.Millisecond }) // a store keeps milliseconds
	if diff := cmp.Diff(added.Entry, shown.Entry, age); diff != "" {
		t.Errorf("added and shown differ:\n%s", diff)
	}
	if diff := cmp.Diff([]directory.Entry{shown.Entry}, page.Users); diff != "" {
		t.Errorf("shown and listed differ:\n%s", diff)
	}
}

// TestUsersUsage guards that a command that does not say what it is about does nothing.
func TestUsersUsage(t *testing.T) {
	empty := t.TempDir()
	tokenFile := filepath.Join(empty, "token")
	write(t, tokenFile, opsToken)
	ops := []string{"--ops", "http://127.0.0.1:1", "--token-file", tokenFile}
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "a command is missing: add, list, show, set, passwd, disable, enable, unlock or delete"},
		{[]string{"list"}, "say where the directory is: --ops"},
		{[]string{"list", "--ops", "http://a", "--data-dir", "b"}, "exclude each other"},
		{[]string{"list", "--dsn-file", "a", "--data-dir", "b"}, "exclude each other"},
		{[]string{"list", "--data-dir", "b", "--token-file", "c"}, "--token-file goes with --ops"},
		{[]string{"list", "--ops", "http://a"}, "--ops needs --token-file"},
		{[]string{"list", "--ops", "ftp://a", "--token-file", tokenFile}, "--ops must begin with http:// or https://"},
		{[]string{"list", "--ops", "http://a", "--token-file", filepath.Join(empty, "no")}, "--token-file: "},
		{[]string{"list", "--data-dir", empty}, "there is no " + filepath.Join(empty, store.FileName)},
		{[]string{"list", "--dsn-file", filepath.Join(empty, "no")}, "--dsn-file: "},
		{[]string{"list", "--data-dir", empty, "-o", "yaml"}, `-o is "yaml": want text or json`},
		{append([]string{"list", "--limit", "501"}, ops...), "--limit has to be 1 to 500"},
		{append([]string{"list", "bob"}, ops...), "unknown command"},
		{append([]string{"show"}, ops...), "show takes one user: an ID, an e-mail address or a username"},
		{append([]string{"delete", "a", "b"}, ops...), "delete takes one user"},
		{append([]string{"disable", ""}, ops...), "disable takes one user"},
		{append([]string{"set", "bob"}, ops...), "at least one of the flags"},
		{append([]string{"set", "bob", "--group", "a", "--no-groups"}, ops...), "none of the others can be"},
		{append([]string{"add"}, ops...), "add takes one e-mail address"},
		{append([]string{"add", "a@b", orchard}, ops...), "add takes one e-mail address"},
		{append([]string{"add", "a@b"}, ops...), "standard input is no terminal to ask for the password: pipe it in and add --password-stdin"},
		{append([]string{"passwd", "a@b"}, ops...), "standard input is no terminal"},
		{[]string{"add", "a@b", "--data-dir", empty, "--password-stdin"}, "--organization is required where no server is asked"},
	} {
		code, stdout, stderr := cli(t, orchard, append([]string{"users"}, c.args...)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, c.want) || strings.Contains(stderr, orchard) {
			t.Errorf("%q: exit code %d, %q %q, want %q", c.args, code, stdout, stderr, c.want)
		}
	}
	for stdin, want := range map[string]string{"a\nb": "more than one line", strings.Repeat("x", 1025): "1 to 1024 bytes"} {
		if code, _, stderr := cli(t, stdin, append([]string{"users", "add", "a@b", "--password-stdin"}, ops...)...); code != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("%.10q: exit code %d, %q", stdin, code, stderr)
		}
	}
}

// usersServer stands for the users API, and notes what it is asked.
type usersServer struct {
	*opsServer
	requests []string
	answer   func(w http.ResponseWriter, r *http.Request, body string)
}

func newUsersServer(t *testing.T) *usersServer {
	t.Helper()
	u := &usersServer{opsServer: &opsServer{tokenFile: filepath.Join(t.TempDir(), "token")}}
	write(t, u.tokenFile, opsToken+"\n")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		u.requests = append(u.requests, r.Method+" "+r.RequestURI+" "+string(text))
		if r.Header.Get("Authorization") != "Bearer "+opsToken || (len(text) > 0) != (r.Header.Get("Content-Type") == "application/json") {
			t.Errorf("asked with %v", r.Header)
		}
		u.answer(w, r, string(text))
	}))
	t.Cleanup(s.Close)
	u.url = s.URL
	return u
}

func (u *usersServer) run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return cli(t, stdin, append([]string{"users", "--ops", u.url, "--token-file", u.tokenFile}, args...)...)
}

// TestUsersAskAServer guards the requests that commands make: the API's paths, with names escaped and nothing left out.
func TestUsersAskAServer(t *testing.T) {
	u := newUsersServer(t)
	u.answer = func(w http.ResponseWriter, r *http.Request, _ string) {
		if r.Method == http.MethodPost && r.URL.Path == "/users" {
			w.WriteHeader(http.StatusCreated)
		}
		_, _ = io.WriteString(w, `{"id":"7","username":"bob","organization":"acme","counters":3,"users":[{"id":"7","username":"bob","organization":"acme","source":"secret","provider":"default/staff"}],"next":"7"}`)
	}
	for _, c := range []struct {
		stdin string
		args  []string
		want  string // the request
		out   string
	}{
		{orchard, []string{"add", "bob@acme.example", "--group", "a", "--password-stdin"},
			`POST /users {"email":"bob@acme.example","groups":["a"],"name":"","organization":"","password":"` + orchard + `","username":""}`, "Added bob of acme (7).\n"},
		{"", []string{"list"}, "GET /users?limit=100 ", "" +
			"USERNAME  EMAIL  ORGANIZATION  SOURCE                STATE    LAST LOGIN (UTC)  ID\n" +
			"bob       -      acme          secret default/staff  enabled  never             7\n\nThere may be more: add --after 7\n"},
		{"", []string{"list", "--search", "b&c", "--after", "6", "--limit", "2", "--organization", "acme"}, "GET /users?after=6&limit=2&organization=acme&search=b%26c ", ""},
		{"", []string{"show", "a/b c?d", "--organization", "x"}, "GET /users/a%2Fb%20c%3Fd?organization=x ", ""},
		{"", []string{"show", ".."}, "GET /users/%2E%2E ", ""},
		{"", []string{"disable", "bob"}, `PATCH /users/bob {"disabled":true}`, "Disabled bob of acme (7): sessions and refresh tokens have ended.\n"},
		{"", []string{"enable", "bob"}, `PATCH /users/bob {"disabled":false}`, "Enabled bob of acme (7).\n"},
		{orchard, []string{"passwd", "bob", "--password-stdin"}, `PATCH /users/bob {"password":"` + orchard + `"}`, ""},
		{"", []string{"set", "bob", "--email", "a@b", "--username", "", "--group", "x"}, `PATCH /users/bob {"email":"a@b","groups":["x"],"username":""}`, ""},
		{"", []string{"set", "bob", "--no-groups"}, `PATCH /users/bob {"groups":[]}`, ""},
		{"", []string{"unlock", "bob"}, "POST /users/bob/unlock ", "Unlocked bob of acme (7).\n"},
		{"", []string{"delete", "bob"}, "DELETE /users/bob ", "Deleted bob of acme (7).\n"},
	} {
		u.requests = nil
		code, stdout, stderr := u.run(t, c.stdin, c.args...)
		if diff := cmp.Diff([]string{c.want}, u.requests); diff != "" || code != 0 || stderr != "" || c.out != "" && stdout != c.out {
			t.Errorf("%v: exit code %d, %q %q (-want +got):\n%s", c.args, code, stdout, stderr, diff)
		}
	}
}

// TestUsersTellTheServersWord guards what an operator reads when the server refuses, is none, or lies.
func TestUsersTellTheServersWord(t *testing.T) {
	u := newUsersServer(t)
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{409, `{"error":"conflict","error_description":"email: another user logs in with this address and a password"}`, "email: another user logs in with this address and a password\n"},
		{400, `{"error":"invalid_request","error_description":"a\u001b[2J"}`, "a\\x1b[2J\n"},
		{401, `{"error":"invalid_token","error_description":"x"}`, refusedOpsToken + "\n"},
		{404, `{"error":"not_found","error_description":"there is nothing at this path"}`, "it knows no users (404): --ops is the operations address (port 9090)"},
		{404, `<html>`, "it answers 404, not as an auth server does"},
		{500, `{"error":"server_error","error_description":"echoes ` + opsToken + `"}`, "it answers 500, not as an auth server does"},
		{302, ``, "it answers 302, not as an auth server does"},
		{200, `<html>`, "the answer is none about users"},
	} {
		u.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}
		u.requests = nil
		code, stdout, stderr := u.run(t, orchard, "add", "a@b", "--password-stdin")
		if code != exitFailed || stdout != "" || !strings.HasPrefix(stderr, "gatehouse: asking "+u.url+": "+c.want) || len(u.requests) != 1 {
			t.Errorf("%d %s: exit code %d, %q %q after %d requests", c.status, c.body, code, stdout, stderr, len(u.requests))
		}
		if strings.Contains(stderr, opsToken) || strings.Contains(stderr, orchard) {
			t.Errorf("%d: a secret is told: %s", c.status, stderr)
		}
	}
}

// TestUsersShowAProvidersUser guards the picture of somebody with identities and sessions, whose attributes a stranger chose.
func TestUsersShowAProvidersUser(t *testing.T) {
	dir := database(t)
	s := openStore(t, dir)
	d := &directory.Directory{Store: s, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	p := &config.Provider{Object: "IdentityProvider/default/sso", Name: "sso", Type: config.ProviderOIDC, Organization: "acme"}
	u, _, err := d.Provision(t.Context(), new(directory.Snapshot), p, directory.Login{
		Issuer: "https://idp.example", Subject: "a b", Username: "b\u200bob", Email: "bob@acme.example", EmailVerified: true, Name: "Bob", Groups: []string{"dev", "ops"},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.CreateSession(t.Context(), store.Session{
		Owner: u.ID, Provider: "default/sso", Data: []byte("{}"), Client: "Firefox on Linux, 203.0.113.7", CreatedAt: time.Now(), SeenAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := cli(t, "", "users", "show", u.ID, "--data-dir", dir)
	want := "" +
		"ID            iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\n" +
		"Organization  acme\n" +
		"Username      b\\u200bob\n" +
		"Email         bob@acme.example (verified by default/sso)\n" +
		"Name          Bob\n" +
		"Phone         -\n" +
		"Comment       -\n" +
		"Groups        dev, ops\n" +
		"Source        provider default/sso\n" +
		"State         enabled\n" +
		"Created       yyyy-mm-dd hh:mm\n" +
		"Changed       yyyy-mm-dd hh:mm\n" +
		"Last login    yyyy-mm-dd hh:mm\n" +
		"\n" +
		"PROVIDER     ISSUER               SUBJECT  LAST LOGIN (UTC)\n" +
		"default/sso  https://idp.example  a b      yyyy-mm-dd hh:mm\n" +
		"\n" +
		"SESSION                        PROVIDER     BEGAN (UTC)       SEEN (UTC)\n" +
		"Firefox on Linux, 203.0.113.7  default/sso  yyyy-mm-dd hh:mm  yyyy-mm-dd hh:mm\n"
	if diff := cmp.Diff(want, settled(stdout)); diff != "" || code != 0 || stderr != "" {
		t.Errorf("exit code %d, %q (-want +got):\n%s", code, stderr, diff)
	}
}

// TestUsersOnPostgreSQL guards the way over a connection string, and that no error holds the password in it.
func TestUsersOnPostgreSQL(t *testing.T) {
	dsn := filepath.Join(t.TempDir(), "dsn")
	write(t, dsn, postgres.Start(t)+"\n")
	code, stdout, stderr := cli(t, orchard, "users", "add", "bob@acme.example", "--organization", "acme", "--password-stdin", "--dsn-file", dsn)
	if want := "Added bob@acme.example of acme (" + strings.Repeat("i", 36) + ").\n"; code != 0 || settled(stdout) != want {
		t.Fatalf("exit code %d, %q %q", code, stdout, stderr)
	}
	code, stdout, stderr = cli(t, "", "users", "list", "--dsn-file", dsn)
	if code != 0 || !strings.Contains(stdout, "bob@acme.example") {
		t.Errorf("exit code %d, %q %q", code, stdout, stderr)
	}
	for text, want := range map[string]int{
		"postgres://gatehouse:quiet-orchard@127.0.0.1:1/gatehouse": exitFailed, "postgres://gatehouse:quiet-orchard@127.0.0.1:99999999/x": exitFailed,
		"": exitUsage, strings.Repeat("quiet-orchard", 400): exitUsage,
	} {
		write(t, dsn, text)
		code, stdout, stderr := cli(t, "", "users", "list", "--dsn-file", dsn)
		if code != want || stdout != "" || strings.Contains(stderr, "orchard") {
			t.Errorf("%.60q: exit code %d, %q %q", text, code, stdout, stderr)
		}
	}
}
