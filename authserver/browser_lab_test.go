// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/rand"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
)

// world is a whole server on loopback with an OpenID provider behind it.
type world struct {
	*lab
	op     *optest.OP
	base   *config.Base
	origin string
	passed atomic.Int64 // since now
}

// time is what the world's clocks show.
func (w *world) time() time.Time { return now.Add(time.Duration(w.passed.Load())) }

// pass lets time pass.
func (w *world) pass(d time.Duration) { w.passed.Add(int64(d)) }

const alicePassword = "correct horse"

// newWorld starts both. change may change what is rendered, op how the provider behaves.
func newWorld(t testing.TB, change func(w *world)) *world {
	t.Helper()
	return newWorldWith(t, func(*Options) {}, change)
}

func newWorldWith(t testing.TB, options func(*Options), change func(w *world)) *world {
	t.Helper()
	w := &world{}
	w.lab = newLabWith(t, nil, func(o *Options) { o.Now = w.time; options(o) })
	server := httptest.NewServer(w.publicHandler)
	t.Cleanup(server.Close)
	w.origin = server.URL
	w.op = optest.Start(t, optest.Options{Now: w.time})
	w.base = baseOf(func(b *config.Base) {
		b.ExternalURL = w.origin
		b.Tokens.Audience = []string{w.origin}
		b.Outbound.AllowedCIDRs = []string{"127.0.0.0/8"}
		b.Bundles = map[string]string{}
		b.Login.RedirectURIs = []string{"https://app.example/cb?x=1", "com.example.app:/cb"}
		b.Login.AllowedRedirectHosts = []string{"app.example"}
	})
	w.base.Providers = []config.Provider{w.provider("sso", w.op)}
	if change != nil {
		change(w)
	}
	w.serve(t)
	return w
}

// provider is a provider in front of an OP, as render writes it.
func (w *world) provider(name string, op *optest.OP) config.Provider {
	c := op.Client()
	ca := config.Hash([]byte(op.CABundle()))
	w.base.Bundles[ca] = op.CABundle()
	return config.Provider{
		Object: "IdentityProvider/default/" + name, Name: name, Type: config.ProviderOIDC, DisplayName: "Corporate " + name, Organization: "staff", OnLoginPage: true,
		CABundle: ca, UserSync: config.SyncAlways, Linking: config.LinkingNone,
		Mappings: &config.ProviderMappings{
			Username: config.Source{Claims: []string{"preferred_username"}}, Email: config.Source{Claims: []string{"email"}},
			Name: config.Source{Claims: []string{"name"}}, Groups: config.Source{Claims: []string{"groups"}},
		},
		OIDC: &config.OIDC{
			Issuer: op.Issuer(), Discovery: op.URL(optest.PathMetadata), Algorithms: []string{"RS256"},
			Client: config.Client{ID: c.ID, Secret: c.Secret, Authentication: config.ClientSecretBasic, Scopes: []string{"openid", "email", "profile"}, PKCE: true},
		},
	}
}

// withPasswords adds alice, who has a password.
func (w *world) withPasswords() {
	w.base.Providers = append(w.base.Providers, config.Provider{
		Object: "IdentityProvider/default/passwords", Name: "passwords", Type: config.ProviderPassword, DisplayName: "Passwords", Organization: "staff", OnLoginPage: true,
		Password: &config.Password{Users: []config.User{{Email: "alice@staff.example", Username: "alice", Name: "Alice", Hash: must(password.Hash([]byte(alicePassword), rand.Reader))}}},
	})
}

// serve renders what the world has now.
func (w *world) serve(t testing.TB) {
	t.Helper()
	if err := w.Load(render(t, w.base, 1)); err != nil {
		t.Fatal(err)
	}
}

// visitor is a browser: it keeps cookies, and follows redirects when it is told to.
type visitor struct {
	t      testing.TB
	w      *world
	client *http.Client
}

func (w *world) visitor(t testing.TB) *visitor {
	t.Helper()
	client := w.op.Browser()
	client.Jar = must(cookiejar.New(nil))
	return &visitor{t, w, client}
}

// webPage is a response with its body read.
type webPage struct {
	*http.Response
	body string
}

func (v *visitor) do(r *http.Request, headers ...string) webPage {
	v.t.Helper()
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "text/html,*/*")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	resp, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return webPage{resp, string(body)}
}

func (v *visitor) url(path string) string {
	if strings.HasPrefix(path, "/") {
		return v.w.origin + path
	}
	return path
}

func (v *visitor) get(path string, headers ...string) webPage {
	v.t.Helper()
	return v.do(must(http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.url(path), nil)), headers...)
}

func (v *visitor) post(path string, form url.Values, headers ...string) webPage {
	v.t.Helper()
	r := must(http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.url(path), strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r, headers...)
}

// follow goes where an answer leads, which must be a redirect.
func (v *visitor) follow(a webPage, headers ...string) webPage {
	v.t.Helper()
	return v.get(v.target(a), headers...)
}

func (v *visitor) target(a webPage) string {
	v.t.Helper()
	if a.StatusCode/100 != 3 || a.Header.Get("Location") == "" {
		v.t.Fatalf("no redirect: %d\n%s", a.StatusCode, a.body)
	}
	return a.Header.Get("Location")
}

// callback begins a login at a provider, with a query or "", and returns the callback's URL, which is not visited yet.
func (v *visitor) callback(provider, query string) string {
	v.t.Helper()
	atProvider := v.follow(v.get("/auth/" + provider + "/login/" + query))
	return v.target(atProvider)
}

// logIn logs in at a provider and returns where that led.
func (v *visitor) logIn(provider, query string) string {
	v.t.Helper()
	return v.target(v.get(v.callback(provider, query)))
}

// verify is the status of /verify, by the cookie.
func (v *visitor) verify() int {
	v.t.Helper()
	return v.get("/verify").StatusCode
}

var formInputs = regexp.MustCompile(`<input[^>]*name="([a-z_]+)"[^>]*>`)

// fields are those of the page's forms, by name; the last of each name.
func (a webPage) fields() url.Values {
	values := url.Values{}
	for _, m := range formInputs.FindAllStringSubmatch(a.body, -1) {
		_, value, _ := strings.Cut(m[0], `value="`)
		value, _, _ = strings.Cut(value, `"`)
		values.Set(m[1], html.UnescapeString(value))
	}
	return values
}

// with changes some of a form's fields.
func changed(form url.Values, pairs ...string) url.Values {
	next := url.Values{}
	for name, values := range form {
		next[name] = values
	}
	for i := 0; i < len(pairs); i += 2 {
		next.Set(pairs[i], pairs[i+1])
	}
	return next
}

// session is the value of the visitor's session cookie, "" without one.
func (v *visitor) session() string {
	u := must(url.Parse(v.w.origin))
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == "gatehouse-session" {
			return c.Value
		}
	}
	return ""
}
