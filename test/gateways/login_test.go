// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"html"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/test/served"
)

const (
	authHost = "auth.example.com"
	appHost  = "app.example.com"
	phrase   = "correct horse battery staple"
)

// loginServer is the AuthServer that the pages speak of, with one user. %USERS% stands for the users, in base64.
const loginServer = `apiVersion: auth.gatehouse.dev/v1alpha1
kind: AuthServer
metadata: {name: default, namespace: default}
spec:
  externalURL: https://auth.example.com
  login:
    cookieDomain: example.com
    allowedRedirectHosts: [app.example.com]
---
apiVersion: auth.gatehouse.dev/v1alpha1
kind: IdentityProvider
metadata: {name: staff, namespace: default}
spec:
  type: Password
  organization: acme
  password:
    usersSecretRef: {name: staff, key: users.yaml}
---
apiVersion: v1
kind: Secret
metadata: {name: staff, namespace: default}
data: {users.yaml: %USERS%}
`

// newLoginLab is a lab at which people log in: everything that browsers reach speaks TLS. pages is where auth.example.com is.
func newLoginLab(t *testing.T) (l *lab, pages string) {
	t.Helper()
	l = &lab{acme: served.NewSigner(t, "ES256", "k1"), app: newEcho(t)}
	hash, err := password.Hash([]byte(phrase), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	users := base64.StdEncoding.EncodeToString([]byte(`[{email: ada@example.com, username: ada, groups: [dev, ops], hash: "` + hash + `"}]`))
	server := served.Start(t, strings.ReplaceAll(loginServer, "%USERS%", users)+policy("acme", l.acme.JWKS(t), `  acceptIssuedTokens: true
  claimMappings:
    username: {claim: sub, prefixWithTenant: true}
    headers: [{name: X-Acme-Plan, claim: plan}]
`)+policy("globex", l.acme.JWKS(t), globexMappings))
	l.auth = newTap(t, server)

	certificate := l.certify(t)
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: server})
		r.Out.Host = r.In.Host
	}})
	proxy.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	proxy.StartTLS()
	t.Cleanup(proxy.Close)
	return l, proxy.Listener.Addr().String()
}

