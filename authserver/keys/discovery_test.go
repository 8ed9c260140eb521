// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

const (
	issuer    = "https://idp.example/realms/main"
	directory = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490"
)

// provider serves metadata and keys; either may be replaced while it runs.
type provider struct {
	*httptest.Server
	metadata, keys atomic.Pointer[http.HandlerFunc]
	asked          [2]atomic.Int64 // for metadata, for keys
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, n := &p.keys, 1
		if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
			handler, n = &p.metadata, 0
		}
		p.asked[n].Add(1)
		(*handler.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	p.setMetadata(text("application/json", `{"jwks_uri":"`+p.URL+`/keys","issuer":"`+issuer+`","token_endpoint":7}`))
	p.setKeys(text("application/json", jwks("a")))
	return p
}

func (p *provider) setMetadata(h http.HandlerFunc) { p.metadata.Store(&h) }
func (p *provider) setKeys(h http.HandlerFunc)     { p.keys.Store(&h) }

func (p *provider) source() Source {
	return Source{URL: p.URL + "/x/.well-known/openid-configuration", Discovery: true, Issuer: issuer, AllowedCIDRs: loopback}
}

// TestAnswersOfMetadataServers guards the way from an issuer to its keys: what is not surely the issuer's brings none.
func TestAnswersOfMetadataServers(t *testing.T) {
	good := func(p *provider, members ...string) string {
		m := map[string]any{"issuer": issuer, "jwks_uri": p.URL + "/keys"}
		for i := 0; i < len(members); i += 2 {
			m[members[i]] = members[i+1]
			if members[i+1] == "" {
				delete(m, members[i])
			}
		}
		b, _ := json.Marshal(m)
		return string(b)
	}
	for _, tt := range []struct {
		name     string
		metadata func(p *provider) string
		reason   Reason
		message  string
	}{
		{"good", func(p *provider) string { return good(p) }, ReasonReady, "1 key"},
		{"unknown members", func(p *provider) string { return good(p, "Issuer", "x", "JWKS_URI", "y") }, ReasonReady, "1 key"},
		{"another issuer", func(p *provider) string { return good(p, "issuer", "https://evil.example") }, ReasonIssuerMismatch,
			` name another issuer than "` + issuer + `": set issuer to what the tokens hold, or discoveryURL`},
		{"a slash more", func(p *provider) string { return good(p, "issuer", issuer+"/") }, ReasonIssuerMismatch, "they differ in the slash at the end"},
		{"another case", func(p *provider) string { return good(p, "issuer", strings.ToUpper(issuer)) }, ReasonIssuerMismatch, "name another issuer than"},
		{"no issuer", func(p *provider) string { return good(p, "issuer", "") }, ReasonIssuerMismatch, "name another issuer than"},
		{"a template that no directory fills", func(p *provider) string { return good(p, "issuer", "https://idp.example/realms/{tenantid}") }, ReasonIssuerMismatch, "name another issuer than"},
		{"an issuer to read", func(p *provider) string { return good(p, "issuer", secretBody) }, ReasonIssuerMismatch, "name another issuer than"},
		{"no jwks_uri", func(p *provider) string { return good(p, "jwks_uri", "") }, ReasonNoJWKSURI, "have no jwks_uri: set jwksURI"},
		{"jwks_uri is relative", func(p *provider) string { return good(p, "jwks_uri", "/keys") }, ReasonNoJWKSURI, "jwks_uri of the issuer's metadata is neither https:// nor http://: use https://"},
		{"jwks_uri with a password", func(p *provider) string { return good(p, "jwks_uri", "https://u:"+secretBody+"@idp.example/") }, ReasonNoJWKSURI, "user name or password"},
		{"jwks_uri is a file", func(p *provider) string { return good(p, "jwks_uri", secretBody+":///etc/passwd") }, ReasonNoJWKSURI, "neither https:// nor http://"},
		{"jwks_uri at a private address", func(p *provider) string { return good(p, "jwks_uri", "https://10.0.0.1/keys") }, ReasonAddressNotAllowed, "add 10.0.0.1/32"},
		{"jwks_uri at the cloud's metadata", func(p *provider) string { return good(p, "jwks_uri", "http://169.254.169.254/latest") }, ReasonAddressNotAllowed, "never dialled"},
		{"jwks_uri over http outside", func(p *provider) string { return good(p, "jwks_uri", "http://93.184.216.34/keys") }, ReasonAddressNotAllowed, "use https://"},
		{"jwks_uri is the metadata", func(p *provider) string { return good(p, "jwks_uri", p.source().URL) }, ReasonBadContent, "is not a JWK Set"},
		{"issuer twice", func(p *provider) string { return strings.Replace(good(p), "{", `{"issuer":"https://evil.example",`, 1) }, ReasonBadContent, "a member is there twice"},
		{"a number for an issuer", func(p *provider) string { return strings.Replace(good(p), `"`+issuer+`"`, "7", 1) }, ReasonBadContent, "issuer and jwks_uri must be strings"},
		{"an array", func(p *provider) string { return "[" + good(p) + "]" }, ReasonBadContent, "it is no JSON object"},
		{"two objects", func(p *provider) string { return good(p) + good(p) }, ReasonBadContent, "malformed at byte"},
		{"not UTF-8", func(p *provider) string { return good(p, "x", "y")[:8] + "\xff" + good(p)[8:] }, ReasonBadContent, "malformed at byte"},
		{"html", func(*provider) string { return "<html>" + secretBody }, ReasonBadContent, "(application/json) is not OpenID Provider metadata: it is no JSON object"},
		{"null", func(*provider) string { return "null" }, ReasonBadContent, "no JSON object"},
		{"empty", func(*provider) string { return "" }, ReasonBadContent, "no JSON object"},
		{"70 KiB", func(p *provider) string { return good(p, "x", strings.Repeat("x", 70<<10)) }, ReasonTooLarge, "larger than 64 KiB: set discoveryURL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.setMetadata(text("application/json", tt.metadata(p)))
			s := fetchOnce(t, p.source(), Options{})
			if s.Reason != tt.reason || !strings.Contains(s.Message, tt.message) {
				t.Errorf("got %s: %s\nwant %s: …%s…", s.Reason, s.Message, tt.reason, tt.message)
			}
			if len(s.Message) > 1<<10 {
				t.Errorf("the message has %d bytes", len(s.Message))
			}
			if tt.reason != ReasonReady && tt.name != "jwks_uri is the metadata" && p.asked[1].Load() != 0 {
				t.Error("keys were asked for all the same")
			}
		})
	}
}

