// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// TestStatusMistakes guards that a mistake names the flag, and what to do.
func TestStatusMistakes(t *testing.T) {
	dir := t.TempDir()
	absent := filepath.Join(dir, "absent")
	write(t, filepath.Join(dir, "config"), kubeconfig("https://127.0.0.1:1"))
	write(t, filepath.Join(dir, "none"), strings.Replace(kubeconfig("https://127.0.0.1:1"), "current-context: lab\n", "", 1))
	write(t, filepath.Join(dir, "broken"), "apiVersion: [")
	cases := []struct {
		name, args, want string
	}{
		{"output", "-o wide", `-o is "wide": want text, json or yaml`},
		{"colour", "--color maybe", `--color is "maybe": want auto, always or never`},
		{"namespaces", "-A -n x", "--all-namespaces and --namespace exclude each other"},
		{"kind", "pod/x", `"pod" is no kind of Gatehouse's: want as (AuthServer), idp (IdentityProvider) or tjp (TenantJWTPolicy)`},
		{"file", "--kubeconfig " + absent, "--kubeconfig: " + absent + " does not exist"},
		{"broken file", "--kubeconfig " + filepath.Join(dir, "broken"), "reading the kubeconfig: "},
		{"no kubeconfig", "", "there is no cluster to ask: no kubeconfig at " + absent + "; name one with --kubeconfig FILE or the environment variable KUBECONFIG"},
		{"context", "--kubeconfig " + filepath.Join(dir, "config") + " --context prod", `--context: the kubeconfig has no context "prod"; choose one with --context: lab, other`},
		{"no context", "--kubeconfig " + filepath.Join(dir, "none"), "the kubeconfig names no current context; choose one with --context: lab, other"},
		{"unreachable", "--kubeconfig " + filepath.Join(dir, "config"), "the API server at https://127.0.0.1:1 (context lab) cannot be reached: "},
		{"unreachable, watched", "--watch --kubeconfig " + filepath.Join(dir, "config"), "the API server at https://127.0.0.1:1 (context lab) cannot be reached: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", absent)
			code, out, errs := cli(t, "", append([]string{"status"}, strings.Fields(c.args)...)...)
			if code != exitUsage || out != "" || !strings.Contains(errs, c.want) {
				t.Errorf("exit code %d, output %q, errors %q; want 2 and %q", code, out, errs, c.want)
			}
		})
	}
}

// TestStatusRefusals guards what an API server's refusal is told as.
func TestStatusRefusals(t *testing.T) {
	cases := []struct {
		name, args, body, want string
		status                 int
	}{
		{"no CRDs", "", "404 page not found", " does not know ", 404},
		{"unauthorized", "", `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}`, " takes these credentials for nobody's: they may have expired; log in to the cluster again", 401},
		{"forbidden", "-n team-a", `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`,
			"you may not list authservers.auth.gatehouse.dev, identityproviders.auth.gatehouse.dev, tenantjwtpolicies.auth.gatehouse.dev in namespace team-a: ask for a RoleBinding there to ClusterRole gatehouse-view, ", 403},
		{"forbidden everywhere", "-A", `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`, " in all namespaces: ask for a ClusterRoleBinding to ClusterRole gatehouse-view (verbs get, list and watch), or name a namespace with -n", 403},
		{"not Kubernetes", "", "<html>", "asking the API server at ", 200},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", map[bool]string{true: "application/json", false: "text/html"}[strings.HasPrefix(c.body, "{")])
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer api.Close()
			path := filepath.Join(t.TempDir(), "config")
			write(t, path, kubeconfig(api.URL))
			code, out, errs := cli(t, "", append([]string{"status", "--kubeconfig", path}, strings.Fields(c.args)...)...)
			if code != exitUsage || out != "" || !strings.Contains(errs, c.want) {
				t.Errorf("exit code %d, output %q, errors %q; want 2 and %q", code, out, errs, c.want)
			}
		})
	}
}

// kubeconfig has two contexts of one cluster.
func kubeconfig(server string) string {
	return `apiVersion: v1
kind: Config
current-context: lab
clusters:
- {name: lab, cluster: {server: "` + server + `"}}
users:
- {name: lab, user: {}}
contexts:
- {name: lab, context: {cluster: lab, user: lab}}
- {name: other, context: {cluster: lab, user: lab, namespace: elsewhere}}
`
}

// TestUnicodeLocale guards that a locale that is not of UTF-8 gets a tree that its terminals can draw.
func TestUnicodeLocale(t *testing.T) {
	for locale, want := range map[string]bool{
		"": true, "LANG=C.UTF-8": true, "LANG=de_DE.utf8": true, "LANG=C": true, "LANG=de_DE.ISO-8859-1": false,
		"LC_ALL=ja_JP.eucJP LANG=C.UTF-8": false, "LC_CTYPE=en_US.UTF-8@x LANG=de_DE.ISO-8859-1": true,
	} {
		environment := map[string]string{}
		for assignment := range strings.FieldsSeq(locale) {
			name, value, _ := strings.Cut(assignment, "=")
			environment[name] = value
		}
		if got := unicodeLocale(func(name string) string { return environment[name] }); got != want {
			t.Errorf("%q: %v, want %v", locale, got, want)
		}
	}
}
