// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// obj is a JSON object. A nil member takes one out of another object.
type obj map[string]any

func (o obj) with(changes obj) obj {
	next := maps.Clone(o)
	maps.Copy(next, changes)
	maps.DeleteFunc(next, func(_ string, v any) bool { return v == nil })
	return next
}

// keyPair is one signing key of a test, with its kid.
type keyPair struct {
	kid     string
	method  jwt.SigningMethod
	private any // *ecdsa.PrivateKey or []byte
}

func newES256(kid string) *keyPair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &keyPair{kid, jwt.SigningMethodES256, key}
}

// public is the key that verifies, with the members of more added to its JWK.
func (k *keyPair) public(t testing.TB, more obj) *jwk.Key {
	t.Helper()
	material := k.private
	if key, ok := k.private.(*ecdsa.PrivateKey); ok {
		material = &key.PublicKey
	}
	key, err := jwk.New(material)
	if err != nil {
		t.Fatal(err)
	}
	if key, err = key.With(k.kid, k.method.Alg()); err != nil {
		t.Fatal(err)
	}
	if more == nil {
		return key
	}
	var members obj
	text, _ := key.MarshalJSON()
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	text, _ = json.Marshal(obj{"keys": []obj{members.with(more)}})
	set, problems, err := jwk.ParsePublicSet(text)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return set.Keys()[0]
}

func (k *keyPair) jwk(t testing.TB) json.RawMessage {
	t.Helper()
	text, err := k.public(t, nil).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sign signs a payload, an obj or text, under the key's usual header with changes.
func (k *keyPair) sign(t testing.TB, header obj, payload any) string {
	t.Helper()
	head := marshal(t, obj{"alg": k.method.Alg(), "typ": "JWT", "kid": k.kid}.with(header))
	body, ok := payload.(string)
	if !ok {
		body = marshal(t, payload)
	}
	input := b64(head) + "." + b64(body)
	sig, err := k.method.Sign(input, k.private)
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

const (
	acmeIssuer = "https://idp.acme.example"
	ownIssuer  = "https://auth.example"
	directoryA = "11111111-2222-3333-4444-555555555555"
	directoryB = "99999999-2222-3333-4444-555555555555"
)

// cast are the keys of all tests: who signs for acme, who for the server itself, who for nobody, and what tokens for acme
// are encrypted with.
var cast = sync.OnceValue(func() (c struct {
	acme, own, mallory *keyPair
	wrapping           []byte
}) {
	c.acme, c.own, c.mallory = newES256("k1"), newES256("own"), newES256("k1")
	c.wrapping = []byte("0123456789abcdef")
	return c
})

// acmePolicy takes the tokens of acme's issuer.
func acmePolicy(t testing.TB, change func(*config.Policy)) config.Policy {
	t.Helper()
	p := config.Policy{
		Object: "TenantJWTPolicy/default/acme", TenantID: "acme", Algorithms: []string{"ES256"}, TokenTypes: []string{"", "jwt"},
		Leeway:  config.Duration(30 * time.Second),
		Issuers: []config.Issuer{{Issuer: acmeIssuer, Keys: []json.RawMessage{cast().acme.jwk(t)}}},
		Claims: config.ClaimRules{
			Username: config.Username{Source: config.Source{Claims: []string{"sub"}}},
			Headers:  []config.HeaderMapping{{Name: "X-Acme-Plan", Source: config.Source{Claims: []string{"plan"}}}},
		},
	}
	if change != nil {
		change(&p)
	}
	return p
}

// decryption opens tokens that are encrypted to acme.
func decryption(t testing.TB, change func(*config.Decryption)) *config.Decryption {
	t.Helper()
	key, err := jwe.Symmetric(cast().wrapping)
	if err == nil {
		key, err = key.With("wrap", "")
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	d := &config.Decryption{KeyAlgorithms: []string{"A128KW"}, ContentAlgorithms: []string{"A128GCM"}, Keys: []json.RawMessage{text}}
	if change != nil {
		change(d)
	}
	return d
}

// seal encrypts to acme, under the usual header with changes.
func seal(t testing.TB, header obj, plaintext string) string {
	t.Helper()
	head := marshal(t, obj{"alg": "A128KW", "enc": "A128GCM", "kid": "wrap", "cty": "JWT"}.with(header))
	return jwetest.Seal(t, jwetest.Input{Key: cast().wrapping, Alg: "A128KW", Enc: "A128GCM", Header: head, Plaintext: plaintext}).String()
}

var acmeClaims = obj{"iss": acmeIssuer, "sub": "bob", "aud": "https://api.example", "nonce": "n-1", "plan": "gold",
	"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix()}

var ownClaims = obj{"iss": ownIssuer, "sub": "7c9e", "aud": []string{"https://api.own.example"}, "organization": "acme", "preferred_username": "eve",
	"email": "eve@acme.example", "groups": []string{"admins"}, "plan": "own", "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix()}

var ownHeader = obj{"typ": "at+jwt"}

// ownOf is how the server's own tokens are checked in tests.
func ownOf(t testing.TB) Own {
	return Own{Issuer: ownIssuer, Audience: []string{"https://api.own.example"}, Keys: jwk.NewSet(cast().own.public(t, nil))}
}

// setOf compiles policies for a server.
func setOf(t testing.TB, o Outbound, policies ...config.Policy) *Set {
	t.Helper()
	s, err := NewSet(ownOf(t), shard(t, nil, o, policies...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask decides a token for a tenant, "" for none, with further headers.
func ask(t testing.TB, s *Set, tenant, raw string, headers ...string) Decision {
	t.Helper()
	return s.Decide(t.Context(), factsOf(t, tenant, raw, headers...), now)
}

func factsOf(t testing.TB, tenant, raw string, headers ...string) *Facts {
	t.Helper()
	f := &Facts{Token: []string{raw}}
	if tenant != "" {
		f.TenantID = []string{tenant}
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch name {
		case "x-jwt-issuer":
			f.Issuer = append(f.Issuer, value)
		case "x-jwt-client-id":
			f.ClientID = append(f.ClientID, value)
		case "x-jwt-nonce":
			f.Nonce = append(f.Nonce, value)
		default:
			t.Fatalf("no header %q", name)
		}
	}
	return f
}

// published is a KeySource whose sets a test changes.
type published struct {
	mu    sync.Mutex
	sets  map[string]*jwk.Set // by URL
	asked map[string]keys.Ask // the last one, by URL
}

func (p *published) publish(url string, set *jwk.Set) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sets == nil {
		p.sets, p.asked = make(map[string]*jwk.Set), make(map[string]keys.Ask)
	}
	p.sets[url] = set
}

func (p *published) Find(_ context.Context, src keys.Source, a keys.Ask) (keys.Found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := p.sets[src.URL]
	if set == nil {
		return keys.Found{}, keys.ErrUnavailable
	}
	p.asked[src.URL] = a
	key, err := set.Select(a.Algorithm, a.KeyID, a.HasKeyID)
	return keys.Found{Key: key, Set: set}, err
}

func (p *published) Current(src keys.Source, _ time.Duration) *jwk.Set {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sets[src.URL]
}