// TestMetadataServersThatDoNotAnswer: what holds for key servers holds for these, and messages name the right field.
func TestMetadataServersThatDoNotAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		metadata, keys http.HandlerFunc
		reason         Reason
		message        string
	}{
		"no metadata":              {status(404), nil, ReasonBadStatus, "404, expected 200: set discoveryURL if the issuer's metadata are elsewhere"},
		"metadata fail":            {status(500), nil, ReasonBadStatus, "status 500"},
		"metadata for ever":        {hang, nil, ReasonUnreachable, "did not answer in time"},
		"metadata go in circles":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, nil, ReasonBadRedirect, "name the final URL in discoveryURL"},
		"metadata are compressed":  {bomb(t), nil, ReasonBadContent, "compresses its answer"},
		"no keys there":            {nil, status(404), ReasonBadStatus, "status 404, expected 200"},
		"keys for ever":            {nil, drip, ReasonUnreachable, "did not answer in time"},
		"keys go in circles":       {nil, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, ReasonBadRedirect, "name the final URL in jwks_uri of the issuer's metadata"},
		"keys redirect to private": {nil, redirect("https://192.168.0.1/"), ReasonAddressNotAllowed, "add 192.168.0.1/32"},
		"keys are html":            {nil, text("text/html", "<html>"), ReasonBadContent, "(text/html) is not a JWK Set"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			if tt.metadata != nil {
				p.setMetadata(tt.metadata)
			}
			if tt.keys != nil {
				p.setKeys(tt.keys)
			}
			limit := 10 * time.Second
			if strings.HasSuffix(name, "for ever") {
				limit = 100 * time.Millisecond
			}
			s := fetchOnce(t, p.source(), Options{FetchTimeout: limit})
			if s.Reason != tt.reason || !strings.Contains(s.Message, tt.message) {
				t.Errorf("got %s: %s\nwant %s: …%s…", s.Reason, s.Message, tt.reason, tt.message)
			}
		})
	}
}

