// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

const (
	opsToken    = "ops-token-of-the-test"
	sampleToken = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl"
)

// refusedOpsToken is what a wrong operations token is answered with.
const refusedOpsToken = "it refuses the operations token (401): --token-file must hold what the server has now, in a cluster the key token of Secret gatehouse-<server>-ops, " +
	"with gatehouse serve the file that its --ops-token-file names (without that flag it has none)"

// opsServer is an operations listener that gives one answer, and what it was asked.
type opsServer struct {
	url, tokenFile string
	asked          []map[string]any
}

func newOpsServer(t *testing.T, status int, answer string) *opsServer {
	t.Helper()
	o := &opsServer{tokenFile: filepath.Join(t.TempDir(), "token")}
	write(t, o.tokenFile, opsToken+"\n")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		question := map[string]any{}
		if err := json.Unmarshal(body, &question); err != nil {
			t.Errorf("the question is no JSON: %v", err)
		}
		o.asked = append(o.asked, question)
		if r.Method != http.MethodPost || r.URL.Path != "/explain" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer "+opsToken {
			t.Errorf("asked by %s %s with %v", r.Method, r.URL, r.Header)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	o.url = s.URL
	return o
}

func (o *opsServer) args(more ...string) []string {
	return append([]string{"verify", "--ops", o.url, "--token-file", o.tokenFile}, more...)
}

func asJSON(t *testing.T, r *policy.Report) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var accepted = &policy.Report{
	Status: 200, Tenant: "acme", Policy: "TenantJWTPolicy/default/acme",
	Checks: []policy.Check{
		{Name: "token", Outcome: policy.OutcomePassed, Detail: "53 characters"},
		{Name: "decryption", Outcome: policy.OutcomeSkipped},
		{Name: "nonce", Outcome: policy.OutcomeSkipped, Detail: "neither requiredNonce nor x-jwt-nonce"},
		{Name: "username", Outcome: policy.OutcomePassed, Detail: `sub is "bob"`},
	},
	Headers: map[string]string{"X-Auth-Tenant": "acme", "X-Acme-Plan": "gold", "X-Auth-Request-User": "acme/bob", "X-Auth-Request-Email": "",
		"X-Auth-Request-Groups": "dev,ops", "X-Auth-Request-Preferred-Username": "bob"},
}

// refusedReport holds what an attacker may have put into a token.
var refusedReport = &policy.Report{
	Status: 401, Reason: "audience_not_allowed", Tenant: "acme", Policy: "TenantJWTPolicy/default/acme",
	Checks: []policy.Check{
		{Name: "token", Outcome: policy.OutcomePassed, Detail: "53 characters"},
		{Name: "audience", Outcome: policy.OutcomeFailed, Detail: "aud is \"\x1b[2Jx\r\nok\u202e\", echoed " + sampleToken},
		{Name: "username", Outcome: policy.OutcomeNotReached, Detail: "never shown"},
	},
	Fix: "add the audience to spec.audiences of TenantJWTPolicy default/acme",
}

