// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// configz asks the operations handler.
func (l *lab) configz(t testing.TB) configz {
	t.Helper()
	w := httptest.NewRecorder()
	l.opsHandler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/configz", nil))
	var got configz
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return got
}

func (l *lab) readyz(t testing.TB) int {
	t.Helper()
	w := httptest.NewRecorder()
	l.opsHandler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	return w.Code
}

// status of a decision for a tenant, with a token that its policy accepts.
func (l *lab) status(t testing.TB, tenant, token string) int {
	t.Helper()
	return l.send(t, "GET /verify/"+tenant+" HTTP/1.1\r\nHost: x\r\n"+x(token)+"\r\n\r\n").StatusCode
}

// TestLastGood goes through what can happen to files. Each step follows the one before.
func TestLastGood(t *testing.T) {
	c := cast()
	acme, globex := c.acme.sign(t, nil, acmeClaims), c.globex.sign(t, nil, globexClaims)
	own := signOwn(t, nil, ownClaims)
	base := baseOf(nil)
	one := render(t, base, 1, policies(t)...)
	two := render(t, base, 2, policies(t)...)
	none := render(t, baseOf(func(b *config.Base) { b.Store.Type = config.StoreNone }), 1, policies(t)...)
	but := func(files map[string][]byte, changes map[string][]byte) map[string][]byte {
		files = maps.Clone(files)
		maps.Copy(files, changes)
		maps.DeleteFunc(files, func(_ string, data []byte) bool { return data == nil })
		return files
	}
	shard := func(tenant string, count int) string { return config.TenantsFile(count, config.ShardOf(tenant, count)) }
	if shard("acme", 2) == shard("globex", 2) {
		t.Fatal("the test needs tenants of different shards")
	}
	bad := []byte("{")
	all := [3]int{200, 200, 200}

	l := newLab(t, nil)
	if l.readyz(t) != 503 || l.status(t, "acme", acme) != 503 || l.status(t, "acme", "") != 503 {
		t.Error("a server without configuration is ready, or decides")
	}
	for _, step := range []struct {
		name   string
		files  map[string][]byte
		want   [3]int            // of acme, globex and an own token
		errors map[string]string // by file, a part of each
	}{
		{"nothing", nil, [3]int{503, 503, 503}, map[string]string{config.FileBase: "is missing"}},
		{"no base.json", but(one, map[string][]byte{config.FileBase: nil}), [3]int{503, 503, 503}, map[string]string{config.FileBase: "is missing"}},
		{"a bad base.json", but(one, map[string][]byte{config.FileBase: bad}), [3]int{503, 503, 503}, map[string]string{config.FileBase: "parsing base.json"}},
		{"no tenants", but(one, map[string][]byte{shard("acme", 1): nil}), [3]int{503, 503, 503}, map[string]string{"tenants-1-0.json.gz": "is missing"}},
		{"half a set", but(two, map[string][]byte{shard("acme", 2): nil}), [3]int{503, 503, 503}, map[string]string{shard("acme", 2): "is missing"}},
		{"a bad shard of a first set", but(two, map[string][]byte{shard("acme", 2): bad}), [3]int{503, 503, 503}, map[string]string{shard("acme", 2): "decompressing"}},
		{"good", one, all, nil},
		{"the same", one, all, nil},
		{"base.json turns bad", but(one, map[string][]byte{config.FileBase: bad}), all, map[string]string{config.FileBase: "parsing base.json"}},
		{"base.json goes", but(one, map[string][]byte{config.FileBase: nil}), all, map[string]string{config.FileBase: "is missing"}},
		{"base.json of another version", but(one, map[string][]byte{config.FileBase: []byte(strings.Replace(string(one[config.FileBase]), `"version":1`, `"version":2`, 1))}), all,
			map[string]string{config.FileBase: "version is 2"}},
		{"base.json with a CA bundle of nothing", but(one, map[string][]byte{config.FileBase: encoded(t, baseOf(func(b *config.Base) { b.Outbound.CABundle = "x" }))}), all,
			map[string]string{config.FileBase: "outbound.caBundle"}},
		{"keys.json turns bad", but(one, map[string][]byte{config.FileKeys: bad}), all, map[string]string{config.FileKeys: "keys.json"}},
		{"keys.json goes", but(one, map[string][]byte{config.FileKeys: nil}), all, map[string]string{config.FileKeys: "is missing"}},
		{"a private key that is none", but(one, map[string][]byte{config.FileKeys: []byte(`{"version":1,"keys":[{"kid":"a","alg":"ES256","activeFrom":"2026-01-01T00:00:00Z","privateKey":"hunter2"}]}`)}), all,
			map[string]string{config.FileKeys: "PKCS#8"}},
		{"a tenants file too long", but(one, map[string][]byte{shard("acme", 1): make([]byte, config.MaxFile+1)}), all, map[string]string{shard("acme", 1): "more than"}},
		{"good again", one, all, nil},
		{"no store: no own tokens", none, [3]int{200, 200, 401}, nil},
		{"a store again", one, all, nil},
		{"growth: both sets are whole", but(one, two), all, nil},
		{"growth: the old set goes", two, all, nil},
		{"one shard turns bad", but(two, map[string][]byte{shard("acme", 2): bad}), all, map[string]string{shard("acme", 2): "decompressing"}},
		{"one shard bad, the other loses its tenants", but(two, map[string][]byte{shard("acme", 2): bad, shard("globex", 2): shardFile(t, 2, config.ShardOf("globex", 2))}), [3]int{200, 401, 200},
			map[string]string{shard("acme", 2): "decompressing"}},
		{"one shard goes", but(two, map[string][]byte{shard("acme", 2): nil}), all, map[string]string{shard("acme", 2): "is missing"}},
		{"all tenants files go", map[string][]byte{config.FileBase: two[config.FileBase], config.FileKeys: two[config.FileKeys]}, all,
			map[string]string{"tenants-2-0.json.gz": "is missing", "tenants-2-1.json.gz": "is missing"}},
		{"whole again", two, all, nil},
		{"a new set that is half there", but(two, map[string][]byte{"tenants-4-0.json.gz": shardFile(t, 4, 0)}), all,
			map[string]string{"tenants-4-1.json.gz": "is missing", "tenants-4-2.json.gz": "is missing", "tenants-4-3.json.gz": "is missing"}},
		{"a new set with a bad file", but(two, map[string][]byte{"tenants-1-0.json.gz": bad}), all, map[string]string{"tenants-1-0.json.gz": "decompressing"}},
		{"a shard under another's name", but(two, map[string][]byte{"tenants-2-0.json.gz": two["tenants-2-1.json.gz"]}), all, map[string]string{"tenants-2-0.json.gz": "shard 1 of 2"}},
		{"to nothing: every tenant goes", render(t, base, 1), [3]int{401, 401, 200}, nil},
		{"back", one, all, nil},
		{"everything goes", nil, all, map[string]string{config.FileBase: "is missing", config.FileKeys: "is missing", "tenants-1-0.json.gz": "is missing"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			err := l.Load(step.files)
			if got := [3]int{l.status(t, "acme", acme), l.status(t, "globex", globex), l.status(t, "staff", own)}; got != step.want {
				t.Errorf("decisions %v, want %v (%v)", got, step.want, err)
			}
			if (l.readyz(t) == 200) != (step.want[0] != 503) {
				t.Errorf("readyz %d", l.readyz(t))
			}
			if (err != nil) != (len(step.errors) > 0) {
				t.Errorf("Load told %v", err)
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("the error holds a private key: %v", err)
			}
			checkFiles(t, l.configz(t), step.files, step.errors)
		})
	}
}