// certify makes the certificate of *.example.com, and the files in which gateways read it.
func (l *lab) certify(t *testing.T) tls.Certificate {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"*.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	dir := t.TempDir()
	l.certificate, l.key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for name, text := range map[string][]byte{l.certificate: certificate, l.key: key} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// browser keeps cookies and shows each redirect.
type browser struct {
	t      *testing.T
	client *http.Client
}

// newBrowser is one for which the hosts lie at these addresses.
func newBrowser(t *testing.T, l *lab, hosts map[string]string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(l.certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, _ := net.SplitHostPort(address)
			return new(net.Dialer).DialContext(ctx, network, hosts[host])
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, &http.Client{Transport: transport, Jar: jar, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// visit goes to a page; with a form it sends that. Headers are further ones.
func (b *browser) visit(to string, form url.Values, headers map[string]string) *answer {
	b.t.Helper()
	method, body := http.MethodGet, io.Reader(http.NoBody)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, to, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, value := range headers {
		if r.Header.Set(name, value); value == "" {
			r.Header.Del(name)
		}
	}
	r.Host = r.Header.Get("Host")
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &answer{response, string(text)}
}

var formInputs = regexp.MustCompile(`<input[^>]*name="([a-z_]+)"[^>]*>`)

// form is the page's form with what it holds.
func (a *answer) form() url.Values {
	values := url.Values{}
	for _, m := range formInputs.FindAllStringSubmatch(a.body, -1) {
		_, value, _ := strings.Cut(m[0], `value="`)
		value, _, _ = strings.Cut(value, `"`)
		values.Set(m[1], html.UnescapeString(value))
	}
	return values
}

// TestLogin guards that a browser that comes without a cookie through a gateway set up as its page says is led to the login page, logs in, comes back
// to the URL that it asked for, and is told to the application as nobody but who logged in; and that programs are led nowhere.
func TestLogin(t *testing.T) {
	for name, start := range map[string]func(*testing.T, *lab) string{"nginx": startNginx, "caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			l, pages := newLoginLab(t)
			b := newBrowser(t, l, map[string]string{authHost: pages, appHost: start(t, l)})
			b.checkRefused()
			b.logIn()
			b.checkLoggedIn()
		})
	}
}

const (
	report    = "https://" + appHost + "/reports?month=5&of=a%20b"
	loginPage = "https://" + authHost + "/login"
)

// spoofed are identity headers of the client's own.
func spoofed() map[string]string {
	headers := map[string]string{}
	for _, name := range identityHeaders {
		headers[name] = "admin"
	}
	return headers
}

// checkRefused is for who has not logged in.
func (b *browser) checkRefused() {
	b.t.Helper()
	for _, c := range []struct {
		name     string
		to       string
		form     url.Values
		headers  map[string]string
		location string // "" with 401
	}{
		{name: "a page", to: report, location: loginPage + "?return_to=" + url.QueryEscape(report)},
		{name: "a page, with identity headers", to: report, headers: spoofed(), location: loginPage + "?return_to=" + url.QueryEscape(report)},
		{name: "a page, with a cookie that nobody has", to: report, headers: map[string]string{"Cookie": "__Secure-gatehouse-session=" + strings.Repeat("A", 43)},
			location: loginPage + "?return_to=" + url.QueryEscape(report)},
		{name: "a page of a host where no login leads", to: report, headers: map[string]string{"Host": "evil.example"}, location: loginPage},
		{name: "another page by the client's word", to: report, headers: map[string]string{"X-Original-Url": "https://" + appHost + "/evil", "X-Forwarded-Uri": "/evil", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
			location: loginPage + "?return_to=" + url.QueryEscape(report)},
		{name: "a form", to: report, form: url.Values{"a": {"1"}}},
		{name: "a form by another word", to: report, form: url.Values{"a": {"1"}}, headers: map[string]string{"X-Forwarded-Method": "GET"}},
		{name: "a program", to: report, headers: map[string]string{"Accept": "application/json"}},
		{name: "a program that says nothing", to: report, headers: map[string]string{"Accept": ""}},
		{name: "a program that asks for a redirect", to: report + "&login=redirect", headers: map[string]string{"Accept": "*/*"}},
	} {
		b.t.Run(c.name, func(t *testing.T) {
			a := b.visit(c.to, c.form, c.headers)
			status := http.StatusUnauthorized
			if c.location != "" {
				status = http.StatusFound
			}
			if a.reached(t) != nil || a.StatusCode != status || a.Header.Get("Location") != c.location {
				t.Errorf("%d to %q, want %d to %q", a.StatusCode, a.Header.Get("Location"), status, c.location)
			}
			if got := a.Header.Get("Www-Authenticate"); status == http.StatusUnauthorized && !strings.HasPrefix(got, bare) {
				t.Errorf("WWW-Authenticate %q", got)
			}
		})
	}
}

// logIn goes where the gateway leads, fills in the form, and comes back to the page that was asked for.
func (b *browser) logIn() {
	b.t.Helper()
	page := b.visit(b.visit(report, nil, nil).Header.Get("Location"), nil, nil)
	form := page.form()
	if page.StatusCode != http.StatusOK || !form.Has("email") || !form.Has("password") {
		b.t.Fatalf("no login page: %d with %v", page.StatusCode, slices.Sorted(maps.Keys(form)))
	}
	form.Set("email", "ada@example.com")
	form.Set("password", phrase)
	action, err := page.Request.URL.Parse(html.UnescapeString(between(page.body, `action="`, `"`)))
	if err != nil {
		b.t.Fatal(err)
	}
	back := b.visit(action.String(), form, nil)
	if back.StatusCode != http.StatusOK || back.Header.Get("Refresh") != "0; url="+report {
		b.t.Fatalf("the login leads to %q: %d", back.Header.Get("Refresh"), back.StatusCode)
	}
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// checkLoggedIn guards what the application is told of somebody with a cookie.
func (b *browser) checkLoggedIn() {
	b.t.Helper()
	ada := map[string]string{"X-Auth-Request-User": "acme/ada", "X-Auth-Request-Preferred-Username": "ada", "X-Auth-Request-Email": "ada@example.com",
		"X-Auth-Request-Groups": "dev,ops", "X-Auth-Tenant": "acme"}
	at, err := url.Parse(report)
	if err != nil {
		b.t.Fatal(err)
	}
	jar := b.client.Jar.Cookies(at)
	if len(jar) != 1 || jar[0].Name != "__Secure-gatehouse-session" {
		b.t.Fatalf("%d cookies for the application's host", len(jar))
	}
	session := jar[0].Name + "=" + jar[0].Value
	b.client.Jar = nil // from here on cookies are sent as they are written
	for sent, want := range map[string]string{
		session: "", session + "; theme=dark": "theme=dark", "theme=dark; " + session: "theme=dark", "theme=dark; " + session + "; tab=2": "theme=dark; tab=2",
		"my-gatehouse-session=1; " + session: "my-gatehouse-session=1", "a=b=c;" + session + ";d=e": "a=b=c;d=e",
	} {
		b.t.Run("cookies "+strings.ReplaceAll(sent, session, "SESSION"), func(t *testing.T) {
			for _, form := range []url.Values{nil, {"a": {"1"}}} {
				headers := spoofed()
				headers["Cookie"] = sent
				a := b.visit(report, form, headers)
				got := a.reached(t)
				if got == nil || a.StatusCode != http.StatusOK {
					t.Fatalf("not let in: %d", a.StatusCode)
				}
				identity, err := got.identity()
				if err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(ada, identity); diff != "" {
					t.Errorf("the application is told (-want +got):\n%s", diff)
				}
				if cookies := strings.Join(got.Header["Cookie"], "|"); cookies != want {
					t.Errorf("the application is sent the cookies %q, want %q", strings.ReplaceAll(cookies, session, "SESSION"), want)
				}
			}
		})
	}
}