// TestVerifyPrints guards what an operator reads, and the exit codes that scripts go by.
func TestVerifyPrints(t *testing.T) {
	cases := []struct {
		name   string
		report *policy.Report
		code   int
		want   string
	}{
		{"accepted", accepted, exitFine, `ok    token     53 characters
ok    username  sub is "bob"
-     2 not asked for (shown with -v)

Accepted for tenant acme by TenantJWTPolicy/default/acme. The application is told:
  X-Auth-Request-User                acme/bob
  X-Auth-Request-Preferred-Username  bob
  X-Auth-Request-Email               (empty)
  X-Auth-Request-Groups              dev,ops
  X-Auth-Tenant                      acme
  X-Acme-Plan                        gold
`},
		{"refused", refusedReport, exitFailed, `ok    token     53 characters
FAIL  audience  aud is "\x1b[2Jx\r\nok\u202e", echoed [the token]
-     1 not reached (shown with -v)

Refused for tenant acme by TenantJWTPolicy/default/acme: audience_not_allowed (the client sees 401, and no reason)
Fix: add the audience to spec.audiences of TenantJWTPolicy default/acme
`},
		{"undecided", &policy.Report{Status: 503, Reason: "keys_unavailable", Tenant: "acme", Checks: []policy.Check{{Name: "key", Outcome: policy.OutcomeFailed}}, Fix: "wait"},
			exitFailed, `FAIL  key  does not hold

Undecided for tenant acme: keys_unavailable (the client sees 503, and no reason)
Fix: wait
`},
		{"no tenant, and an outcome of a later server", &policy.Report{Status: 401, Reason: "no_tenant", Checks: []policy.Check{{Name: "tenant", Outcome: "puzzled"}}},
			exitFailed, `FAIL  tenant  does not hold

Refused: no_tenant (the client sees 401, and no reason)
`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := newOpsServer(t, http.StatusOK, asJSON(t, c.report))
			code, stdout, stderr := cli(t, sampleToken+"\n", o.args("--tenant", "acme")...)
			if code != c.code || stderr != "" {
				t.Errorf("exit code %d, want %d; stderr %q", code, c.code, stderr)
			}
			if diff := cmp.Diff(c.want, stdout); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVerifyPrintsAll guards that -v hides no check.
func TestVerifyPrintsAll(t *testing.T) {
	report := *refusedReport
	report.Checks = append([]policy.Check{{Name: "decryption", Outcome: policy.OutcomeSkipped}, {Name: "nonce", Outcome: policy.OutcomeSkipped, Detail: "no requiredNonce"}},
		report.Checks...)
	o := newOpsServer(t, http.StatusOK, asJSON(t, &report))
	_, brief, _ := cli(t, sampleToken, o.args("--tenant", "acme")...)
	if want := "-     2 not asked for, 1 not reached (shown with -v)\n"; !strings.Contains(brief, want) {
		t.Errorf("without -v: %s", brief)
	}
	for _, flag := range []string{"-v", "--verbose"} {
		_, stdout, stderr := cli(t, sampleToken, o.args("--tenant", "acme", flag)...)
		want := `-     decryption  not asked for
-     nonce       no requiredNonce
ok    token       53 characters
FAIL  audience    aud is "\x1b[2Jx\r\nok\u202e", echoed [the token]
-     username    not reached

Refused`
		if !strings.HasPrefix(stdout, want) || stderr != "" {
			t.Errorf("%s: %s%s", flag, stdout, stderr)
		}
	}
}

// TestVerifyPrintsJSON guards that -o json is the report itself, without the token.
func TestVerifyPrintsJSON(t *testing.T) {
	o := newOpsServer(t, http.StatusOK, asJSON(t, refusedReport))
	code, stdout, stderr := cli(t, sampleToken, o.args("--tenant", "acme", "-o", "json")...)
	got := new(policy.Report)
	if err := json.Unmarshal([]byte(stdout), got); err != nil || code != exitFailed || stderr != "" {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	want := *refusedReport
	want.Checks = append([]policy.Check(nil), want.Checks...)
	want.Checks[1].Detail = strings.ReplaceAll(want.Checks[1].Detail, sampleToken, "[the token]")
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

// TestVerifyColours guards that colour only decorates: without it the text is the same.
func TestVerifyColours(t *testing.T) {
	for i, r := range []*policy.Report{accepted, refusedReport, accepted, refusedReport} {
		verbose := i > 1
		plain, coloured := reportText(r, verbose, false), reportText(r, verbose, true)
		if strings.Contains(plain, "\x1b") || !strings.Contains(coloured, "\x1b") {
			t.Error("colour where there should be none, or none where there should be")
		}
		if got := strings.NewReplacer(green, "", red, "", faint, "", reset, "").Replace(coloured); got != plain {
			t.Errorf("without its colours the text is\n%s", got)
		}
	}
}

// TestVerifyAsks guards the question: a flag that was not given is a header not sent, an empty one a header sent empty.
func TestVerifyAsks(t *testing.T) {
	o := newOpsServer(t, http.StatusOK, asJSON(t, accepted))
	for _, c := range []struct {
		stdin string
		args  []string
		want  map[string]any
	}{
		{"a.b.c", nil, map[string]any{"token": "a.b.c"}},
		{"a.b.c\n", []string{"--tenant", "acme"}, map[string]any{"token": "a.b.c", "tenant": "acme"}},
		{"a.b.c\r\n", []string{"--issuer", "https://a", "--client-id", "b", "--nonce", ""},
			map[string]any{"token": "a.b.c", "issuer": "https://a", "client_id": "b", "nonce": ""}},
		{strings.Repeat("x", maxToken) + "\r\n", nil, map[string]any{"token": strings.Repeat("x", maxToken)}},
	} {
		o.asked = nil
		if code, _, stderr := cli(t, c.stdin, o.args(c.args...)...); code != exitFine {
			t.Errorf("%v: exit code %d: %s", c.args, code, stderr)
		}
		if diff := cmp.Diff([]map[string]any{c.want}, o.asked); diff != "" {
			t.Errorf("%v: asked (-want +got):\n%s", c.args, diff)
		}
	}
}

// TestVerifyCannotTell guards that an answer that is no report is never taken for one, and says what to do.
func TestVerifyCannotTell(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		answer string
		want   string
	}{
		{"another token", 401, sampleToken, refusedOpsToken},
		{"the public listener", 404, sampleToken, "nothing explains tokens there (404): --ops is the operations address (port 9090), not the public one (8080)"},
		{"a redirect", 302, "", "it answers 302"},
		{"a fault", 500, sampleToken, "it answers 500"},
		{"another program", 200, "<html>" + sampleToken, "the answer is no report: is this the operations address of an auth server?"},
		{"too long", 200, `{"status": 200, "fix": "` + strings.Repeat("x", maxReport) + `"}`, "the answer is no report: is this the operations address of an auth server?"},
	} {
		o := newOpsServer(t, c.status, c.answer)
		want := "gatehouse: asking " + o.url + "/explain: " + c.want + "\n"
		if code, stdout, stderr := cli(t, sampleToken, o.args()...); code != exitFailed || stdout != "" || stderr != want {
			t.Errorf("%s: exit code %d, %q %q", c.name, code, stdout, stderr)
		}
		if len(o.asked) != 1 {
			t.Errorf("%s: asked %d times", c.name, len(o.asked))
		}
	}
	for answer, want := range map[string]string{
		`{}`:                            "the answer is no report: it has no status of /verify",
		`{"status": 204}`:               "the answer is no report: it has no status of /verify",
		`{"status": 200}`:               "the answer is no report: it has no checks",
		`{"status": 200, "checks": []}`: "the answer is no report: it has no checks",
	} {
		o := newOpsServer(t, 200, answer)
		if code, stdout, stderr := cli(t, sampleToken, o.args()...); code != exitFailed || stdout != "" || stderr != "gatehouse: "+want+"\n" {
			t.Errorf("%s: exit code %d, %q %q", answer, code, stdout, stderr)
		}
	}
	o := newOpsServer(t, 200, "")
	code, _, stderr := cli(t, sampleToken, "verify", "--ops", "http://127.0.0.1:1", "--token-file", o.tokenFile)
	if code != exitFailed || !strings.HasPrefix(stderr, "gatehouse: asking http://127.0.0.1:1/explain: dial tcp 127.0.0.1:1: ") {
		t.Errorf("nobody there: exit code %d, %q", code, stderr)
	}
}

// TestVerifyUsage guards that each way to call it wrongly is told, and that the token is read from nowhere but standard input.
func TestVerifyUsage(t *testing.T) {
	o := newOpsServer(t, 200, asJSON(t, accepted))
	empty := filepath.Join(t.TempDir(), "empty")
	write(t, empty, "\n")
	const usage = "\nRun 'gatehouse verify --help' for usage.\n"
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		want        string
	}{
		{"an argument", "a.b.c", o.args("token"), exitUsage, "verify takes no arguments beside its flags: the token comes on standard input" + usage},
		{"no token file", "a.b.c", []string{"verify", "--ops", o.url}, exitUsage, "--ops needs --token-file: a file with the value of key token of Secret gatehouse-<server>-ops" + usage},
		{"an empty token file", "a.b.c", []string{"verify", "--ops", o.url, "--token-file", empty}, exitUsage, "--token-file: " + empty + " is empty or longer than 4096 bytes\n"},
		{"no URL", "a.b.c", []string{"verify", "--ops", "127.0.0.1:9090", "--token-file", o.tokenFile}, exitUsage, "--ops is no URL: want an address such as http://127.0.0.1:9090" + usage},
		{"no host", "a.b.c", []string{"verify", "--ops", "http://", "--token-file", o.tokenFile}, exitUsage, "--ops must begin with http:// or https:// and name a host: want an address such as http://127.0.0.1:9090" + usage},
		{"another scheme", "a.b.c", []string{"verify", "--ops", "unix://x", "--token-file", o.tokenFile}, exitUsage, "--ops must begin with http:// or https:// and name a host: want an address such as http://127.0.0.1:9090" + usage},
		{"a password", "a.b.c", []string{"verify", "--ops", "http://u:p@x", "--token-file", o.tokenFile}, exitUsage, "--ops must have neither user, query nor fragment: want an address such as http://127.0.0.1:9090" + usage},
		{"an empty tenant", "a.b.c", o.args("--tenant", ""), exitUsage, "--tenant is empty: name the tenant, or leave the flag out to ask the default policy" + usage},
		{"another format", "a.b.c", o.args("-o", "yaml"), exitUsage, `-o is "yaml": want text or json` + usage},
		{"no token", "", o.args(), exitUsage, "standard input is empty: pipe the token in" + usage},
		{"an empty line", "\n", o.args(), exitUsage, "standard input is empty: pipe the token in" + usage},
		{"a header", "Bearer " + sampleToken, o.args(), exitUsage, "standard input begins like an Authorization header: pipe in the token alone, without \"Bearer\"" + usage},
		{"a longer header", "authorization: bearer " + sampleToken, o.args(), exitUsage, "standard input begins like an Authorization header: pipe in the token alone, without \"Bearer\"" + usage},
		{"too much", strings.Repeat("x", maxToken+1), o.args(), exitFailed, "standard input has more than 16384 bytes: every policy refuses a token that long\n"},
		{"far too much", strings.Repeat("x", 10*maxToken) + "\n", o.args(), exitFailed, "standard input has more than 16384 bytes: every policy refuses a token that long\n"},
	} {
		if code, stdout, stderr := cli(t, c.stdin, c.args...); code != c.code || stdout != "" || stderr != "gatehouse: "+c.want {
			t.Errorf("%s: exit code %d, %q %q", c.name, code, stdout, stderr)
		}
	}
	if len(o.asked) != 0 {
		t.Errorf("the server was asked %d times", len(o.asked))
	}
}
