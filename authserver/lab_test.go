// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
)

// now is the time at which every test of this package takes place, unless it says otherwise.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const ownIssuer = "https://auth.example"

// party is somebody who signs tokens.
type party struct {
	alg, kid string
	private  any // crypto.Signer or []byte
}

func (p *party) jwk(t testing.TB) json.RawMessage {
	t.Helper()
	material := p.private
	if signer, ok := material.(crypto.Signer); ok {
		material = signer.Public()
	}
	key, err := jwk.New(material)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = key.With(p.kid, p.alg); err != nil {
		t.Fatal(err)
	}
	text, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// obj is a JSON object. A nil value leaves the member out.
type obj map[string]any

func (o obj) with(changes obj) obj {
	next := maps.Clone(o)
	maps.Copy(next, changes)
	maps.DeleteFunc(next, func(_ string, v any) bool { return v == nil })
	return next
}

// sign makes a token; header overrides alg, typ and kid.
func (p *party) sign(t testing.TB, header, claims obj) string {
	t.Helper()
	head := obj{"alg": p.alg, "typ": "JWT"}
	if p.kid != "" {
		head["kid"] = p.kid
	}
	input := encode(t, head.with(header)) + "." + encode(t, claims.with(nil))
	alg, ok := jwk.Algorithm(p.alg)
	if !ok {
		t.Fatalf("no algorithm %s", p.alg)
	}
	sig, err := alg.Method.Sign(input, p.private)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// cast are the parties of this package's tests. Two of them share a kid.
type castOf struct {
	acme, old, globex, initech, hooli, umbrella, mallory *party
	own, ownNext                                         config.SigningKey
}

var cast = sync.OnceValue(func() *castOf {
	c := &castOf{
		acme:     &party{"RS256", "k1", must(rsa.GenerateKey(rand.Reader, 2048))},
		old:      &party{"RS256", "k1", must(rsa.GenerateKey(rand.Reader, 2048))},
		globex:   &party{"HS256", "", []byte("globex-secret-of-more-than-32-bytes!")},
		initech:  &party{"ES256", "k1", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))},
		umbrella: &party{"RS256", "u", must(rsa.GenerateKey(rand.Reader, 2048))},
		mallory:  &party{"RS256", "k1", must(rsa.GenerateKey(rand.Reader, 2048))},
		own:      must(issue.Generate("ES256", now.Add(-time.Hour))),
		ownNext:  must(issue.Generate("ES384", now.Add(time.Hour))),
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	c.hooli = &party{"EdDSA", "k1", must(private, err)}
	return c
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// tokens of each party that its policy accepts.
var (
	acmeClaims = obj{"iss": "https://idp.acme.example", "sub": "bob", "aud": "https://api.example", "exp": now.Add(time.Hour).Unix(),
		"email": "bob@acme.example", "roles": []string{"dev", "ops"}, "nonce": "n-1"}
	globexClaims  = obj{"upn": "carol", "exp": now.Add(time.Hour).Unix()}
	initechClaims = obj{"iss": "https://idp.initech.example", "sub": "dave", "exp": now.Add(time.Hour).Unix()}
	ownClaims     = obj{"iss": ownIssuer, "sub": "8a1c", "aud": []string{ownIssuer}, "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "jti": "1",
		"client_id": "gatehouse", "organization": "staff", "preferred_username": "eve", "email": "eve@staff.example", "name": "Eve", "groups": []string{"admins"}}
)

// signOwn signs as the server itself does.
func signOwn(t testing.TB, header, claims obj) string {
	t.Helper()
	c := cast()
	signer, err := issue.NewSigner(&config.Keys{Keys: []config.SigningKey{c.own}})
	if err != nil {
		t.Fatal(err)
	}
	// A token with any header and claims: borrow the key by way of its PEM.
	return (&party{"ES256", signer.Keys()[0].ID(), parsePrivate(t, c.own.PrivateKey)}).sign(t, obj{"typ": "at+jwt"}.with(header), claims)
}

func policyOf(tenant string, change func(*config.Policy)) config.Policy {
	p := config.Policy{
		Object: "TenantJWTPolicy/default/" + tenant, TenantID: tenant,
		Algorithms: []string{"RS256"}, TokenTypes: []string{"", "jwt", "at+jwt"}, Leeway: config.Duration(30 * time.Second),
		Claims: config.ClaimRules{Username: config.Username{Source: config.Source{Claims: []string{"sub"}}}},
	}
	change(&p)
	return p
}

func inline(t testing.TB, issuer string, parties ...*party) config.Issuer {
	t.Helper()
	i := config.Issuer{Issuer: issuer}
	for _, p := range parties {
		i.Keys = append(i.Keys, p.jwk(t))
	}
	return i
}

// policies are what most tests are decided by.
func policies(t testing.TB) []config.Policy {
	t.Helper()
	c := cast()
	return []config.Policy{
		policyOf("acme", func(p *config.Policy) {
			p.Issuers = []config.Issuer{inline(t, "https://idp.acme.example", c.acme), inline(t, "https://old.acme.example", c.old)}
			p.Audiences = []string{"https://api.example", "https://two.example"}
			p.Claims.Email.Claims, p.Claims.Groups.Claims, p.Claims.Username.PrefixWithTenant = []string{"email"}, []string{"roles"}, true
		}),
		policyOf("globex", func(p *config.Policy) {
			p.Default = true
			p.Issuers = []config.Issuer{inline(t, "", c.globex)}
			p.Algorithms, p.Claims.Username.Claims = []string{"HS256"}, []string{"upn"}
		}),
		policyOf("initech", func(p *config.Policy) { // own tokens pass too
			p.Issuers = []config.Issuer{inline(t, "https://idp.initech.example", c.initech)}
			p.Algorithms, p.AcceptIssuedTokens, p.Claims.Username.PrefixWithTenant = []string{"ES256"}, true, true
			p.Leeway, p.TokenTypes = config.Duration(5*time.Minute), []string{"jwt"}
		}),
		policyOf("hooli", func(p *config.Policy) { // own tokens pass with one more audience
			p.Issuers = []config.Issuer{inline(t, "https://idp.hooli.example", c.hooli)}
			p.Algorithms, p.AcceptIssuedTokens, p.Audiences = []string{"EdDSA"}, true, []string{"https://api.hooli.example"}
			p.Leeway = 0
		}),
		policyOf("umbrella", func(p *config.Policy) { // own tokens do not pass
			p.Issuers = []config.Issuer{inline(t, "https://idp.umbrella.example", c.umbrella)}
		}),
	}
}

func baseOf(change func(*config.Base)) *config.Base {
	b := &config.Base{
		Version: config.Version, Server: "default/default", ExternalURL: ownIssuer,
		Tokens: config.Tokens{AccessTokenLifetime: config.Duration(15 * time.Minute), RefreshTokenLifetime: config.Duration(720 * time.Hour), Audience: []string{ownIssuer, "https://shared.example"}},
		Store:  config.Store{Type: config.StoreEmbedded},
	}
	if change != nil {
		change(b)
	}
	return b
}

// render makes the files of a configuration.
func render(t testing.TB, base *config.Base, count int, policies ...config.Policy) map[string][]byte {
	t.Helper()
	files := map[string][]byte{config.FileBase: encoded(t, base)}
	c := cast()
	files[config.FileKeys] = encoded(t, &config.Keys{Version: config.Version, Keys: []config.SigningKey{c.own, c.ownNext}})
	for n := range count {
		files[config.TenantsFile(count, n)] = shardFile(t, count, n, policies...)
	}
	return files
}

// shardFile is the tenants file n of count with those of the policies that belong there.
func shardFile(t testing.TB, count, n int, policies ...config.Policy) []byte {
	t.Helper()
	tenants := &config.Tenants{Version: config.Version, Shard: n, Count: count, Bundles: map[string]string{}}
	for _, p := range policies {
		if config.ShardOf(p.TenantID, count) == n {
			if pem := p.CABundle; pem != "" { // here the bundle itself, as tests give it
				p.CABundle = config.Hash([]byte(pem))
				tenants.Bundles[p.CABundle] = pem
			}
			tenants.Policies = append(tenants.Policies, p)
		}
	}
	return encoded(t, tenants)
}

func encoded(t testing.TB, v interface{ Encode() ([]byte, error) }) []byte {
	t.Helper()
	data, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lab is a server with its log, driven without a network.
type lab struct {
	*Server
	log *lockedBuffer
}

// lockedBuffer is a log that may be written and read at the same time.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// take returns what was written since the last take.
func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.buf.String()
	b.buf.Reset()
	return text
}

func newLab(t testing.TB, files map[string][]byte) *lab {
	t.Helper()
	return newLabWith(t, files, func(*Options) {})
}

func newLabWith(t testing.TB, files map[string][]byte, change func(*Options)) *lab {
	t.Helper()
	out := &lockedBuffer{}
	o := Options{Listen: "127.0.0.1:0", OpsListen: "127.0.0.1:0", ExtAuthzListen: "127.0.0.1:0", Logger: logs.New(out, slog.LevelInfo), Now: func() time.Time { return now }}
	change(&o)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.refusals.limit.SetLimit(rate.Inf)
	t.Cleanup(func() { s.store.close(); s.keys.Close(); s.envoy.Close() })
	if files != nil {
		if err := s.Load(files); err != nil {
			t.Fatal(err)
		}
	}
	out.take()
	return &lab{s, out}
}

// send hands a raw request head to the public handler, as the server's own parser reads it.
func (l *lab) send(t testing.TB, raw string) *http.Response {
	t.Helper()
	request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	request.RemoteAddr = "192.0.2.7:4711"
	w := httptest.NewRecorder()
	l.publicHandler.ServeHTTP(w, request)
	return w.Result()
}

// reason is that of the last refusal in the log.
func (l *lab) reason(t testing.TB) string {
	t.Helper()
	reason := ""
	for line := range strings.Lines(l.log.take()) {
		var event struct{ Event, Reason string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("the log has a line that is not JSON: %q", line)
		}
		if event.Event == "verify.refused" {
			reason = event.Reason
		}
	}
	return reason
}

// httpGetOps is the body that the operations listener answers a path with.
func httpGetOps(t testing.TB, l *lab, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	l.opsHandler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}
