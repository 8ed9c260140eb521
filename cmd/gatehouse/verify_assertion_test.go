// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestVerifyAssertion guards that manifests tell what the token endpoint would make of an assertion: all that it meets, what the access token says, and the fix.
func TestVerifyAssertion(t *testing.T) {
	acme := tenant("acme") + "  tokenExchange: {enabled: true, scopes: [read, write]}\n"
	dir := folder(t, map[string]string{"acme.yaml": acme, "globex.yaml": tenant("globex"), "secret.yaml": secretDoc})
	now := time.Now()
	of := func(changes jwt.MapClaims) string {
		c := jwt.MapClaims{"iss": "https://idp.example", "sub": "bob", "aud": "http://127.0.0.1:8080/oauth2/token", "jti": "1", "exp": now.Add(5 * time.Minute).Unix()}
		for name, value := range changes {
			c[name] = value
		}
		return signed(t, c)
	}
	for name, c := range map[string]struct {
		token string
		args  []string
		code  int
		want  []string
	}{
		"accepted": {of(nil), []string{"--tenant", "acme", "--assertion"}, exitFine, []string{
			"ok    assertion_audience", "ok    jti", "Accepted for tenant acme", `organization        "acme"`, `scope               "read write"`, `sub                 "bob"`}},
		"scope":         {of(nil), []string{"--tenant", "acme", "--assertion", "--scope", "write x"}, exitFine, []string{`scope               "write"`}},
		"for another":   {of(jwt.MapClaims{"aud": "x"}), []string{"--tenant", "acme", "--assertion"}, exitFailed, []string{"FAIL  assertion_audience", "not_for_this_server (the client sees 400 and what of it is not the policy's)", "Fix: have the issuer set aud"}},
		"not exchanged": {of(nil), []string{"--tenant", "globex", "--assertion"}, exitFailed, []string{"FAIL  exchange", "exchange_off", "spec.tokenExchange.enabled"}},
		"no scope left": {of(nil), []string{"--tenant", "acme", "--assertion", "--scope", "x"}, exitFailed, []string{"FAIL  scope", "scope_not_granted"}},
		"usage":         {of(nil), []string{"--tenant", "acme", "--scope", "x"}, exitUsage, []string{"--scope goes with --assertion"}},
		"as a token":    {of(nil), []string{"--tenant", "acme"}, exitFine, []string{"X-Auth-Request-User"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := cli(t, c.token, append([]string{"verify", "-f", dir}, c.args...)...)
			if code != c.code {
				t.Errorf("exit %d, want %d: %s", code, c.code, stderr)
			}
			for _, want := range c.want {
				if !strings.Contains(stdout+stderr, want) {
					t.Errorf("lacks %q:\n%s%s", want, stdout, stderr)
				}
			}
			if strings.Contains(stdout+stderr, c.token) {
				t.Error("the assertion is printed")
			}
		})
	}
}

// TestVerifyAsksAboutAssertions guards that a running server is asked about an assertion as such, and about a token as before.
func TestVerifyAsksAboutAssertions(t *testing.T) {
	for _, args := range [][]string{nil, {"--assertion"}, {"--assertion", "--scope", "a b"}} {
		o := newOpsServer(t, 200, asJSON(t, accepted))
		if code, _, stderr := cli(t, sampleToken, o.args(args...)...); code != exitFine {
			t.Fatalf("exit %d: %s", code, stderr)
		}
		asked := o.asked[0]
		wantScope := any(nil)
		if len(args) > 1 {
			wantScope = "a b"
		}
		if _, is := asked["assertion"]; is != (len(args) > 0) || asked["scope"] != wantScope {
			t.Errorf("%v asks %v", args, asked)
		}
	}
}
