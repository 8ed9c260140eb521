// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/importing"
)

// examples are files as people have them, and the flags that they are imported with.
var examples = []struct {
	kind, file string
	options    []string
}{
	{"dex", "dex.yaml", nil},
	{"jumper", "jumper.env", nil},
	{"jumper", "jumper-carrot.env", []string{"issuer=https://sso.acme.example/realms/main", "external-url=https://auth.acme.example"}},
	{"oauth2-proxy", "oauth2-proxy.cfg", []string{"beside=htpasswd=robot:" + bcrypt10 + "\nold:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"}},
	{"oauth2-proxy", "oauth2-proxy-github.env", []string{"external-url=https://auth.acme.example"}},
	{"oauth2-proxy", "oauth2-proxy-alpha.yaml", nil},
	{"timbr", "timbr.env", []string{"tenant=tenant-5", "tenant=acme"}},
	{"timbr", "timbr-azure.env", nil},
	{"timbr", "timbr-keycloak.env", []string{"tenant=Acme.EU"}},
	{"jumpserver", "jumpserver.json", nil},
	{"jumpserver", "jumpserver-api.json", []string{"namespace=team-a", "name=sso"}},
	{"jumpserver", "jumpserver-config.yml", nil},
	{"jwt-bearer", "jwt-bearer.json", []string{"name=payments", "output-secret=payments-token"}},
	{"jwt-bearer", "jwt-bearer-snake.json", []string{"allowed-callers=tenant == 'acme' && 'ci' in groups"}},
}

const bcrypt10 = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"

// TestExamples guards what is printed for whole files, to the byte, that the linter takes it, and that it is the same each time.
func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.file, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + e.file)
			if err != nil {
				t.Fatal(err)
			}
			options := append([]string{"file=deploy/" + e.file}, e.options...)
			docs, secrets := imported(t, e.kind, string(text), options...)
			golden(t, e.file+".golden", docs)
			if secrets != "" {
				golden(t, e.file+".secrets.golden", secrets)
			}
			again, _ := imported(t, e.kind, string(text), options...)
			if again != docs {
				t.Error("a second import differs")
			}
			hidden(t, docs, secrets)
		})
	}
}

// hidden demands that no line of a Secret's values, and no value of a setting with a telling name, is in the manifests.
func hidden(t *testing.T, docs, secrets string) {
	t.Helper()
	_, data, _ := strings.Cut(secrets, "stringData:\n")
	for _, line := range strings.Split(data, "\n") {
		_, value, found := strings.Cut(line, ": ")
		if !found {
			value = line
		}
		if value = strings.Trim(strings.TrimSpace(value), `'"`); len(value) > 7 && !strings.Contains(value, "-----") && strings.HasPrefix(line, "  ") && strings.Contains(docs, value) {
			t.Errorf("the manifests hold %q", value)
		}
	}
	for _, word := range []string{"dj4ng0", "p@ss", "never-print-this", "too-short", "B3f2w8", "7Q11Vz", "weakPassword", "bm90LWEt", "redis-pass", "ldap-bind", "wiki-client", "W6ph5Mm5"} {
		if strings.Contains(docs+secrets, word) {
			t.Errorf("the output holds %q of the input", word)
		}
	}
}

// TestSecretsOut guards that the comments name the file of Secrets in place of the commands that make them.
func TestSecretsOut(t *testing.T) {
	r, err := importing.Import("jumper", input("jumper", carrot+"PASSWORD_BASED_AUTHENTICATION=False"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Manifests(importing.Print{SecretsOut: "/run/user/1000/secrets.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if docs := string(out); strings.Contains(docs, "kubectl create secret") || !strings.Contains(docs, "gatehouse lint -f manifests.yaml -f secrets.yaml\n") || strings.Contains(docs, "/run/user") {
		t.Error(docs)
	}
}
