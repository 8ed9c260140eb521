// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	testserved "github.com/gatehouse-auth/gatehouse/test/served"
)

// farFuture is an exp that these tests do not live to see, so that outputs are the same each time.
const farFuture = 4102444800

// signed makes an HS256 token with the key of secretDoc.
func signed(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(hmacSecret))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestVerifyOffline guards the whole of what an operator reads when they ask manifests.
func TestVerifyOffline(t *testing.T) {
	dir := folder(t, map[string]string{"acme.yaml": strings.Replace(tenant("acme"), "{claim: sub}", "{claim: sub, prefixWithTenant: true}", 1), "secret.yaml": secretDoc})
	good := signed(t, jwt.MapClaims{"sub": "bob", "exp": farFuture})
	cases := []struct {
		name, token string
		args        []string
		code        int
		golden      string
	}{
		{"accepted", good, nil, exitFine, "verify-accepted"},
		{"expired", signed(t, jwt.MapClaims{"sub": "bob", "exp": 1767225600}), nil, exitFailed, "verify-expired"},
		{"another key", good[:strings.LastIndex(good, ".")+1] + strings.Repeat("A", 43), nil, exitFailed, "verify-signature"},
		{"narrowed", good, []string{"--nonce", "n-1"}, exitFailed, "verify-nonce"},
		{"no token at all", "hello", nil, exitFailed, "verify-segments"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := cli(t, c.token+"\n", append([]string{"verify", "-f", dir, "--tenant", "acme"}, c.args...)...)
			if code != c.code || stderr != "" {
				t.Errorf("exit code %d, stderr %q", code, stderr)
			}
			compareGolden(t, c.golden, stdout)
			if strings.Contains(stdout, c.token) && len(c.token) > 20 {
				t.Error("the token is printed")
			}
		})
	}
}

// TestVerifyOfflineKeys guards that keys are fetched as serve fetches them, from this machine too, and that keys out of reach are no refusal of the
// token.
func TestVerifyOfflineKeys(t *testing.T) {
	signer := testserved.NewSigner(t, "ES256", "k1")
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, signer.JWKS(t)) }))
	defer web.Close()
	policyOf := func(name, url string) string {
		return header + "kind: TenantJWTPolicy\nmetadata: {name: " + name + "}\nspec:\n  tenantID: " + name + "\n  algorithms: [ES256]\n  issuers: [{issuer: https://idp.example, jwksURI: '" + url + "'}]\n  claimMappings: {username: {claim: sub}}\n"
	}
	dir := folder(t, map[string]string{"a.yaml": policyOf("acme", web.URL), "b.yaml": policyOf("away", "http://127.0.0.1:1/keys"), "bad.yaml": policyOf("bad", "ftp://x")})
	raw := signer.Sign(t, nil, testserved.Claims{"iss": "https://idp.example", "sub": "bob"})
	for tenantID, want := range map[string]policy.Report{
		"acme": {Status: 200},
		"away": {Status: 503, Reason: "keys_unavailable"},
		"bad":  {Status: 401, Reason: "unknown_tenant"},
	} {
		code, stdout, stderr := cli(t, raw, "verify", "-f", dir, "--tenant", tenantID, "-o", "json")
		var got policy.Report
		if err := json.Unmarshal([]byte(stdout), &got); err != nil {
			t.Fatalf("%s: %v: %s", tenantID, err, stderr)
		}
		if got.Status != want.Status || got.Reason != want.Reason || (code == exitFine) != (want.Status == 200) {
			t.Errorf("%s: %d %s, exit code %d", tenantID, got.Status, got.Reason, code)
		}
		if !strings.HasPrefix(stderr, filepath.Join(dir, "bad.yaml")+":") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: what is left out is not told: %q", tenantID, stderr)
		}
	}
}

