// SPDX-License-Identifier: Apache-2.0

package migrating

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/test/served"
)

const (
	external = "https://auth.example.com" // of the pages' manifests
	phrase   = "correct horse battery staple"
)

// site is a page's manifest, served.
type site struct{ url string }

// freeAddress is one that nobody listens at for the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// place is a manifest with the external URL at an address of this machine, and other texts replaced; each has to be there.
func place(t *testing.T, address, text string, replace map[string]string) string {
	t.Helper()
	text = strings.ReplaceAll(text, external, "http://"+address)
	for _, old := range slices.Backward(slices.Sorted(maps.Keys(replace))) { // the longest of those that begin alike first
		if !strings.Contains(text, old) {
			t.Fatalf("the manifest has no %q", old)
		}
		text = strings.ReplaceAll(text, old, replace[old])
	}
	return text
}

// serveAt serves a manifest at the address with Secrets and other documents beside it.
func serveAt(t *testing.T, address, text, beside string) *site {
	t.Helper()
	return &site{url: "http://" + served.StartAt(t, address, text+beside)}
}

// staffUsers is the Secret of the pages' password logins.
func staffUsers(t *testing.T) string {
	t.Helper()
	hash, err := password.Hash([]byte(phrase), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return secret("staff-users", map[string]string{"users.yaml": `[{email: ada@example.com, username: ada, hash: "` + hash + `"}]`})
}

type answer struct {
	status  int
	header  http.Header
	body    string
	address string // of the last page of a chain of redirects
}

// tokens is what a login gives.
type tokens struct {
	AccessToken      string `json:"access_token"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshToken     string `json:"refresh_token"`
	RefreshExpiresIn int    `json:"refresh_expires_in"`
	Error            string `json:"error"`
}

// login is a program's.
func (s *site) login(t *testing.T, email, pass string) (tokens, int) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"email": email, "password": pass})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(s.url+"/api/v1/login", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return readTokens(t, resp), resp.StatusCode
}

func readTokens(t *testing.T, resp *http.Response) (out tokens) {
	t.Helper()
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// browser keeps cookies and follows redirects; each is somebody's.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar, Timeout: 2 * time.Minute}}
}

// open goes to an address, as somebody who follows a link on a page of the same site.
func (b *browser) open(url string, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body), resp.Request.URL.String()}
}

// enter logs in at a provider and demands that /verify then names the user.
func (b *browser) enter(s *site, provider, user string) {
	b.t.Helper()
	if at := b.open(s.url + "/auth/" + provider + "/login/"); at.status != http.StatusOK || at.address != s.url+"/account" {
		b.t.Fatalf("the login led to %s: %d\n%s", at.address, at.status, words(at.body))
	}
	if v := b.open(s.url + "/verify"); v.status != http.StatusOK || v.header.Get("X-Auth-Request-Preferred-Username") != user {
		b.t.Fatalf("/verify: %d as %q, want %q", v.status, v.header.Get("X-Auth-Request-Preferred-Username"), user)
	}
}

// turnedAway logs in at a provider and demands that nobody is logged in then.
func (b *browser) turnedAway(s *site, provider string) answer {
	b.t.Helper()
	at := b.open(s.url + "/auth/" + provider + "/login/")
	if v := b.open(s.url + "/verify"); v.status != http.StatusUnauthorized {
		b.t.Fatalf("/verify: %d, want 401; the login led to %s: %d", v.status, at.address, at.status)
	}
	return at
}

var tag = regexp.MustCompile(`<[^>]*>`)

// words are a page's text.
func words(page string) string {
	return strings.Join(strings.Fields(tag.ReplaceAllString(page, " ")), " ")
}

// covered demands that tests are exactly for a page's manifests and refusals, and that its table has a line for each row.
func covered(t *testing.T, page string, rows []string, manifests, refused map[string]func(*testing.T, string)) {
	t.Helper()
	all := sectionsOf(t, page)
	cells := strings.Join(lines(all["Each setting"]), "\n")
	for _, row := range rows {
		if !strings.Contains(cells, row) {
			t.Errorf("%s has no line", row)
		}
	}
	for heading, body := range all {
		text := manifest(t, body)
		if check := manifests[heading]; (text != "") != (check != nil) {
			t.Errorf("%s: has a manifest: %t, has a test: %t", heading, text != "", check != nil)
		}
	}
	told := lines(all["What we refuse on purpose"])
	for _, line := range told {
		if refused[line] == nil {
			t.Errorf("no test of the refusal %q", line)
		}
	}
	if len(told) != len(refused) {
		t.Errorf("%d lines of refusals, %d tests", len(told), len(refused))
	}
	for heading, check := range manifests {
		t.Run(heading, func(t *testing.T) { check(t, manifest(t, all[heading])) })
	}
	for line, check := range refused {
		t.Run(line, func(t *testing.T) { check(t, "") })
	}
}