// Each document has its own time limit: slow metadata of one tenant's leave no less to keys that others share.
func TestTimeLimitIsTheDocuments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const metadata = "https://idp.test/meta"
		web := &web{ // nothing is at /keys: it hangs
			pages: map[string]string{metadata: `{"issuer":"` + issuer + `","jwks_uri":"https://idp.test/keys"}`},
			delay: map[string]time.Duration{metadata: 7 * time.Second},
		}
		engine := newEngineOver(t, web)
		src := Source{URL: metadata, Discovery: true, Issuer: issuer}
		started := time.Now()
		other := Source{URL: "https://idp.test/keys"}
		_, _ = engine.Find(t.Context(), src, ask("a")) // waits for 5 s
		time.Sleep(3 * time.Second)
		_, _ = engine.Find(t.Context(), other, ask("a")) // joins the fetch of the keys, which began at 7 s
		for !engine.Status(src).Fetched || !engine.Status(other).Fetched {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(started); took < 17*time.Second || took > 17100*time.Millisecond || engine.Status(src).Reason != ReasonUnreachable || web.counts()["https://idp.test/keys"] != 1 {
			t.Errorf("after %s and %v: %+v", took, web.counts(), engine.Status(src))
		}
		if s := engine.Status(other); s.Reason != ReasonUnreachable {
			t.Errorf("the other: %+v", s)
		}
	})
}

// The URL is used as it is given, the keys where the metadata say, whatever the issuer is called: split horizon.
func TestSplitHorizon(t *testing.T) {
	keysAt := newProvider(t)
	p := newProvider(t)
	p.setMetadata(text("application/json", `{"issuer":"`+issuer+`","jwks_uri":"`+keysAt.URL+`/realm/certs?v=1"}`))
	var asked atomic.Pointer[string]
	keysAt.setKeys(func(w http.ResponseWriter, r *http.Request) {
		uri := r.URL.RequestURI()
		asked.Store(&uri)
		_, _ = io.WriteString(w, jwks("a"))
	})
	if s := fetchOnce(t, p.source(), Options{}); !s.Ready || *asked.Load() != "/realm/certs?v=1" {
		t.Errorf("got %+v", s)
	}
	if p.asked[1].Load() != 0 {
		t.Error("the metadata's host was asked for keys")
	}
}

// A provider that moves its keys is followed, and what the old place holds counts no more.
func TestMovedKeysAreFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := func(uri string) string { return `{"issuer":"` + issuer + `","jwks_uri":"` + uri + `"}` }
		web := &web{pages: map[string]string{
			"https://idp.test/meta": at("https://idp.test/keys1"), "https://idp.test/keys1": jwks("old"), "https://idp.test/keys2": jwks("new"),
		}}
		engine := newEngineOver(t, web)
		src := Source{URL: "https://idp.test/meta", Discovery: true, Issuer: issuer}
		engine.Name(named(src))
		want := func(kid string, target error) {
			t.Helper()
			if _, err := engine.Find(t.Context(), src, ask(kid)); !errors.Is(err, target) {
				t.Errorf("%s: got %v, want %v", kid, err, target)
			}
		}
		want("old", nil)
		web.set("https://idp.test/meta", at("https://idp.test/keys2"))
		want("new", nil) // an unknown kid reads the metadata again too
		want("old", jwk.ErrUnknownKeyID)
		web.set("https://idp.test/meta", strings.Replace(at("https://idp.test/keys2"), "idp.example", "evil.example", 1))
		time.Sleep(time.Hour)
		want("new", nil) // stale-if-error
		if s := engine.Status(src); s.Reason != ReasonIssuerMismatch || s.Ready || !s.Serving {
			t.Errorf("status: %+v", s)
		}
		want("random", ErrUnavailable)
	})
}