// TestVerifyOfflineTellsOwnFirst guards that among the findings of a large folder those of the asked tenant are seen, whatever their files are
// called, and that an unknown tenant whose document is left out is told where.
func TestVerifyOfflineTellsOwnFirst(t *testing.T) {
	bad := func(name, tenantID, leeway string) string {
		return header + "kind: TenantJWTPolicy\nmetadata: {name: " + name + "}\nspec:\n  tenantID: " + tenantID + "\n  leeway: " + leeway +
			"\n  issuers: [{keys: [{secretRef: {name: zz-key, key: key}, format: Symmetric}]}]\n"
	}
	files := map[string]string{
		"z-mine.yaml":   bad("mine", "globex", "11m"),
		"z-key.yaml":    "apiVersion: v1\nkind: Secret\nmetadata: {name: zz-key}\nstringData: {key: 1}\n",
		"z-cut.yaml":    header + "kind: TenantJWTPolicy\nmetadata: {name: cut}\nspec: {\"tenantID\": cut, issuers: [}\n",
		"z-server.yaml": docs(bad("far", "far", "1m\n  authServerRef: {name: edge}"), header+"kind: AuthServer\nmetadata: {name: edge}\nspec: {replicas: 3}\n"),
		"acme.yaml":     docs(tenant("acme"), secretDoc),
	}
	for i := range 30 {
		files[fmt.Sprintf("b%02d.yaml", i)] = bad(fmt.Sprintf("b%02d", i), fmt.Sprintf("b%02d", i), "11m")
	}
	dir := folder(t, files)
	raw := signed(t, jwt.MapClaims{"sub": "bob", "exp": farFuture})
	for _, c := range []struct {
		tenantID string
		own      []string // files of the findings told first
		fix      string
	}{
		{"globex", []string{"z-key.yaml:4: ", "z-mine.yaml:6: "}, "Fix: put TenantJWTPolicy/mine right, which has this tenantID and is left out (" + dir + "/z-mine.yaml:6): spec.leeway: Invalid value: "},
		{"cut", []string{"z-cut.yaml:3: "}, "Fix: put TenantJWTPolicy/cut right, which has this tenantID and is left out (" + dir + "/z-cut.yaml:3): the document is not valid YAML"},
		{"far", []string{"z-key.yaml:4: ", "z-server.yaml:13: "}, "Fix: create a TenantJWTPolicy"},
		{"nobody", nil, "Fix: create a TenantJWTPolicy with this spec.tenantID"},
		{"acme", nil, ""},
	} {
		_, stdout, stderr := cli(t, raw, "verify", "-f", dir, "--tenant", c.tenantID)
		lines := strings.SplitAfter(stderr, "\n")
		for i, want := range c.own {
			if !strings.HasPrefix(lines[i], dir+"/"+want) {
				t.Errorf("%s: line %d is %s", c.tenantID, i, lines[i])
			}
		}
		shown := len(c.own) + maxOtherFindings
		if more := fmt.Sprintf("and %d more: gatehouse lint --require-refs -f %s\n", 34-shown, dir); len(lines) != shown+2 || lines[shown] != more {
			t.Errorf("%s: want %d findings and %s%s", c.tenantID, shown, more, stderr)
		}
		if c.fix != "" && !strings.Contains(stdout, c.fix) {
			t.Errorf("%s: want %s\n%s", c.tenantID, c.fix, stdout)
		}
	}
	if got := pathFlags([]string{"a", "b", "c", "d"}); got != " -f a -f b -f c …" {
		t.Errorf("four paths are %q", got)
	}
}

// TestVerifyOfflineSaysWhyKeysAreUnavailable guards the fix where there is no cluster to ask: it is the cause itself.
func TestVerifyOfflineSaysWhyKeysAreUnavailable(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": header + "kind: TenantJWTPolicy\nmetadata: {name: acme}\nspec:\n  tenantID: acme\n  algorithms: [ES256]\n" +
		"  issuers: [{issuer: https://idp.example, jwksURI: 'http://127.0.0.1:1/keys'}]\n"})
	raw := testserved.NewSigner(t, "ES256", "k1").Sign(t, nil, testserved.Claims{"iss": "https://idp.example", "sub": "bob"})
	_, stdout, _ := cli(t, raw, "verify", "-f", dir, "--tenant", "acme")
	want := "Fix: the connection to 127.0.0.1:1 failed: connect: connection refused; once that is put right the server fetches them by itself"
	if !strings.Contains(stdout, want) {
		t.Errorf("want %s\n%s", want, stdout)
	}
}

