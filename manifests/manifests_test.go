// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

const policyText = `apiVersion: auth.gatehouse.dev/v1alpha1
kind: TenantJWTPolicy
metadata: {name: acme}
spec:
  tenantID: acme
  issuers: [{issuer: a, jwksURI: "https://a.example/keys"}]
`

func newLoader(t testing.TB) *Loader {
	t.Helper()
	l, err := NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func parse(l *Loader, text string) *Set { return l.Parse(Sources{{"a.yaml", []byte(text)}}) }

// TestDefaults guards that objects get the schema's defaults, as an API server would store them, and the implied AuthServer too.
func TestDefaults(t *testing.T) {
	l := newLoader(t)
	s := parse(l, policyText)
	if len(s.Findings) != 0 || len(s.policies) != 1 {
		t.Fatal(s.Findings)
	}
	p := s.policies[0]
	if p.Namespace != "default" || p.Spec.Leeway != "30s" || p.Spec.AuthServerRef.Name != "default" || len(p.Spec.TokenTypes) != 3 || p.Spec.Algorithms[0] != "RS256" {
		t.Errorf("%+v", p)
	}
	server, err := s.Server(l, types.NamespacedName{Namespace: "default", Name: "default"})
	if err != nil || server == nil || server.Spec.Tokens.AccessTokenLifetime != "15m" || server.Spec.Store.Type != v1alpha1.StoreEmbedded || *server.Spec.Replicas != 1 {
		t.Errorf("implied: %+v, %v", server, err)
	}
	if other, err := s.Server(l, types.NamespacedName{Namespace: "team", Name: "default"}); other != nil || err != nil {
		t.Error("an AuthServer is implied in a namespace where no object names it")
	}
}

// TestServerIsNotImpliedForAnother guards that a policy of another namespace does not bring an AuthServer into being, as the
// operator creates none there.
func TestServerIsNotImpliedForAnother(t *testing.T) {
	l := newLoader(t)
	s := parse(l, strings.Replace(policyText, "spec:\n", "spec:\n  authServerRef: {namespace: elsewhere}\n", 1))
	if server, err := s.Server(l, types.NamespacedName{Namespace: "elsewhere", Name: "default"}); server != nil || err != nil {
		t.Errorf("%+v, %v", server, err)
	}
}

// TestSplit guards document boundaries and the lines of each.
func TestSplit(t *testing.T) {
	text := "\xef\xbb\xbfa: 1\r\n--- # two\r\nb: 2\n---\n---\n--- {c: 3}\nd: |\n  ---\n"
	var got []string
	for _, c := range split(source{"f", []byte(text)}) {
		if documents, problem := c.parse(); problem != nil || documents != nil {
			t.Errorf("line %d: %v %v", c.line, documents, problem)
		}
		got = append(got, strings.TrimSpace(string(c.text)))
	}
	want := []string{"a: 1", "# two\r\nb: 2", "", "", "{c: 3}\nd: |\n  ---"}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %q", got)
	}
}

// TestLineOf guards the lines of findings, through aliases, lists and maps, and for what is not there.
func TestLineOf(t *testing.T) {
	documents, problem := chunk{"f", 10, []byte("apiVersion: auth.gatehouse.dev/v1\nkind: X\nmetadata:\n  labels: &l\n    a.b/c: x\nspec:\n  list:\n  - one: 1\n  - two: 2\n  alias: *l\n")}.parse()
	if problem != nil || len(documents) != 1 {
		t.Fatal(problem)
	}
	for path, want := range map[string]int{
		"": 10, "kind": 11, "spec": 15, "spec.list": 16, "spec.list[1]": 18, "spec.list[1].two": 18, "spec.list[7].x": 16,
		"spec.none.deeper": 15, "metadata.labels[a.b/c]": 14, "spec.alias.x": 19,
	} {
		if got := documents[0].lineOf(path); got != want {
			t.Errorf("%s: line %d, want %d", path, got, want)
		}
	}
}

