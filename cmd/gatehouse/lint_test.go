// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// provider is a Password provider on line 1, with users in the Secret "users".
const provider = header + `kind: IdentityProvider
metadata: {name: staff}
spec:
  type: Password
  password:
    usersSecretRef: {name: users, key: users.yaml}
`

// usersDoc is a Secret with a list of users.
func usersDoc(list string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata: {name: users}\nstringData:\n  users.yaml: |\n    " + strings.ReplaceAll(list, "\n", "\n    ") + "\n"
}

const remote = "\n  issuers: [{issuer: a, jwksURI: 'https://a.example/keys'}]\n"

// TestLint guards what users read about each kind of mistake, whole. Each case is one file; "FILE" stands for its name.
func TestLint(t *testing.T) {
	policy := header + "kind: TenantJWTPolicy\nmetadata: {name: acme}\nspec:\n  tenantID: acme"
	cases := []struct {
		name, text string
		code       int
		want       []string
	}{
		{"all is well", docs(tenant("acme"), secretDoc), 0, nil},
		{"other kinds and empty documents", docs("# only a comment\n", "apiVersion: apps/v1\nkind: Deployment\nx: {}\nx: {}\n", "just text\n", tenant("acme"), secretDoc), 0, nil},
		{"a kind of another project", docs("apiVersion: sso.example/v1\nkind: IdentityProvider\nmetadata: {name: x}\n", tenant("acme"), secretDoc), 0, nil},
		{"unknown field", policy + "\n  isuers: []" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: unknown field "spec.isuers": did you mean issuers?`}},
		{"unknown field below a list", policy + "\n  issuers:\n  - issuer: a\n    jwksURL: https://a.example\n", 1, []string{
			`FILE:7: TenantJWTPolicy/acme: spec.issuers[0]: Invalid value: set jwksURI, discoveryURL or keys: this issuer is no https URL at which its keys could be discovered`,
			`FILE:8: TenantJWTPolicy/acme: unknown field "spec.issuers[0].jwksURL": did you mean jwksURI?`}},
		{"unknown field of the metadata", strings.Replace(policy, "{name: acme}", "{name: acme, lables: {}}", 1) + remote, 1, []string{
			`FILE:3: TenantJWTPolicy/acme: unknown field "metadata.lables"`}},
		{"unknown field far from any", policy + "\n  quux: 1" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: unknown field "spec.quux": the fields here are acceptIssuedTokens, algorithms, audienceMatchPolicy, audiences, authServerRef, azure, caBundleRef, claimMappings, claimValidationRules, decryption, default, examples, issuers, jwks, leeway, maxTokenAge, profile, requiredNonce, tenantID, tokenExchange, tokenTypes, upstreamCredential`}},
		{"a syntax error in one of several", docs(tenant("acme"), policy+"\n  issuers: [\n", secretDoc), 1, []string{
			`FILE:18: TenantJWTPolicy/acme: the document is not valid YAML and is left out: did not find expected node content`}},
		{"a tab", policy + "\n\tissuers: []\n", 1, []string{
			`FILE:5: TenantJWTPolicy/acme: the document is not valid YAML and is left out: found a tab character that violates indentation`}},
		{"a field twice", policy + "\n  tenantID: b" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: the document is not valid YAML and is left out: key "tenantID" already set in map`}},
		{"wrong type", policy + "\n  audiences: one" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: spec.audiences: Invalid value: "string": spec.audiences in body must be of type array: "string": write a list, as in [one, two]`}},
		{"value outside an enumeration", policy + "\n  algorithms: [none]" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: spec.algorithms[0]: Unsupported value: "none": supported values: "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"`}},
		{"a rule", policy + "\n  leeway: 11m" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: spec.leeway: Invalid value: "11m": leeway must be at most 10m`}},
		{"missing required field", header + "kind: TenantJWTPolicy\nmetadata: {name: acme}\nspec: {}\n", 1, []string{
			`FILE:4: TenantJWTPolicy/acme: spec.tenantID: Required value`}},
		{"no name", header + "kind: TenantJWTPolicy\nspec: {tenantID: a}\n", 1, []string{
			`FILE:1: TenantJWTPolicy/: metadata.name is missing`}},
		{"a name that YAML takes for a truth value", strings.Replace(policy, "acme", "off", 1) + remote, 1, []string{
			`FILE:3: TenantJWTPolicy/: metadata.name must be a string: put it in quotes (YAML reads words such as on, off, yes and no as true or false)`}},
		{"no apiVersion", "kind: TenantJWTPolicy\nmetadata: {name: acme}\n", 1, []string{
			`FILE:1: TenantJWTPolicy/acme: apiVersion is missing: set it to auth.gatehouse.dev/v1alpha1`}},
		{"another version", "apiVersion: auth.gatehouse.dev/v2\nkind: AuthServer\nmetadata: {name: a}\n", 1, []string{
			`FILE:1: AuthServer/a: apiVersion "auth.gatehouse.dev/v2" is not known: set it to auth.gatehouse.dev/v1alpha1`}},
		{"a mistyped kind", header + "kind: TenantJWTPolicies\nmetadata: {name: a}\n", 1, []string{
			`FILE:2: TenantJWTPolicies/a: kind "TenantJWTPolicies" is not known in auth.gatehouse.dev/v1alpha1: did you mean TenantJWTPolicy?`}},
		{"the same object twice", docs(tenant("acme"), tenant("acme"), secretDoc), 1, []string{
			`FILE:15: TenantJWTPolicy/acme: FILE:1 has this object already, and this one is left out: delete one of the two, or rename it`}},
		{"missing Secret", tenant("acme"), 0, []string{
			`FILE:9: warning: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: no document has Secret default/hmac: the object is served only where it exists`}},
		{"missing key", docs(tenant("acme"), strings.Replace(secretDoc, "{key:", "{kee:", 1)), 1, []string{
			`FILE:9: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: Secret default/hmac has no key "key": it has kee`}},
		{"wrong Secret type", docs(tenant("acme"), secretDoc+"type: kubernetes.io/service-account-token\n"), 1, []string{
			`FILE:9: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: Secret default/hmac is of type kubernetes.io/service-account-token, which may not be used: the types Opaque, kubernetes.io/tls, kubernetes.io/basic-auth and auth.gatehouse.dev/* may`}},
		{"a Secret with bad base64", docs(tenant("acme"), "apiVersion: v1\nkind: Secret\nmetadata: {name: hmac}\ndata: {key: hunter2!}\n"), 1, []string{
			`FILE:9: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: the document of Secret default/hmac has a mistake and is left out`,
			`FILE:16: Secret/hmac: data.key is not base64: write the value as it is under stringData`}},
		{"a Secret with a number", docs(tenant("acme"), "apiVersion: v1\nkind: Secret\nmetadata: {name: hmac}\nstringData: {key: 12345}\n"), 1, []string{
			`FILE:9: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: the document of Secret default/hmac has a mistake and is left out`,
			`FILE:16: Secret/hmac: stringData.key must be a string: put it in quotes`}},
		{"two policies of one tenant", docs(policy+remote, strings.Replace(policy, "name: acme", "name: b", 1)+remote), 1, []string{
			`FILE:12: TenantJWTPolicy/b: spec.tenantID: "acme" already belongs to TenantJWTPolicy acme: choose another tenantID, or delete one of the two`}},
		{"a 900 KB JWKS in a Secret", docs(policy+"\n  issuers: [{issuer: a, keys: [{secretRef: {name: hmac, key: key}, format: JWKS}]}]\n",
			strings.Replace(secretDoc, hmacSecret, "'"+strings.Repeat("x", 900_000)+"'", 1)), 1, []string{
			`FILE:6: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: key "key" of Secret default/hmac has 900000 bytes, at most 524288 are read: keep only the keys in use (a public key takes less than 1 KiB), or publish the set at a URL and set jwksURI`}},
		{"a 900 KB JWKS inline", policy + "\n  issuers: [{issuer: a, keys: [{jwks: '" + strings.Repeat("x", 900_000) + "'}]}]\n", 1, []string{
			`FILE:6: TenantJWTPolicy/acme: spec.issuers[0].keys[0].jwks: Too long: may not be more than 65536 bytes`}},
		{"a bad hash", docs(provider, usersDoc("- {email: bob@example.com, hash: hunter2}")), 1, []string{
			"FILE:7: IdentityProvider/staff: spec.password.usersSecretRef: key \"users.yaml\" of Secret default/users: entry 0 (line 1) \"bob@example.com\": hash: unusable password hash: " +
				"it is no PHC string (plain text is never accepted): make a new one with `gatehouse hash-password`"}},
		{"a bad AuthServer", docs(header+"kind: AuthServer\nmetadata: {name: default}\nspec:\n  replicas: 3\n", policy+remote), 1, []string{
			`FILE:4: AuthServer/default: spec: Invalid value: several replicas cannot share the Embedded store: set spec.store.type to PostgreSQL, to None (verification only), or spec.replicas to 1`,
			`FILE:10: TenantJWTPolicy/acme: spec.authServerRef: AuthServer default/default has a mistake (FILE:1) and is left out, and so is what names it`}},
		{"no such AuthServer", policy + "\n  authServerRef: {name: edge}" + remote, 1, []string{
			`FILE:6: TenantJWTPolicy/acme: spec.authServerRef: there is no AuthServer default/edge that allows namespace default: create it, correct the reference, or ask its owner for spec.allowedNamespaces`}},
		{"a List", "apiVersion: v1\nkind: List\nitems:\n- apiVersion: auth.gatehouse.dev/v1alpha1\n  kind: TenantJWTPolicy\n  metadata: {name: a}\n  spec: {tenantID: '-'}\n", 1, []string{
			`FILE:7: TenantJWTPolicy/a: spec.tenantID: Invalid value: "-": must have only letters, digits and - . _ and begin and end with a letter or digit, such as acme or team-1.eu`,
			`FILE:7: TenantJWTPolicy/a: spec.tenantID: Invalid value: "-": spec.tenantID in body should match '^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$'`,
			`FILE:7: TenantJWTPolicy/a: spec: Invalid value: no token can pass: add an entry to spec.issuers, set spec.profile to Azure, or set spec.acceptIssuedTokens to true`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(folder(t, map[string]string{"a.yaml": c.text}), "a.yaml")
			code, stdout, stderr := cli(t, "", "lint", "-f", file)
			var got []string
			if stdout != "" {
				got = strings.Split(strings.TrimSuffix(strings.ReplaceAll(stdout, file, "FILE"), "\n"), "\n")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%.4000s", diff)
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d; %s", code, c.code, stderr)
			}
			if strings.Contains(stdout+stderr, "hunter2") {
				t.Error("the output holds a secret")
			}
		})
	}
}