// TestVerifyOfflineDefault guards that the default policy decides where no tenant is named, and that one can be told which AuthServer.
func TestVerifyOfflineDefault(t *testing.T) {
	edge := header + "kind: AuthServer\nmetadata: {name: edge}\nspec: {store: {type: None}}\n"
	dir := folder(t, map[string]string{
		"a.yaml": docs(strings.Replace(tenant("acme"), "tenantID: acme", "tenantID: acme\n  default: true", 1), secretDoc),
		"b.yaml": docs(edge, strings.Replace(tenant("other"), "tenantID: other", "tenantID: other\n  authServerRef: {name: edge}", 1)),
	})
	raw := signed(t, jwt.MapClaims{"sub": "bob", "exp": farFuture})
	for _, c := range []struct {
		args []string
		code int
	}{
		{nil, exitFine},
		{[]string{"--tenant", "acme"}, exitFine},
		{[]string{"--tenant", "other"}, exitFailed},
		{[]string{"--tenant", "other", "--auth-server", "default/edge"}, exitFine},
		{[]string{"--auth-server", "default/edge"}, exitFailed},
	} {
		if code, stdout, stderr := cli(t, raw, append([]string{"verify", "-f", dir}, c.args...)...); code != c.code {
			t.Errorf("%v: exit code %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
}

// TestVerifyOfflineUsage guards wrong usage of -f.
func TestVerifyOfflineUsage(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), secretDoc)})
	const usage = "\nRun 'gatehouse verify --help' for usage.\n"
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"nobody to ask", []string{"verify"}, "say whom to ask: --ops with the operations address of a running auth server, or -f with manifests" + usage},
		{"two to ask", []string{"verify", "-f", dir, "--ops", "http://x"}, "--ops and -f exclude each other: ask a running server or the manifests" + usage},
		{"a token file", []string{"verify", "-f", dir, "--token-file", "x"}, "--token-file goes with --ops: the token to explain comes on standard input" + usage},
		{"standard input twice", []string{"verify", "-f", "-"}, "-f - cannot be read: standard input holds the token" + usage},
		{"an empty path", []string{"verify", "-f", ""}, "-f is empty" + usage},
		{"no such server", []string{"verify", "-f", dir, "--auth-server", "x"}, `--auth-server is "x": want namespace/name, such as default/default` + usage},
		{"a server's name for --ops", []string{"verify", "--ops", "http://x", "--auth-server", "a/b"}, "--auth-server goes with -f: a running auth server is one already" + usage},
		{"no such folder", []string{"verify", "-f", filepath.Join(dir, "none")}, "reading manifests: stat " + filepath.Join(dir, "none") + ": no such file or directory\n"},
		{"nothing to ask", []string{"verify", "-f", t.TempDir()}, "nothing to serve: the manifests hold no AuthServer, IdentityProvider or TenantJWTPolicy (apiVersion auth.gatehouse.dev/v1alpha1)\n"},
	} {
		if code, stdout, stderr := cli(t, "a.b.c", c.args...); code != exitUsage || stdout != "" || stderr != "gatehouse: "+c.want {
			t.Errorf("%s: exit code %d, %q %q", c.name, code, stdout, stderr)
		}
	}
	if code, stdout, _ := cli(t, "a.b.c", "verify", "-f", filepath.Join(dir, "a.yaml"), filepath.Join(dir, "a.yaml")); code != exitFailed || stdout == "" {
		t.Error("a shell's glob is not taken")
	}
}

// clock is the time of a report, which is another one at each run.
var clock = regexp.MustCompile(`now [-0-9T:]+Z`)

// compareGolden compares with testdata/NAME.golden. UPDATE_GOLDEN=1 accepts a wanted change: read the difference.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got = clock.ReplaceAllString(got, "now NOW")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		write(t, file, got)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestVerifyAsksServe guards that a running server gives the very report that its manifests give.
func TestVerifyAsksServe(t *testing.T) {
	dir := folder(t, map[string]string{"acme.yaml": docs(tenant("acme"), secretDoc)})
	token := filepath.Join(t.TempDir(), "token")
	write(t, token, opsToken+"\n")
	s := start(t, "-f", dir, "--ops-token-file", token)
	good := signed(t, jwt.MapClaims{"sub": "bob", "exp": farFuture, "nonce": "n-1"})
	for _, args := range [][]string{
		{"--tenant", "acme"}, {"--tenant", "globex"}, nil, {"--tenant", "acme", "--nonce", "n-1"}, {"--tenant", "acme", "--nonce", ""}, {"--tenant", "acme", "--issuer", "x", "-o", "json"},
	} {
		code, online, stderr := cli(t, good, append([]string{"verify", "--ops", s.ops, "--token-file", token}, args...)...)
		again, offline, _ := cli(t, good, append([]string{"verify", "-f", dir}, args...)...)
		if code != again || stderr != "" {
			t.Errorf("%v: exit codes %d and %d; %s", args, code, again, stderr)
		}
		if diff := cmp.Diff(clock.ReplaceAllString(offline, ""), clock.ReplaceAllString(online, "")); diff != "" {
			t.Errorf("%v (-manifests +server):\n%s", args, diff)
		}
	}
	write(t, token, "another")
	want := "gatehouse: asking " + s.ops + "/explain: " + refusedOpsToken + "\n"
	if code, stdout, stderr := cli(t, good, "verify", "--ops", s.ops, "--token-file", token, "--tenant", "acme"); code != exitFailed || stdout != "" || stderr != want {
		t.Errorf("another token: exit code %d, %q %q", code, stdout, stderr)
	}
	if code, stdout, stderr := cli(t, good, "verify", "--ops", s.url, "--token-file", token); code != exitFailed || stdout != "" || !strings.Contains(stderr, "nothing explains tokens there (404)") {
		t.Errorf("the public listener: exit code %d, %q %q", code, stdout, stderr)
	}
}
