// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// phc is a hash of "secret-pass".
const phc = "$argon2id$v=19$m=19456,t=2,p=1$iaKSWhWnQ4valDejob24WA$xXBot0lUDx5YAD/qXKX9/3f4KtFx6FddKSVvOd+af/0"

// hmacSecret is 32 bytes.
const hmacSecret = "0123456789abcdef0123456789abcdef"

const header = "apiVersion: auth.gatehouse.dev/v1alpha1\n"

// tenant is a good policy with an HS256 key in the Secret of secretDoc.
func tenant(name string) string {
	return header + "kind: TenantJWTPolicy\nmetadata: {name: " + name + "}\nspec:\n  tenantID: " + name + `
  algorithms: [HS256]
  issuers:
  - keys:
    - secretRef: {name: hmac, key: key}
      format: Symmetric
  claimMappings: {username: {claim: sub}}
`
}

const secretDoc = "apiVersion: v1\nkind: Secret\nmetadata: {name: hmac}\nstringData: {key: " + hmacSecret + "}\n"

// cli runs the command line and returns its exit code and outputs.
func cli(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// folder writes files into a new folder and returns it.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// docs joins documents into one file.
func docs(d ...string) string { return strings.Join(d, "---\n") }