// TestSuggest guards the hints at mistyped names.
func TestSuggest(t *testing.T) {
	known := []string{"issuers", "audiences", "algorithms", "tenantID"}
	for name, want := range map[string]string{
		"isuers": ": did you mean issuers?", "tenantId": ": did you mean tenantID?", "tenantDI": ": did you mean tenantID?", "algorithm": ": did you mean algorithms?",
		"x": ": the fields here are algorithms, audiences, issuers, tenantID",
	} {
		if got := suggest(name, known); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestHints guards the fixes of what an API server only tells the type of.
func TestHints(t *testing.T) {
	const provider = `apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: a, namespace: default}
spec:
  type: OIDC
  claimMappings: {username: login}
  oidc: {issuer: https://idp.example, clientID: 12, pkce: Off, scopes: openid email, jwksEndpoint: [x]}
`
	s := parse(newLoader(t), provider)
	told := map[string]string{}
	for _, f := range s.Findings {
		if before, hint, ok := strings.Cut(f.Message, " in body must be of type "); ok {
			told[before[strings.LastIndex(before, ".")+1:]] = hint
		}
	}
	want := map[string]string{
		"username":     `object: "string": write {claim: NAME}, or {expression: CEL}`,
		"clientID":     `string: "integer": put it in quotes`,
		"pkce":         `string: "boolean": put it in quotes (YAML reads words such as Off, On, yes and no as true or false)`,
		"scopes":       `array: "string": write a list, as in [one, two]`,
		"jwksEndpoint": `string: "array"`,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestFiles guards which files of a folder are read.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.json", "deep/er/c.yml", "kustomization.yaml", "kustomization.yml", ".x.yaml", ".git/d.yaml", "e.txt", "..2026/f.yaml"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(policyText), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"f.yaml": "..2026/f.yaml", "loop": ".", "gone.yaml": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.json", "b.yaml", "deep/er/c.yml", "f.yaml", "gone.yaml"}
	for i := range want {
		want[i] = filepath.Join(dir, want[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got, err := Files(filepath.Join(dir, "kustomization.yaml")); err != nil || len(got) != 1 {
		t.Errorf("a file that is named is read whatever its name: %v, %v", got, err)
	}
}

// TestSecretsHoldTheirValuesBack guards findings about Secrets.
func TestSecretsHoldTheirValuesBack(t *testing.T) {
	l := newLoader(t)
	for _, text := range []string{
		"data: {a: hunter2!}", "data: hunter2", "data: [hunter2]", "stringData: {a: {hunter2: b}}", "stringData: {a: *hunter2}", "stringData:\n  a: \"\\hunter2\"",
		"stringData:\n  a: 'hunter2\n", "stringData:\n  a: b\n hunter2\n",
	} {
		s := parse(l, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"+text+"\n")
		if len(s.Findings) == 0 {
			t.Errorf("%q: no finding", text)
		}
		for _, f := range s.Findings {
			if strings.Contains(f.String(), "hunter2") {
				t.Errorf("%q: %s", text, f)
			}
		}
	}
}

// TestConfigMaps guards pictures, which kubectl puts into binaryData.
func TestConfigMaps(t *testing.T) {
	l := newLoader(t)
	ref := render.Ref{Kind: v1alpha1.BundleConfigMap, Namespace: "default", Name: "c"}
	for _, c := range []struct {
		text string
		want map[string][]byte
		told string
	}{
		{"data: {a: b}\nbinaryData: {c.png: iVBORw==}", map[string][]byte{"a": []byte("b"), "c.png": []byte("\x89PNG")}, ""},
		{"binaryData: {c.png: 'no base64'}", nil, "binaryData.c.png is not base64"},
		{"data: {a: b}\nbinaryData: {a: iVBORw==}", nil, "binaryData.a is in data too: keep one"},
		{"binaryData: [a]", nil, "binaryData: the content is not a mapping of strings"},
	} {
		s := parse(l, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"+c.text+"\n")
		told := ""
		for _, f := range s.Findings {
			told += f.Message
		}
		if diff := cmp.Diff(c.want, s.refs[ref].Data); diff != "" || told != c.told {
			t.Errorf("%q: %s\n-want +got:\n%s", c.text, told, diff)
		}
	}
}

// FuzzParse guards that no text makes a load panic, and that whatever it lets through can be rendered.
func FuzzParse(f *testing.F) {
	l := newLoader(f)
	f.Add([]byte(policyText))
	f.Add([]byte("apiVersion: v1\nkind: List\nitems: [&a {kind: Secret}, *a, 1, null]\n---\n--- x\n"))
	f.Add([]byte(strings.Replace(policyText, "{name: acme}", "{name: acme, labels: {a: [1]}, ownerReferences: 7}", 1)))
	f.Add([]byte("apiVersion: auth.gatehouse.dev/v1alpha1\nkind: AuthServer\nmetadata:\nspec: null\nstatus: 1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := l.Parse(Sources{{"a.yaml", text}})
		for _, server := range s.Servers() {
			out, err := s.Render(l, server, RenderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range s.Tell(out, false) {
				if finding.Line < 1 || strings.Contains(finding.String(), "\n") {
					t.Errorf("%+v", finding)
				}
			}
		}
	})
}