// A storm of random kids costs one fetch per interval, of metadata and of keys.
func TestUnknownKeyStormWithDiscovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := &web{pages: map[string]string{
			"https://idp.test/meta": `{"issuer":"` + issuer + `","jwks_uri":"https://idp.test/keys"}`, "https://idp.test/keys": jwks("a"),
		}}
		engine := newEngineOver(t, web)
		src := Source{URL: "https://idp.test/meta", Discovery: true, Issuer: issuer}
		for i := range 3000 { // five minutes
			_, err := engine.Find(t.Context(), src, ask(strings.Repeat("k", i+1)))
			if !errors.Is(err, jwk.ErrUnknownKeyID) {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		for url, n := range web.counts() {
			if n < 5 || n > 11 {
				t.Errorf("%s: %d requests in five minutes", url, n)
			}
		}
	})
}

// Whoever's metadata server hangs, the others' requests take no time at all; nor do those whose keys are at the host that
// one tenant's metadata name.
func TestMetadataServerThatHangsSlowsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		web := &web{pages: map[string]string{
			"https://idp.test/meta": `{"issuer":"` + issuer + `","jwks_uri":"https://idp.test/keys"}`, "https://idp.test/keys": jwks("a"),
		}}
		engine := newEngineOver(t, web)
		var callers sync.WaitGroup
		for i := range 100 { // no page is there: they hang
			dead := Source{URL: "https://dead" + strings.Repeat("x", i) + ".test/meta", Discovery: true, Issuer: issuer}
			callers.Go(func() {
				if _, err := engine.Find(t.Context(), dead, ask("a")); !errors.Is(err, ErrUnavailable) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		d := took(func() {
			if _, err := engine.Find(t.Context(), Source{URL: "https://idp.test/meta", Discovery: true, Issuer: issuer}, ask("a")); err != nil {
				t.Error(err)
			}
		})
		if d != 0 {
			t.Errorf("a live source took %s", d)
		}
		callers.Wait()
	})
}

// FuzzMetadata: whatever is served, keys are asked for only where an object names exactly the issuer, and messages fit.
func FuzzMetadata(f *testing.F) {
	f.Add(`{"issuer":"`+issuer+`","jwks_uri":"https://idp.test/keys"}`, false)
	f.Add(`{"issuer":"https://idp.example/realms/{tenantid}","jwks_uri":"x"}`, true)
	f.Add(`{"issuer":"\ud800","jwks_uri":1}`, true)
	f.Fuzz(func(t *testing.T, body string, isDirectory bool) {
		src := Source{Issuer: issuer, Discovery: true}
		if isDirectory {
			src.Directory = "main"
		}
		m, err := parseMetadata([]byte(body))
		var failure *failure
		if err != nil {
			failure = explain(&contentError{"", err}, &metadataDocument, "idp.test")
		} else {
			failure = m.check(&src, "idp.test")
		}
		if failure == nil {
			if !json.Valid([]byte(body)) || m.JWKSURI == "" || m.Issuer != issuer && !(isDirectory && strings.Contains(m.Issuer, template)) {
				t.Errorf("passed: %q", body)
			}
			return
		}
		for _, r := range failure.message {
			if r < ' ' || r > '~' {
				t.Errorf("message holds %q", r)
			}
		}
		if len(failure.message) > 1<<10 {
			t.Errorf("message of %d bytes", len(failure.message))
		}
	})
}