// TestLintRequireRefs guards the flag: a missing Secret fails the check.
func TestLintRequireRefs(t *testing.T) {
	file := filepath.Join(folder(t, map[string]string{"a.yaml": tenant("acme")}), "a.yaml")
	code, stdout, _ := cli(t, "", "lint", "-f", file, "--require-refs")
	want := file + ":9: TenantJWTPolicy/acme: spec.issuers[0].keys[0].secretRef: Secret default/hmac does not exist: create it, or correct the name\n"
	if code != exitFailed || stdout != want {
		t.Errorf("exit code %d, output %s", code, stdout)
	}
}

// TestLintEveryServer guards that objects of every AuthServer are checked, across files and namespaces.
func TestLintEveryServer(t *testing.T) {
	team := func(name, tenant, server string) string {
		return header + "kind: TenantJWTPolicy\nmetadata: {name: " + name + ", namespace: team}\nspec:\n  tenantID: " + tenant + "\n  authServerRef: " + server + remote
	}
	dir := folder(t, map[string]string{
		"one/a.yaml":             docs(team("own", "anything", "{}"), team("foreign", "acme", "{namespace: edge, name: edge}")),
		"two/edge.yml":           header + "kind: AuthServer\nmetadata: {name: edge, namespace: edge}\nspec: {allowedNamespaces: {from: All}}\n",
		".hidden/b.yaml":         "not: [valid",
		"two/.b.yaml":            "not: [valid",
		"two/kustomization.yaml": "not: [valid",
		"two/readme.md":          "not: [valid",
	})
	code, stdout, stderr := cli(t, "", "lint", "-f", dir)
	want := dir + `/one/a.yaml:13: TenantJWTPolicy/foreign: spec.tenantID: "acme" is not a name of namespace team, whose tenant IDs are "team" and "team.<more>"` + "\n"
	if code != exitFailed || stdout != want || stderr != "3 objects, 1 error, 0 warnings\n" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestLintCountsAll guards the summary: documents with a mistake count as those without.
func TestLintCountsAll(t *testing.T) {
	policy := header + "kind: TenantJWTPolicy\nmetadata: {name: b}\nspec:\n  tenantID: b"
	dir := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), secretDoc, policy+"\n  leeway: 11m"+remote, policy+"\n  issuers: [\n",
		header+"kind: TenantJWTPolicies\nmetadata: {name: a}\n", "apiVersion: v1\nkind: Secret\nmetadata: {name: [\n", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n")})
	code, stdout, stderr := cli(t, "", "lint", "-f", dir)
	if code != exitFailed || stderr != "4 objects, 4 errors, 0 warnings\n" {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestLintJSON guards the form for programs, and standard input.
func TestLintJSON(t *testing.T) {
	code, stdout, _ := cli(t, tenant("acme"), "lint", "-f", "-", "-o", "json")
	var got lintResult
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if code != exitFine || got.Objects != 1 || got.Warnings != 1 || got.Errors != 0 || got.Findings[0].File != "<stdin>" ||
		got.Findings[0].Line != 9 || got.Findings[0].Severity != "warning" || got.Findings[0].Object != "TenantJWTPolicy/acme" || got.Findings[0].Namespace != "default" {
		t.Errorf("exit code %d, %+v", code, got)
	}
}

// TestUsage guards exit code 2 and its messages.
func TestUsage(t *testing.T) {
	empty := folder(t, map[string]string{"a.yaml": "# nothing\n"})
	good := folder(t, map[string]string{"a.yaml": docs(tenant("acme"), secretDoc)})
	cases := []struct {
		args []string
		want string
	}{
		{nil, "gatehouse: a command is missing\nRun 'gatehouse --help' for usage.\n"},
		{[]string{"lnit"}, "gatehouse: unknown command \"lnit\" for \"gatehouse\": did you mean lint?\nRun 'gatehouse --help' for usage.\n"},
		{[]string{"lint"}, "gatehouse: -f is required: name a file or folder of manifests, or - for standard input\nRun 'gatehouse lint --help' for usage.\n"},
		{[]string{"lint", "-f", "-", "-f", "-"}, "gatehouse: standard input can be read only once: give - once\nRun 'gatehouse lint --help' for usage.\n"},
		{[]string{"lint", "-f", good, "-o", "xml"}, "gatehouse: -o is \"xml\": want text or json\nRun 'gatehouse lint --help' for usage.\n"},
		{[]string{"lint", "-f", "/does/not/exist"}, "gatehouse: reading manifests: stat /does/not/exist: no such file or directory\n"},
		{[]string{"lint", "-f", empty}, "gatehouse: nothing to check: the manifests hold no AuthServer, IdentityProvider or TenantJWTPolicy (apiVersion auth.gatehouse.dev/v1alpha1)\n"},
		{[]string{"render", "-f", good}, "gatehouse: -o is required: name the folder to write to\nRun 'gatehouse render --help' for usage.\n"},
		{[]string{"render", "-f", good, "-o", "out", "--auth-server", "edge"}, "gatehouse: --auth-server is \"edge\": want namespace/name, such as default/default\nRun 'gatehouse render --help' for usage.\n"},
		{[]string{"render", "-f", good, "-o", "out", "--auth-server", "a/b"}, "gatehouse: nothing to serve: no good document is for AuthServer a/b; the manifests are for default/default: choose one with --auth-server\n"},
		{[]string{"render", "-f", empty, "-o", "out"}, "gatehouse: nothing to serve: the manifests hold no AuthServer, IdentityProvider or TenantJWTPolicy (apiVersion auth.gatehouse.dev/v1alpha1)\n"},
		{[]string{"serve", "-f", empty}, "gatehouse: nothing to serve: the manifests hold no AuthServer, IdentityProvider or TenantJWTPolicy (apiVersion auth.gatehouse.dev/v1alpha1)\n"},
		{[]string{"serve", "-f", good, "--listen", "8080"}, "gatehouse: --listen: want host:port or :port: address 8080: missing port in address\nRun 'gatehouse serve --help' for usage.\n"},
		{[]string{"hash-password", "hunter2"}, "gatehouse: hash-password takes no arguments: type the password when asked, or send it on standard input\nRun 'gatehouse hash-password --help' for usage.\n"},
	}
	for _, c := range cases {
		code, stdout, stderr := cli(t, "", c.args...)
		if code != exitUsage || stderr != c.want || stdout != "" {
			t.Errorf("%v: exit code %d\ngot  %s%s\nwant %s", c.args, code, stderr, stdout, c.want)
		}
	}
}
