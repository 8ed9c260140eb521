// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// TestAMissingPathIsToldOnce guards the log against one line at each look, of which there is one every few seconds.
func TestAMissingPathIsToldOnce(t *testing.T) {
	dir := folder(t, map[string]string{"acme.yaml": tenant("acme"), "secret.yaml": secretDoc})
	acme := filepath.Join(dir, "acme.yaml")
	var log bytes.Buffer
	s, err := newSite(&serveFlags{paths: []string{acme, filepath.Join(dir, "secret.yaml")}}, types.NamespacedName{Namespace: "default", Name: "default"}, nil, logs.New(&log, slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	told := func() int { return strings.Count(log.String(), `"event":"manifests.missing"`) }
	for round := 1; round <= 2; round++ {
		if s.reload(); told() != round-1 {
			t.Fatalf("round %d: told %d times of a path that is there:\n%s", round, told(), &log)
		}
		if err := os.Remove(acme); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			s.reload()
		}
		if told() != round {
			t.Errorf("round %d: told %d times:\n%s", round, told(), &log)
		}
		write(t, acme, tenant("acme"))
	}
}

// TestWhatIsInForceIsToldWhenItChanges guards the line that counts documents: a warning leaves nothing out, a document with two mistakes is one, and a file that is no
// manifest, or says the same as before, is no news.
func TestWhatIsInForceIsToldWhenItChanges(t *testing.T) {
	bearer := header + "kind: IdentityProvider\nmetadata: {name: api}\nspec:\n  type: JWTBearer\n" +
		"  jwtBearer: {keySecretRef: {name: hmac, key: key}, algorithm: HS256, issuer: one, outputSecretName: api-token}\n"
	dir := folder(t, map[string]string{"acme.yaml": tenant("acme"), "secret.yaml": secretDoc, "api.yaml": bearer})
	var log bytes.Buffer
	s, err := newSite(&serveFlags{paths: []string{dir}}, types.NamespacedName{Namespace: "default", Name: "default"}, nil, logs.New(&log, slog.LevelInfo))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	broken := strings.NewReplacer("tenantID: globex", "tenantId: globex", "algorithms: [HS256]", "algorithms: [none]").Replace(tenant("globex"))
	for _, step := range []struct{ what, file, text, want string }{
		{"at first, one with a warning", "acme.yaml", tenant("acme"), `"served":2,"left_out":0}`},
		{"the same again", "acme.yaml", tenant("acme"), ""},
		{"a file of another program", "values.yaml", "a: b\n", ""},
		{"a comment", "acme.yaml", "# ours\n" + tenant("acme"), ""},
		{"a document with two mistakes", "globex.yaml", broken, `"served":2,"left_out":1}`},
		{"one that is no YAML", "initech.yaml", tenant("initech") + "  isuers: [\n", `"served":2,"left_out":2}`},
		{"it is mended", "globex.yaml", tenant("globex"), `"served":3,"left_out":1}`},
		{"a change that changes no number", "acme.yaml", strings.Replace(tenant("acme"), "claim: sub", "claim: upn", 1), `"served":3,"left_out":1}`},
	} {
		log.Reset()
		write(t, filepath.Join(dir, step.file), step.text)
		s.reload()
		told := ""
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, `"event":"manifests.applied"`) {
				told += line
			}
		}
		if (told == "") != (step.want == "") || !strings.HasSuffix(strings.TrimSpace(told), step.want) {
			t.Errorf("%s: told %q, want %q", step.what, told, step.want)
		}
	}
}

// TestDataFolderIsTheVolume guards that serve takes its own data folder for what outlives the process, and never a cluster's volume, which is not there: users who
// are added would be lost.
func TestDataFolderIsTheVolume(t *testing.T) {
	onVolume := v1alpha1.Store{Type: v1alpha1.StoreEmbedded, Embedded: &v1alpha1.EmbeddedStore{PersistentVolumeClaim: "logins"}}
	database := v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{}}
	for _, c := range []struct {
		dataDir string
		store   v1alpha1.Store
		want    bool
	}{
		{"", v1alpha1.Store{}, false}, {"", onVolume, false}, {"", database, false},
		{"/data", v1alpha1.Store{}, true}, {"/data", onVolume, true}, {"/data", database, false},
	} {
		o := &v1alpha1.AuthServer{Spec: v1alpha1.AuthServerSpec{Store: c.store}}
		(&site{dataDir: c.dataDir}).adjust(o)
		if (o.Spec.Store.Embedded != nil) != c.want || o.Spec.Store.Type != c.store.Type {
			t.Errorf("--data-dir %q, %+v: %+v", c.dataDir, c.store, o.Spec.Store)
		}
	}
}
