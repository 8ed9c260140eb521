// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// testPatience is how long a change may take in a test on a busy machine.
const testPatience = 2 * time.Minute

// served is a running `gatehouse serve`.
type served struct {
	url, ops string
	ended    chan int
	stop     context.CancelFunc

	mu    sync.Mutex
	lines []map[string]any
}

// start runs serve on free ports and waits for its ready line.
func start(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &served{ended: make(chan int, 1), stop: stop}
	r, w := io.Pipe()
	go func() {
		code := run(ctx, append([]string{"serve", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0"}, args...), nil, io.Discard, w)
		_ = w.Close()
		s.ended <- code
	}()
	go s.scan(r)
	t.Cleanup(func() {
		stop()
		select {
		case code := <-s.ended:
			if code != exitFine {
				t.Errorf("serve ended with %d", code)
			}
		case <-time.After(testPatience):
			t.Error("serve did not end")
		}
	})
	ready := s.line(t, func(l map[string]any) bool { return l["msg"] == "ready" })
	s.url, s.ops = fmt.Sprint("http://", ready["listen"]), fmt.Sprint("http://", ready["ops_listen"])
	return s
}

func (s *served) scan(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			line["msg"] = "not JSON: " + lines.Text()
		}
		s.mu.Lock()
		s.lines = append(s.lines, line)
		s.mu.Unlock()
	}
}

// line waits for a log line.
func (s *served) line(t *testing.T, want func(map[string]any) bool) map[string]any {
	t.Helper()
	var found map[string]any
	until(t, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, l := range s.lines {
			if want(l) {
				found = l
				return true
			}
		}
		return false
	}, func() string {
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Sprint("the log: ", s.lines)
	})
	return found
}

// until polls a condition.
func until(t *testing.T, ok func() bool, otherwise func() string) {
	t.Helper()
	deadline := time.NewTimer(testPatience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal(otherwise())
		}
	}
}

// verdict asks /verify/<tenant> with a token.
func (s *served) verdict(t *testing.T, tenant, token string) (status int, user string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/verify/"+tenant, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("X-Auth-Request-User")
}

// becomes waits for a verdict.
func (s *served) becomes(t *testing.T, tenant, token string, want int, wantUser string) {
	t.Helper()
	var status int
	var user string
	until(t, func() bool {
		status, user = s.verdict(t, tenant, token)
		return status == want && user == wantUser
	}, func() string { return fmt.Sprintf("%s: %d %q, want %d %q", tenant, status, user, want, wantUser) })
}

