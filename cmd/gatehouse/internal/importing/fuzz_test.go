// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"
)

// FuzzReadEnv guards that the reader of .env files ends, gives lines that exist, and reads what is written back in quotes as the same.
func FuzzReadEnv(f *testing.F) {
	seeds(f)
	for _, text := range []string{"A=\"\\", "A='", "export =1", "A==\n=", "A=\"\n\n\"x\nB=1", "\r\nA=1\r", "A=1#2 #3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := readable("x.env", []byte(text))
		if err != nil {
			return
		}
		s, err := ReadEnv(Input{File: "x.env", Data: data})
		lines := strings.Count(text, "\n") + 1
		for _, m := range AsMistakes(err) {
			if m.Line < 0 || m.Line > lines {
				t.Fatalf("a mistake at line %d of %d", m.Line, lines)
			}
		}
		if err != nil {
			return
		}
		var b strings.Builder
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
		for _, one := range s.all {
			if one.Line < 1 || one.Line > lines {
				t.Fatalf("%s is at line %d of %d", one.Key, one.Line, lines)
			}
			b.WriteString("export " + one.Key + "=\"" + quoted.Replace(one.Value.Text) + "\" # comment\n")
		}
		again, err := ReadEnv(Input{File: "x.env", Data: []byte(b.String())})
		if err != nil {
			t.Fatalf("what was written back: %v\n%q", err, b.String())
		}
		for _, one := range s.all {
			want := strings.ReplaceAll(one.Value.Text, "\r\n", "\n")
			if got := again.byKey[one.Key].Value.Text; got != want {
				t.Fatalf("%s is %q, then %q", one.Key, want, got)
			}
		}
	})
}

// marker is in no word of ours.
const marker = "zQ7kX2vR9wJ4"

