// SPDX-License-Identifier: Apache-2.0

package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

var serverKey = render.Key{Kind: v1alpha1.KindAuthServer, Namespace: "default", Name: "default"}

// TestCookieDomain guards the session cookie: no domain that browsers would refuse, which would end every login, and none that strangers' hosts are in.
func TestCookieDomain(t *testing.T) {
	const other, public, address = "must be the host of the external URL or a domain that it lies in", "is a public suffix", "host is an address"
	for _, c := range []struct{ url, domain, want string }{
		{"https://auth.example.com", "example.com", ""}, {"https://auth.example.com", "auth.example.com", ""}, {"https://AUTH.example.com:8443", "example.com", ""},
		{"https://auth.team.github.io", "team.github.io", ""}, {"https://auth.corp.internal", "corp.internal", ""}, {"https://a.example.co.uk", "example.co.uk", ""},
		{"https://auth.example.com", "ample.com", other}, {"https://auth.example.com", "x.auth.example.com", other}, {"https://auth.example.com", "example.org", other},
		{"https://auth.example.com", "com", public}, {"https://auth.example.co.uk", "co.uk", public}, {"https://team.github.io", "github.io", public},
		{"https://auth.internal", "internal", public}, {"https://10.0.0.1", "10.0.0.1", address}, {"https://10.0.0.1", "0.0.1", address},
	} {
		s := server()
		s.Spec.ExternalURL, s.Spec.Login.CookieDomain = c.url, c.domain
		v := mustRender(t, render.Input{Server: s}, nil).Verdicts[serverKey]
		if c.want == "" && !v.Accepted.Status || c.want != "" && (v.Accepted.Reason != v1alpha1.ReasonInvalid || !strings.Contains(v.Accepted.Message, "spec.login.cookieDomain: ") || !strings.Contains(v.Accepted.Message, c.want)) {
			t.Errorf("%s of %s: %+v, want %q", c.domain, c.url, v.Accepted, c.want)
		}
	}
}

// TestRedirectURIs guards what no schema would let through: a code must go to nobody but an application.
func TestRedirectURIs(t *testing.T) {
	for uri, good := range map[string]bool{
		"https://app.example/cb": true, "http://localhost:1/cb": true, "http://[::1]/cb": true, "com.example.app:/cb": true,
		"http://app.example/cb": false, "javascript:alert(1)": false, "data:,x": false, "https:///cb": false, "https://a@b.example": false, "https://a.example/#": false, "cb": false, "": false, "https://a.example:0": false,
	} {
		s := server()
		s.Spec.Login.RedirectURIs = []string{uri}
		if v := mustRender(t, render.Input{Server: s}, nil).Verdicts[serverKey]; v.Accepted.Status != good {
			t.Errorf("%q: %+v", uri, v.Accepted)
		}
	}
}

// TestDSN guards which connection strings are taken for one, and that no message repeats any of them.
func TestDSN(t *testing.T) {
	const url, form, host = "it is no valid URL", "it is no connection string", "it names no host"
	for dsn, want := range map[string]string{
		"postgres://u:hunter2@db:5432/g": "", "postgresql://u:hunter2@db/g?sslmode=disable": "", "postgres://u:hunter2@a:1,b:2/g?target_session_attrs=read-write": "",
		"postgres://u:hunter2@/g?host=/run/postgresql": "", "postgres://u:hun%40ter2@[::1]:5432/g": "", "host=db user=u password=hunter2": "", "host = db password = 'hunter2 \\' x' ": "",
		"": "it is empty", " \n": "it is empty", "hunter2": form, "u:hunter2@db": form, "host=db password='hunter2": form, "mysql://u:hunter2@db": form,
		"postgres://u:hun%ter2@db/g": url, "postgres://u:hunter2@db:port/g": url, "postgres://u:hun#ter2@db/g": url, "postgres://u:hun/ter2@db/g": url, "postgres://u:hun?ter2@db/g": url,
		"postgres://u:hunter2@/g": host, "user=u password=hunter2": host, "password=hunter2 host= ": host,
		"host=db password=hunter2\nhost=evil": "it has more than one line", "host=db password=hunter2" + strings.Repeat("x", 5000): "at most 4096",
	} {
		s := server()
		s.Spec.Store = v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{DSNSecretRef: v1alpha1.SecretKeyReference{Name: "db", Key: "dsn"}}}
		out := mustRender(t, render.Input{Server: s}, map[render.Ref]render.Resolved{secret("db"): found("dsn", dsn+"\n")})
		v := out.Verdicts[serverKey]
		if strings.Contains(v.ResolvedRefs.Message, "ter2") {
			t.Errorf("%q is told: %s", dsn, v.ResolvedRefs.Message)
		}
		if want != "" {
			if v.ResolvedRefs.Reason != v1alpha1.ReasonRefInvalid || !strings.Contains(v.ResolvedRefs.Message, want) || out.Files != nil {
				t.Errorf("%q: %+v, want %q", dsn, v.ResolvedRefs, want)
			}
			continue
		}
		if !v.ResolvedRefs.Status {
			t.Errorf("%q: %+v", dsn, v.ResolvedRefs)
			continue
		}
		if got := base(t, out).Store; got.DSN != strings.TrimSpace(dsn) {
			t.Errorf("%q is rendered as %q", dsn, got.DSN)
		}
	}
}

// TestLastSettingsStay guards logins while an AuthServer's Secret or ConfigMap is away: the database and the logo in force stay, and none is made up.
func TestLastSettingsStay(t *testing.T) {
	s := server()
	s.Spec.Store = v1alpha1.Store{Type: v1alpha1.StorePostgreSQL, PostgreSQL: &v1alpha1.PostgreSQLStore{DSNSecretRef: v1alpha1.SecretKeyReference{Name: "db", Key: "dsn"}}}
	s.Spec.Login.Theme.Logo = &v1alpha1.Image{ConfigMapRef: &v1alpha1.ConfigMapKeyReference{Name: "brand", Key: "logo.png"}}
	refs := map[render.Ref]render.Resolved{secret("db"): found("dsn", "postgres://u@db/g"), configMap("brand"): found("logo.png", "\x89PNG\r\n\x1a\n")}
	before := mustRender(t, render.Input{Server: s}, refs)
	want := base(t, before)
	if want.Store.DSN == "" || want.Login.Logo == nil {
		t.Fatalf("%+v", want)
	}
	if out := mustRender(t, render.Input{Server: s}, nil); out.Files != nil || !out.Held {
		t.Error("without settings in force, something is served")
	}
	for _, away := range []render.Ref{secret("db"), configMap("brand")} {
		some := map[render.Ref]render.Resolved{}
		for ref, v := range refs {
			if ref != away {
				some[ref] = v
			}
		}
		out := mustRender(t, render.Input{Server: s, LastBase: before.Files[config.FileBase]}, some)
		if v := out.Verdicts[serverKey]; !out.Held || v.Served || v.ResolvedRefs.Reason != v1alpha1.ReasonRefNotFound {
			t.Errorf("without %s: held %v, %+v", away, out.Held, v)
		}
		if diff := cmp.Diff(want, base(t, out)); diff != "" {
			t.Errorf("without %s: -want +got:\n%s", away, diff)
		}
	}
}