func sign(t *testing.T, secret string) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "bob", "upn": "bob@acme", "exp": time.Now().Add(time.Hour).Unix()}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestServe guards the whole of serve: verdicts from files, changed at once by a change; a broken document reported and left out while
// the others are served; a reload to nothing that refuses everything.
func TestServe(t *testing.T) {
	dir := folder(t, map[string]string{"acme.yaml": tenant("acme"), "globex.yaml": tenant("globex"), "secret.yaml": secretDoc})
	s := start(t, "-f", dir)
	token := sign(t, hmacSecret)
	s.becomes(t, "acme", token, 200, "bob")
	s.becomes(t, "globex", token, 200, "bob")
	s.becomes(t, "acme", sign(t, strings.Repeat("x", 32)), 401, "")
	s.line(t, func(l map[string]any) bool { return l["event"] == "serve.in_memory" })

	write(t, filepath.Join(dir, "acme.yaml"), strings.Replace(tenant("acme"), "claim: sub", "claim: upn", 1))
	s.becomes(t, "acme", token, 200, "bob@acme")

	write(t, filepath.Join(dir, "acme.yaml"), tenant("acme")+"  isuers: [\n")
	s.becomes(t, "acme", token, 401, "")
	if status, _ := s.verdict(t, "globex", token); status != 200 {
		t.Errorf("globex: %d while acme is broken", status)
	}
	found := s.line(t, func(l map[string]any) bool { return l["event"] == "manifests.finding" })
	if found["file"] != filepath.Join(dir, "acme.yaml") || found["object"] != "TenantJWTPolicy/acme" || found["level"] != "ERROR" {
		t.Errorf("the finding: %v", found)
	}

	write(t, filepath.Join(dir, "acme.yaml"), tenant("acme"))
	s.becomes(t, "acme", token, 200, "bob")
	s.line(t, func(l map[string]any) bool { return l["event"] == "manifests.resolved" })

	for _, name := range []string{"acme.yaml", "globex.yaml"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s.becomes(t, "acme", token, 401, "")
	s.becomes(t, "globex", token, 401, "")
	write(t, filepath.Join(dir, "new", "acme.yaml"), tenant("acme"))
	s.becomes(t, "acme", token, 200, "bob")
}

// TestServeKeepsSettings guards an edit that breaks the AuthServer's document: its last good settings stay, and objects go on
// changing.
func TestServeKeepsSettings(t *testing.T) {
	server := header + "kind: AuthServer\nmetadata: {name: default}\nspec: {externalURL: 'https://auth.example.com', store: {type: None}}\n"
	for name, broken := range map[string]string{
		"invalid":  server + "  replicas: many\n", // no valid YAML: text behind a flow mapping
		"unknown":  strings.Replace(server, "externalURL", "externalUrl", 1),
		"unusable": strings.Replace(server, "store:", "outbound: {caBundleRef: {kind: ConfigMap, name: none}}, store:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, map[string]string{"server.yaml": server, "acme.yaml": tenant("acme"), "secret.yaml": secretDoc})
			s := start(t, "-f", dir)
			token := sign(t, hmacSecret)
			s.becomes(t, "acme", token, 200, "bob")
			write(t, filepath.Join(dir, "server.yaml"), broken)
			s.line(t, func(l map[string]any) bool { return l["event"] == "manifests.finding" })
			write(t, filepath.Join(dir, "acme.yaml"), strings.Replace(tenant("acme"), "claim: sub", "claim: upn", 1))
			s.becomes(t, "acme", token, 200, "bob@acme")
			// An issuer like the server's own is reserved only if the external URL is still the last good one.
			write(t, filepath.Join(dir, "acme.yaml"), strings.Replace(tenant("acme"), "- keys:", "- issuer: https://auth.example.com\n    keys:", 1))
			s.line(t, func(l map[string]any) bool {
				return strings.Contains(fmt.Sprint(l["error"]), "is the AuthServer's own URL")
			})
		})
	}
}

// TestServeConfigMap guards manifests in the volume of a ConfigMap, where the kubelet swaps the link ..data.
func TestServeConfigMap(t *testing.T) {
	dir := folder(t, map[string]string{
		"..1/a.yaml": docs(tenant("acme"), secretDoc),
		"..2/a.yaml": docs(strings.Replace(tenant("acme"), "claim: sub", "claim: upn", 1), secretDoc),
	})
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, "..tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link("..data/a.yaml", "a.yaml")
	s := start(t, "-f", dir)
	token := sign(t, hmacSecret)
	s.becomes(t, "acme", token, 200, "bob")
	link("..2", "..data")
	s.becomes(t, "acme", token, 200, "bob@acme")
}

