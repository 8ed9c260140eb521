// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestSamples guards config/samples: each file is valid by itself, its Secrets are there and its examples pass.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("../../config/samples/*.yaml")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		lintSample(t, file)
	}
	credentials, err := filepath.Glob("../../config/samples/credentials/*.yaml")
	if err != nil || len(credentials) < 5 {
		t.Fatalf("%d samples of credentials, %v", len(credentials), err)
	}
	for _, file := range credentials {
		switch filepath.Base(file) {
		case "kustomization.yaml":
		case "upstream.yaml":
			lintSample(t, file, upstreamWarning)
		default:
			lintSample(t, file)
		}
	}
	lintSample(t, "../../config/samples/credentials", upstreamWarning)
	lintSample(t, "../../config/samples/login") // the AuthServer of config/samples/providers
	lintSample(t, "../../config/samples", upstreamWarning)
}

// upstreamWarning is told of each policy with an upstreamCredential.
const upstreamWarning = "warning: TenantJWTPolicy/umbrella: spec.upstreamCredential: whoever reaches the auth server's /verify, /envoy or port 9191"

// lintSample demands that these warnings are told of a sample, a line each, and nothing else.
func lintSample(t *testing.T, path string, warnings ...string) {
	t.Helper()
	code, stdout, stderr := cli(t, "", "lint", "-f", path, "--require-refs")
	if code != exitFine || strings.Count(stdout, "\n") != len(warnings) {
		t.Errorf("%s: exit code %d\n%s%s", path, code, stdout, stderr)
	}
	for _, w := range warnings {
		if !strings.Contains(stdout, w) {
			t.Errorf("%s: no %q in\n%s", path, w, stdout)
		}
	}
}

// TestLintExamples guards that an example that fails ends a pipeline, with what it came to, at its line.
func TestLintExamples(t *testing.T) {
	text := header + `kind: TenantJWTPolicy
metadata: {name: acme}
spec:
  tenantID: acme
  issuers: [{issuer: a, jwksURI: 'https://a.example/keys'}]
  claimMappings: {username: {claim: sub}}
  claimValidationRules:
  - {expression: "claims.plan == 'gold'", message: plan must be gold}
  examples:
  - claims: {iss: a, sub: bob, plan: gold}
    expect: {username: bob}
  - claims: {iss: a, sub: bob, plan: iron}
    expect: {username: bob}
  - claims: {iss: a, sub: bob, plan: gold}
    expect: {rejected: true}
`
	file := filepath.Join(folder(t, map[string]string{"a.yaml": text}), "a.yaml")
	code, stdout, stderr := cli(t, "", "lint", "-f", file)
	want := `FILE:13: TenantJWTPolicy/acme: spec.examples[1]: it is rejected (claim_rule: claimValidationRules[0] does not hold: plan must be gold), and username "bob" is expected
FILE:15: TenantJWTPolicy/acme: spec.examples[2]: it passes, with username "bob", and should be rejected
`
	if got := strings.ReplaceAll(stdout, file, "FILE"); code != exitFailed || got != want {
		t.Errorf("exit code %d %s\ngot  %swant %s", code, stderr, got, want)
	}
}
