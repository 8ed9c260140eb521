// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadEnv guards how .env files are read.
func TestReadEnv(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]string
	}{
		{"plain", "A=1\nB=two words\n", map[string]string{"A": "1", "B": "two words"}},
		{"export and blanks", "export A = 1\n  export\tB=2\nexported=3", map[string]string{"A": "1", "B": "2", "exported": "3"}},
		{"comments", "# A=1\n\nB=2 # two\nC=a#b\nD= # none\nE=#hash\n", map[string]string{"B": "2", "C": "a#b", "D": "", "E": "#hash"}},
		{"single quotes", `A='a # $b \n "c"' # d`, map[string]string{"A": `a # $b \n "c"`}},
		{"double quotes", `A="a\n\tb \"c\" \\ \$d \x # e"`, map[string]string{"A": "a\n\tb \"c\" \\ $d \\x # e"}},
		{"several lines", "A=\"one\ntwo\"\nB='three\n\nfour'\nC=5", map[string]string{"A": "one\ntwo", "B": "three\n\nfour", "C": "5"}},
		{"CRLF", "A=1\r\nB=\"x\r\ny\"\r\n", map[string]string{"A": "1", "B": "x\ny"}},
		{"equal signs", "A=b=c==\n", map[string]string{"A": "b=c=="}},
		{"quotes within", `A=it's "so"`, map[string]string{"A": `it's "so"`}},
		{"twice", "A=1\nA=2\n", map[string]string{"A": "2"}},
		{"no line break at the end", "A=", map[string]string{"A": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := ReadEnv(Input{File: "x.env", Data: []byte(c.text)})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, key := range s.Keys() {
				got[key] = s.byKey[key].Value.Text
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestReadEnvLines guards that a setting and a mistake have the line where they begin, also behind values of several lines.
func TestReadEnvLines(t *testing.T) {
	s, err := ReadEnv(Input{File: "x.env", Data: []byte("\n# c\nA=\"1\n2\n3\"\nB=4\n")})
	if err != nil || s.Line("A") != 3 || s.Line("B") != 6 {
		t.Errorf("A at %d, B at %d: %v", s.Line("A"), s.Line("B"), err)
	}
	for text, want := range map[string]string{
		"A=1\nsecret-word\nB=2\n9C=secret-word\n": "x.env:2: want NAME=VALUE, with a name of letters, digits and _; a value of several lines goes in double quotes\n" +
			"x.env:4: want NAME=VALUE, with a name of letters, digits and _; a value of several lines goes in double quotes",
		"A=1\nB=\"secret-word\nC=2\n":                "x.env:2: B: the value begins with a quote that nothing closes",
		"A='secret-word'more\nB=1":                   `x.env:1: A: there is something behind the closing quote: a quote inside the value is written \" in double quotes`,
		"K=-----BEGIN PRIVATE KEY-----\nsecret-word": "x.env:2: want NAME=VALUE, with a name of letters, digits and _; a value of several lines goes in double quotes",
	} {
		_, err := ReadEnv(Input{File: "x.env", Data: []byte(text)})
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err = ReadEnv(Input{File: "x.env", Data: []byte(strings.Repeat("word\n", 1000))})
	if got := strings.Count(err.Error(), "\n"); got != maxMistakes || !strings.Contains(err.Error(), "and 990 more such lines") {
		t.Errorf("%d lines: %v", got, err)
	}
}

// TestHostileFiles guards that what is no file of settings ends in one clear line, for every reader.
func TestHostileFiles(t *testing.T) {
	deep := func(open, end string) string { return strings.Repeat(open, 5000) + strings.Repeat(end, 5000) }
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for _, c := range "bcdefghi" {
		bomb += string(c) + ": &" + string(c) + " [*" + string(c-1) + ", *" + string(c-1) + ", *" + string(c-1) + ", *" + string(c-1) + "]\n"
	}
	for _, c := range []struct{ name, file, text, want string }{
		{"10 MiB", "x.env", strings.Repeat("A=secret-word\n", 10<<20/14), "x.env: it has more than 1 MiB"},
		{"nothing", "x.env", "\n \r\n", "x.env: it is empty"},
		{"only a mark", "x.env", "\xef\xbb\xbf", "x.env: it is empty"},
		{"NUL", "x.env", "A=1\nB=secret-word\x00\n", "x.env:2: a NUL byte"},
		{"invalid UTF-8", "x.env", "A=1\n\nB=secret-word\xff\n", "x.env:3: bytes that are not UTF-8"},
		{"UTF-16", "x.env", "\xff\xfeA\x00=\x00", "x.env:1: it is UTF-16"},
		{"deep JSON", "x.json", `{"a": ` + deep("[", "]") + "}", "x.json:1: it is nested too deep"},
		{"deep JSON objects", "x.json", strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "x.json:1: it is nested too deep"},
		{"deep YAML", "x.yaml", "a: " + deep("[", "]"), "x.yaml:1: it is nested too deep"},
		{"too deep for the YAML parser", "x.yaml", "a: " + strings.Repeat("[", 20000), "x.yaml"},
		{"a bomb of aliases", "x.yaml", bomb, "x.yaml:1: anchors and aliases are not read"},
		{"an alias of itself", "x.yaml", "a: &a [*a]", "x.yaml:1: anchors and aliases are not read"},
		{"a merge", "x.yaml", "b: {<<: {c: 1}}", "x.yaml:1: a name that is no plain text"},
		{"a tag", "x.yaml", "a: !!binary c2VjcmV0LXdvcmQ=", "x.yaml:1: tags are not read"},
		{"two documents", "x.yaml", "a: 1\n---\nb: 2", "x.yaml:2: there is a second document"},
		{"a name twice in YAML", "x.yaml", "a: 1\na: secret-word", "x.yaml:2: a name is there twice"},
		{"no YAML", "x.yaml", "a: 'secret-word\n", "x.yaml:"},
		{"an alias of nothing", "x.yaml", "a: *secret-word", "x.yaml: it is not valid YAML"},
		{"a tab", "x.yaml", "a:\n\t- secret-word", "x.yaml:2: it is not valid YAML"},
		{"a name twice in JSON", "x.json", "{\"a\": 1,\n\"a\": \"secret-word\"}", "a name is there twice"},
		{"JSON that ends", "x.json", "{\"a\": 1,\n", "it ends too early"},
		{"two JSON values", "x.json", `{"a": 1} {"b": 2}`, "there is something behind the value's end"},
		{"half a surrogate", "x.json", `{"a": "\ud800"}`, "it is not valid JSON"},
		{"no JSON", "x.json", `{"a": secret-word}`, "x.json:1: it is not valid JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Import("jumpserver", Input{File: c.file, Data: []byte(c.text), Namespace: "default"})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), "secret-word") || len(err.Error()) > 400 {
				t.Errorf("the message repeats the file: %.400s", err)
			}
		})
	}
}

// TestLooksSecret guards which names are taken for those of secrets.
func TestLooksSecret(t *testing.T) {
	for _, name := range []string{"SECRET_KEY", "DB_PASSWORD", "dbPassword", "API_KEY", "apikey", "BOOTSTRAP_TOKEN", "access_token", "JWT_ACME_KEY", "AWS_SECRET_ACCESS_KEY", "key", "DB_PASS", "DATABASE_DSN", "private"} {
		if !LooksSecret(name) {
			t.Errorf("%s does not", name)
		}
	}
	for _, name := range []string{"JWT_TYPE", "TOKEN_URL", "OIDC_OP_TOKEN_ENDPOINT", "JWT_ACCESS_TOKEN_LIFETIME", "AUTH_OAUTH2_CLIENT_ID", "KEYCLOAK_HOST", "monkey", "ACCESS_TOKEN_METHOD", "p"} {
		if LooksSecret(name) {
			t.Errorf("%s does", name)
		}
	}
}

// TestOtherKinds guards that each example is known for its own kind alone, so that a file of another system is told as such.
func TestOtherKinds(t *testing.T) {
	files, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for kind := range Importers {
			own := strings.HasPrefix(filepath.Base(file), kind+"-") || strings.HasPrefix(filepath.Base(file), kind+".")
			if got := anotherKind(kind, text); own && got != "" || !own && !strings.HasPrefix(filepath.Base(file), got) || !own && got == "" {
				t.Errorf("%s for %s: %q", file, kind, got)
			}
			if own {
				continue
			}
			if r, err := Import(kind, Input{File: filepath.Base(file), Data: text, Namespace: "default"}); err == nil || !strings.Contains(err.Error(), "it looks like one for `gatehouse import ") {
				t.Errorf("%s as %s: %v, %v", file, kind, r, err)
			}
		}
	}
}
