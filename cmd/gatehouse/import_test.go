// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// carrot is a .env file of Jumper's with a secret.
const carrot = `OIDC_AUTHENTICATION=True
OIDC_RP_CLIENT_ID=your-client-id
OIDC_RP_CLIENT_SECRET=your-client-secret
OIDC_OP_AUTHORIZATION_ENDPOINT=https://provider.com/oauth2/authorize
OIDC_OP_TOKEN_ENDPOINT=https://provider.com/oauth2/token
OIDC_OP_JWKS_ENDPOINT=https://provider.com/.well-known/jwks.json
PASSWORD_BASED_AUTHENTICATION=False
`

// TestImportCodes guards exit codes and where a message goes; nothing is printed with a code other than 0.
func TestImportCodes(t *testing.T) {
	dir := folder(t, map[string]string{"good.env": carrot, "bad.env": "OIDC_AUTHENTICATION=maybe\nOIDC_RP_CLIENT_SECRET='x", "there.yaml": "mine"})
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		stderr      string
	}{
		{"fine", "", []string{"jumper", file("good.env")}, exitFine, "2 objects, 4 comments to read"},
		{"standard input", carrot, []string{"jumper", "-"}, exitFine, "2 objects"},
		{"flags after the file", "", []string{"jumper", file("good.env"), "--issuer", "https://provider.com"}, exitFine, "2 objects"},
		{"a mistake", "", []string{"jumper", file("bad.env")}, exitFailed, "bad.env:2: OIDC_RP_CLIENT_SECRET: the value begins with a quote"},
		{"too long", strings.Repeat("#\n", 10<<20), []string{"jumper", "-"}, exitFailed, "standard input: it has more than 1 MiB"},
		{"no kind", "", nil, exitUsage, "what to import is missing: want one of "},
		{"an unknown kind", "", []string{"keystone", file("good.env")}, exitUsage, `there is no kind "keystone" to import: want one of `},
		{"a kind with a letter too many", "", []string{"timbre", file("good.env")}, exitUsage, `there is no kind "timbre" to import: did you mean timbr?`},
		{"another kind's file", "ENABLE_TOKEN=true\nJWT_DEFAULT_KEY=your-client-secret", []string{"jumper", "-"}, exitFailed, "it looks like one for `gatehouse import timbr`"},
		{"no file", "", []string{"jumper"}, exitUsage, "want one FILE.env"},
		{"two files", "", []string{"jumper", file("good.env"), file("bad.env")}, exitUsage, "want one FILE.env"},
		{"a file that is not there", "", []string{"jumper", file("none.env")}, exitUsage, "no such file"},
		{"a folder", "", []string{"jumper", dir}, exitUsage, "is a directory"},
		{"another kind's flag", "", []string{"jumper", file("good.env"), "--tenant", "x"}, exitUsage, "unknown flag: --tenant"},
		{"a bad flag", "", []string{"jumper", file("good.env"), "--issuer", "provider"}, exitUsage, "--issuer: want an https URL"},
		{"a bad namespace", "", []string{"jumper", file("good.env"), "--namespace", "A"}, exitUsage, "--namespace is"},
		{"secrets over a file", "", []string{"jumper", file("good.env"), "--secrets-out", file("there.yaml")}, exitUsage, "is there already, and is never overwritten"},
		{"secrets into nowhere", "", []string{"jumper", file("good.env"), "--secrets-out", file("none/x.yaml")}, exitFailed, "making the file for secrets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := cli(t, c.stdin, append([]string{"import"}, c.args...)...)
			if code != c.code || !strings.Contains(stderr, c.stderr) {
				t.Errorf("code %d, want %d: %s", code, c.code, stderr)
			}
			if (stdout != "") != (code == exitFine) {
				t.Errorf("standard output with code %d:\n%s", code, stdout)
			}
			if strings.Contains(stdout+stderr, "your-client-secret") {
				t.Errorf("a secret is printed:\n%s%s", stdout, stderr)
			}
		})
	}
	if text, err := os.ReadFile(file("there.yaml")); err != nil || string(text) != "mine" {
		t.Errorf("the file that was there is now %q: %v", text, err)
	}
}

// TestImportSecretsOut guards who can read the file of Secrets, that links do not lead it elsewhere, and that one without secrets is not made.
func TestImportSecretsOut(t *testing.T) {
	dir := folder(t, map[string]string{"good.env": carrot, "none.env": "PASSWORD_BASED_AUTHENTICATION=False"})
	out := filepath.Join(dir, "secrets.yaml")
	code, stdout, stderr := cli(t, "", "import", "jumper", filepath.Join(dir, "good.env"), "--secrets-out", out)
	if code != exitFine || !strings.Contains(stderr, "the Secrets are in "+out) {
		t.Fatalf("code %d: %s", code, stderr)
	}
	info, err := os.Stat(out)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file's mode is %v: %v", info.Mode(), err)
	}
	text, err := os.ReadFile(out)
	if err != nil || !bytes.Contains(text, []byte("clientSecret: your-client-secret\n")) || strings.Contains(stdout, "your-client-secret") {
		t.Errorf("%s\n%v\n%s", text, err, stdout)
	}
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink(filepath.Join(dir, "elsewhere.yaml"), link); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := cli(t, "", "import", "jumper", filepath.Join(dir, "good.env"), "--secrets-out", link); code != exitUsage {
		t.Errorf("through a link: code %d: %s", code, stderr)
	}
	none := filepath.Join(dir, "none.yaml")
	if code, _, stderr := cli(t, "", "import", "jumper", filepath.Join(dir, "none.env"), "--secrets-out", none); code != exitFine || !strings.Contains(stderr, "was not written") {
		t.Errorf("without secrets: code %d: %s", code, stderr)
	}
	for _, path := range []string{none, filepath.Join(dir, "elsewhere.yaml")} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s was made: %v", path, err)
		}
	}
}

// TestImportHelp guards that each kind says how it is used.
func TestImportHelp(t *testing.T) {
	code, stdout, _ := cli(t, "", "import", "--help")
	if code != exitFine {
		t.Fatal(code)
	}
	for _, kind := range []string{"jumper", "jumpserver", "timbr"} {
		if !strings.Contains(stdout, "\n  "+kind) {
			t.Errorf("%s is not listed:\n%s", kind, stdout)
		}
		code, help, _ := cli(t, "", "import", kind, "--help")
		if code != exitFine || !strings.Contains(help, "gatehouse import "+kind+" FILE.") || !strings.Contains(help, "--secrets-out") || !strings.Contains(help, "docs/migrating/"+kind+".md") {
			t.Errorf("%s: %d\n%s", kind, code, help)
		}
	}
}

// importedFolder imports a file into a folder with more documents beside, which the linter has to take with --require-refs.
func importedFolder(t *testing.T, edit func(string) string, beside, text string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	code, stdout, stderr := cli(t, text, append(append([]string{"import"}, args...), "-", "--secrets-out", filepath.Join(dir, "secrets.yaml"))...)
	if code != exitFine {
		t.Fatalf("code %d: %s", code, stderr)
	}
	if edit != nil {
		stdout = edit(stdout)
	}
	write(t, filepath.Join(dir, "manifests.yaml"), stdout)
	write(t, filepath.Join(dir, "beside.yaml"), beside)
	if code, found, stderr := cli(t, "", "lint", "-f", dir, "--require-refs"); code != exitFine {
		t.Fatalf("lint: %d\n%s%s\n%s", code, found, stderr, stdout)
	}
	return dir
}