func checkFiles(t *testing.T, got configz, files map[string][]byte, errors map[string]string) {
	t.Helper()
	for name, data := range files {
		if got.Files[name].Mounted != config.Hash(data) {
			t.Errorf("%s: mounted %q", name, got.Files[name].Mounted)
		}
	}
	for name, f := range got.Files {
		want := errors[name]
		if (f.Error != "") != (want != "") || !strings.Contains(f.Error, want) {
			t.Errorf("%s: error %q, want %q", name, f.Error, want)
		}
		if _, ok := files[name]; !ok && f.Mounted != "" {
			t.Errorf("%s is not there and mounted", name)
		}
		if f.Error != "" && f.Mounted != "" && f.Mounted == f.Serving {
			t.Errorf("%s is served in spite of %s", name, f.Error)
		}
	}
	for name := range errors {
		if _, ok := got.Files[name]; !ok {
			t.Errorf("%s is not told of", name)
		}
	}
}

// TestConfigzGolden is the exact form that the operator reads.
func TestConfigzGolden(t *testing.T) {
	jwksPolicy := policyOf("remote", func(p *config.Policy) {
		p.Issuers = []config.Issuer{{Issuer: "https://idp.example", JWKSURI: "https://idp.example/keys"}}
	})
	files := render(t, baseOf(nil), 1, append(policies(t), jwksPolicy)...)
	l := newLab(t, files)
	good := config.Hash(files[config.FileBase])
	files[config.FileBase] = []byte("{}x")
	files[config.FileOpsToken] = []byte("operations")
	files["notes.txt"] = []byte("not ours")
	if err := l.Load(files); err == nil {
		t.Error("a bad base.json was not told")
	}
	w := httptest.NewRecorder()
	l.opsHandler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/configz", nil))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	object := got["objects"].(map[string]any)["TenantJWTPolicy/default/remote"].(map[string]any)["UpstreamReady"].(map[string]any)
	if since, _ := object["since"].(string); since == "" {
		t.Error("the condition has no since")
	}
	delete(object, "since") // the key engine's clock
	same := func(name string) map[string]any {
		hash := config.Hash(files[name])
		return map[string]any{"mounted": hash, "serving": hash}
	}
	want := map[string]any{
		"files": map[string]any{
			"base.json":           map[string]any{"mounted": config.Hash(files[config.FileBase]), "serving": good, "error": "parsing base.json: data after the end of the JSON value"},
			"keys.json":           same("keys.json"),
			"ops-token":           same("ops-token"),
			"tenants-1-0.json.gz": same("tenants-1-0.json.gz"),
		},
		"objects": map[string]any{"TenantJWTPolicy/default/remote": map[string]any{"UpstreamReady": map[string]any{"status": "Unknown", "reason": "NotYetFetched"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configz (-want +got):\n%s", diff)
	}
}

// TestConfigzViews guards that the operator, which asks for files many times a second, gets nothing that grows with the number of
// objects, and that the views are parts of the whole.
func TestConfigzViews(t *testing.T) {
	l := newLab(t, render(t, baseOf(nil), 1, append(policies(t), remote("remote", "https://idp.example/keys", "", "RS256"))...))
	get := func(query string, status int) map[string]any {
		t.Helper()
		w := httptest.NewRecorder()
		l.opsHandler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/configz"+query, nil))
		var got map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != status {
			t.Errorf("%s: %d %s: %v", query, w.Code, w.Body, err)
		}
		return got
	}
	whole, files, objects := get("", 200), get("?view=files", 200), get("?view=objects", 200)
	if diff := cmp.Diff(map[string]any{"files": whole["files"]}, files); diff != "" || len(whole["files"].(map[string]any)) == 0 {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"objects": whole["objects"]}, objects); diff != "" || len(whole["objects"].(map[string]any)) == 0 {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	get("?view=all", 400)
}

// TestAReloadKeepsWhatDidNotChange guards that a change of nothing makes no new snapshot.
func TestAReloadKeepsWhatDidNotChange(t *testing.T) {
	files := render(t, baseOf(nil), 2, policies(t)...)
	l := newLab(t, files)
	before := l.snapshot.Load()
	if err := l.Load(maps.Clone(files)); err != nil || l.snapshot.Load() != before {
		t.Errorf("the same files made another snapshot: %v", err)
	}
	changed := policies(t)
	changed[0].Audiences = []string{"https://new.example"}
	if err := l.Load(render(t, baseOf(nil), 2, changed...)); err != nil || l.snapshot.Load() == before {
		t.Errorf("a change made no snapshot: %v", err)
	}
	if l.snapshot.Load().login != before.login {
		t.Error("users were read again although base.json is the same")
	}
}

// TestTheLargestWholeSetIsServed guards growth: while both sets are there, the new, larger one counts.
func TestTheLargestWholeSetIsServed(t *testing.T) {
	files := map[string][]byte{}
	for _, count := range []int{1, 2, 4, 8} {
		maps.Copy(files, render(t, baseOf(nil), count, policies(t)...))
	}
	delete(files, config.TenantsFile(8, 5)) // not whole
	l := newLab(t, nil)
	err := l.Load(files)
	if err == nil || err.Error() != "tenants-8-5.json.gz is missing: the set of 8 is served when it is whole" {
		t.Errorf("told %v", err)
	}
	for name, f := range l.configz(t).Files {
		count, _, tenants := config.ParseTenantsFile(name)
		if tenants && (f.Serving != "") != (count == 4) {
			t.Errorf("%s: serving %q", name, f.Serving)
		}
	}
}