// FuzzSecretsStayHidden guards that no secret gets into manifests, comments or mistakes: a marker is put into every secret of a file that the fuzzer changes as it likes.
func FuzzSecretsStayHidden(f *testing.F) {
	seeds(f)
	for _, text := range []string{"", "provider = \"oidc\"\nclient_id = \"x\"\noidc_issuer_url = \"https://a.example\"\n", "OAUTH2_PROXY_CLIENT_ID=x\nOAUTH2_PROXY_PROVIDER=login.gov", "providers:", "issuer: https://a.example", "staticPasswords:"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range []struct{ kind, file, hidden string }{
			{"jumper", "x.env", "\nOIDC_RP_CLIENT_SECRET='" + marker + "'\nDB_PASSWORD=" + marker + "\nCARROT_UNKNOWN=" + marker + "\n"},
			{"timbr", "x.env", "\nJWT_DEFAULT_KEY=\"" + marker + "\n\"\nJWT_ACME_KEY=" + marker + "-and-more-and-more-and-more\nTIMBR_UNKNOWN=" + marker + "\n"},
			{"jumpserver", "x.env", "\nAUTH_OAUTH2_CLIENT_SECRET=" + marker + "\nSECRET_KEY=\"" + marker + "\"\nUNKNOWN=" + marker + "\n"},
			{"jumpserver", "x.yaml", "\nAUTH_OAUTH2_CLIENT_SECRET: " + marker + "\nSECRET_KEY: [" + marker + "]\nUNKNOWN: {a: " + marker + "}\n"},
			{"oauth2-proxy", "x.cfg", "\nclient_secret = \"" + marker + "\"\ncookie_secret = \"" + marker + "\"\nredis_connection_url = \"redis://:" + marker + "@r\"\nbasic_auth_password = \"" + marker + "\"\ncarrot = \"" + marker + "\"\n"},
			{"oauth2-proxy", "x.env", "\nOAUTH2_PROXY_CLIENT_SECRET='" + marker + "'\nOAUTH2_PROXY_JWT_KEY=" + marker + "\nOAUTH2_PROXY_GITHUB_TOKEN=" + marker + "\nOAUTH2_PROXY_PROVIDER_DISPLAY_NAME=" + marker + "\n"},
			{"oauth2-proxy", "x.yaml", "\n- provider: oidc\n  clientID: " + marker + "\n  clientSecret: " + marker + "\n  oidcConfig: {issuerURL: https://a.example}\n  carrot: {token: " + marker + "}\n"},
			{"dex", "x.yaml", "\n- email: a@b.example\n  hash: " + marker + "\n- {email: b@b.example, hash: $2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W, name: " + marker + "}\n"},
			{"dex", "y.yaml", "\nconnectors:\n- {type: oidc, id: a, name: " + marker + ", config: {issuer: https://a.example, clientID: a, clientSecret: " + marker + "}}\n- {type: ldap, config: {bindPW: " + marker + ", carrot: " + marker + "}}\nstaticClients:\n- {id: x" + marker + ", secret: " + marker + "}\nstorage: {type: postgres, config: {password: " + marker + ", host: a, user: b}}\n"},
			{"jumper", "x.env", "\nOIDC_OP_TOKEN_ENDPOINT=https://a.example/token?code=" + marker + "\nOIDC_OP_USER_ENDPOINT=https://a.example/me?tenant=a&sig=" + marker + "\n"},
			{"jumper", "x.env", "\nOIDC_OP_TOKEN_ENDPOINT=https://u:" + marker + "@a.example/token\nOIDC_OP_USER_ENDPOINT=https://a.example/me#" + marker + "\n"},
			{"jumpserver", "x.env", "\nAUTH_OAUTH2_ACCESS_TOKEN_ENDPOINT=https://a.example/t?" + marker + "\nAUTH_OAUTH2_LOGO_PATH=https://a.example/l.png?sig=" + marker + "\n"},
			{"jumper", "x.env", "\nOIDC_RP_CLIENT_SECRET=" + marker + "\nOIDC_RP_CLIENT_ID=" + marker + "\nOIDC_PROVIDER_NAME=x" + marker + "\nOIDC_RP_SCOPES=a " + marker + "\nOIDC_OP_TOKEN_ENDPOINT=https://a.example/" + marker + "\n"},
		} {
			check(t, c.kind, c.file, text+c.hidden)
		}
	})
}

func check(t *testing.T, kind, file, text string) {
	r, err := Import(kind, Input{File: file, Data: []byte(text), Namespace: "default"})
	if err != nil {
		if strings.Contains(err.Error(), marker) {
			t.Fatalf("the error holds the secret: %v", err)
		}
		return
	}
	for _, p := range []Print{{}, {SecretsOut: "s.yaml"}} {
		out, err := r.Manifests(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), marker) {
			t.Fatalf("the manifests hold the secret:\n%s", out)
		}
		parses(t, string(out))
	}
	out, err := r.SecretsFile()
	if err != nil {
		t.Fatal(err)
	}
	parses(t, string(out))
	for _, s := range r.Secrets {
		for _, e := range s.Entries {
			if e.Value != "" && !holds(t, string(out), s.Name, e) {
				t.Fatalf("the file of Secrets does not hold %s/%s as it was:\n%s", s.Name, e.Key, out)
			}
		}
	}
}

func parses(t *testing.T, docs string) {
	for _, doc := range strings.Split("\n"+docs, "\n---\n") {
		var v any
		if err := sigsyaml.UnmarshalStrict([]byte(doc), &v); err != nil {
			t.Fatalf("%v:\n%s", err, doc)
		}
	}
}

func holds(t *testing.T, docs, name string, e Entry) bool {
	for _, doc := range strings.Split("\n"+docs, "\n---\n") {
		var v struct {
			Metadata   struct{ Name string }
			StringData map[string]string
		}
		if err := sigsyaml.Unmarshal([]byte(doc), &v); err != nil {
			t.Fatal(err)
		}
		if v.Metadata.Name == name && v.StringData[e.Key] == e.Value {
			return true
		}
	}
	return false
}

// seeds are the examples.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
}