// TestServeLogin guards the store and the signing keys behind a password login, and that --data-dir keeps both: a token of before a
// restart still passes.
func TestServeLogin(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": docs(provider, usersDoc("- {email: bob@example.com, hash: '"+phc+"'}"))})
	data := t.TempDir()
	// The issuer of a token is the server's URL, which a port that differs would change.
	write(t, filepath.Join(dir, "server.yaml"), header+"kind: AuthServer\nmetadata: {name: default}\nspec: {externalURL: 'http://localhost:1'}\n")
	s := start(t, "-f", dir, "--data-dir", data)
	resp, err := http.Post(s.url+"/api/v1/login", "application/json", strings.NewReader(`{"email":"bob@example.com","password":"secret-pass"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != 200 || answer.AccessToken == "" {
		t.Fatalf("login: %d, %v", resp.StatusCode, err)
	}
	s.becomes(t, "default", answer.AccessToken, 200, "bob@example.com")
	s.stop()
	again := start(t, "-f", dir, "--data-dir", data)
	again.becomes(t, "default", answer.AccessToken, 200, "bob@example.com")
}

// TestServeReachesLoopback guards that keys may come from this machine when the server is for this machine, and that the default
// external URL is the address as bound.
func TestServeReachesLoopback(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jwk.New(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	document, err := json.Marshal(jwk.NewSet(public))
	if err != nil {
		t.Fatal(err)
	}
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document) }))
	t.Cleanup(keys.Close)
	remote := header + "kind: TenantJWTPolicy\nmetadata: {name: a}\nspec:\n  tenantID: a\n  algorithms: [ES256]\n" +
		"  issuers: [{issuer: a, jwksURI: '" + keys.URL + "/'}]\n"
	s := start(t, "-f", folder(t, map[string]string{"a.yaml": remote}))
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
		"iss": "a", "upn": "bob", "exp": time.Now().Add(time.Hour).Unix()}).SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	s.becomes(t, "a", token, 200, "bob")
	resp, err := http.Get(s.url + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var discovery struct{ Issuer string }
	if err := json.NewDecoder(resp.Body).Decode(&discovery); err != nil || discovery.Issuer != s.url {
		t.Errorf("issuer %q, want %q (%v)", discovery.Issuer, s.url, err)
	}
}

// TestServeNothing guards exit code 2: only when no document at all can be served.
func TestServeNothing(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": tenant("acme")})
	code, _, stderr := cli(t, "", "serve", "-f", dir, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--ext-authz-listen", "127.0.0.1:0")
	if code != exitUsage || !strings.Contains(stderr, "Secret default/hmac does not exist") ||
		!strings.HasSuffix(stderr, "gatehouse: nothing to serve: every document for AuthServer default/default has a mistake\n") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestExternalURL guards the default: http://<listen> with the port as bound.
func TestExternalURL(t *testing.T) {
	bound := &net.TCPAddr{IP: net.IPv6zero, Port: 4711}
	for listen, want := range map[string]string{
		"127.0.0.1:0": "http://127.0.0.1:4711", ":8080": "http://localhost:4711", "0.0.0.0:0": "http://localhost:4711",
		"[::]:0": "http://localhost:4711", "[::1]:0": "http://[::1]:4711", "auth.local:80": "http://auth.local:4711",
	} {
		if got := externalURL(listen, bound); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
	for listen, want := range map[string]bool{"127.0.0.1:0": true, "localhost:1": true, "[::1]:0": true, ":8080": false, "0.0.0.0:1": false, "[::ffff:127.0.0.1]:1": true, "10.0.0.1:1": false} {
		if onLoopback(listen) != want {
			t.Errorf("onLoopback(%s) = %v", listen, !want)
		}
	}
}

// TestServeCredentials guards JWTBearer providers without a cluster: the token for whom it admits, a change at once, and the output Secret told to be none.
func TestServeCredentials(t *testing.T) {
	bearer := header + `kind: IdentityProvider
metadata: {name: api}
spec:
  type: JWTBearer
  jwtBearer: {keySecretRef: {name: hmac, key: key}, algorithm: HS256, issuer: one, outputSecretName: api-token, allowedCallers: "tenant == 'acme' && username == 'bob'"}
`
	dir := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), tenant("globex"), secretDoc), "api.yaml": bearer})
	s := start(t, "-f", dir)
	s.line(t, func(l map[string]any) bool {
		return l["event"] == "manifests.finding" && l["level"] == "WARN" && strings.Contains(fmt.Sprint(l["error"]), "without a cluster there is no Secret to write")
	})
	ask := func(tenant, name string) (status int, issuer string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/credentials/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+sign(t, hmacSecret))
		req.Header.Set("X-Jwt-Tenant-Id", tenant)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var body struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
			t.Fatal(err)
		}
		var claims jwt.RegisteredClaims
		if resp.StatusCode == http.StatusOK {
			if _, err := jwt.ParseWithClaims(body.AccessToken, &claims, func(*jwt.Token) (any, error) { return []byte(hmacSecret), nil }, jwt.WithValidMethods([]string{"HS256"})); err != nil {
				t.Fatal(err)
			}
		}
		return resp.StatusCode, claims.Issuer
	}
	is := func(issuer string) {
		t.Helper()
		until(t, func() bool {
			status, got := ask("acme", "api")
			return status == http.StatusOK && got == issuer
		}, func() string { return "no token of issuer " + issuer })
	}
	is("one")
	for _, other := range [][2]string{{"globex", "api"}, {"acme", "none"}} {
		if status, _ := ask(other[0], other[1]); status != http.StatusNotFound {
			t.Errorf("%v: %d", other, status)
		}
	}
	write(t, filepath.Join(dir, "api.yaml"), strings.Replace(bearer, "issuer: one", "issuer: two", 1))
	is("two")
}
