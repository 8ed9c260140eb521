// SPDX-License-Identifier: Apache-2.0

package tokenendpoint_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/test/tokenendpoint"
)

// algorithms are all that a credential can name.
var algorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// pair is a key and what verifies with it.
type pair struct{ private, public any }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newPair makes another key for an algorithm each time.
func newPair(algorithm string) pair {
	switch {
	case strings.HasPrefix(algorithm, "HS"):
		secret := make([]byte, 64)
		_, _ = rand.Read(secret)
		return pair{secret, secret}
	case algorithm == "EdDSA":
		public, private, err := ed25519.GenerateKey(rand.Reader)
		return pair{must(private, err), public}
	case strings.HasPrefix(algorithm, "ES"):
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm]
		private := must(ecdsa.GenerateKey(curve, rand.Reader))
		return pair{private, &private.PublicKey}
	}
	private := must(rsa.GenerateKey(rand.Reader, 2048))
	return pair{private, &private.PublicKey}
}

// rsaPairs are two that all RSA algorithms share: making one takes long.
var rsaPairs = sync.OnceValue(func() [2]pair { return [2]pair{newPair("RS256"), newPair("RS256")} })

func pairs(algorithm string) [2]pair {
	if strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS") {
		return rsaPairs()
	}
	return [2]pair{newPair(algorithm), newPair(algorithm)}
}

func jwkOf(key any) json.RawMessage {
	return must((&jose.JSONWebKey{Key: key}).MarshalJSON())
}

// case is an endpoint and the credential that it takes.
func setUp(t *testing.T, algorithm string, keys pair) (*tokenendpoint.Endpoint, config.Credential) {
	t.Helper()
	e := tokenendpoint.Start(t, tokenendpoint.Options{
		Algorithm: algorithm, Key: keys.public, KeyID: "k1", Issuer: "gatehouse", Subject: "robot@example.com", Audience: "https://idp.example",
		Header:     map[string]any{"x5t": "abc"},
		Claims:     map[string]any{"scope": "read <write>", "number": json.Number("12345678901234567890"), "nested": json.RawMessage(`{"b":[1,2.50,null],"a":"ü"}`)},
		Lifetime:   10 * time.Minute,
		Parameters: map[string]string{"scope": "a b&c=d", "resource": "https://api.example/ü"},
		Client:     &tokenendpoint.Client{Method: tokenendpoint.Basic, ID: "client:1", Secret: "s%+ /:ü"},
	})
	return e, config.Credential{
		Object: "IdentityProvider/default/api", Name: "api", Key: jwkOf(keys.private), KeyID: "k1", Algorithm: algorithm,
		Issuer: "gatehouse", Subject: "robot@example.com", Audience: "https://idp.example", Lifetime: config.Duration(10 * time.Minute),
		Headers: map[string]json.RawMessage{"x5t": []byte(`"abc"`)},
		Claims: map[string]json.RawMessage{
			"scope": []byte(`"read <write>"`), "number": []byte("12345678901234567890"), "nested": []byte(`{ "a": "ü", "b": [1, 2.50, null] }`),
		},
		TokenEndpoint: e.URL(),
		Client:        &config.Client{ID: "client:1", Secret: "s%+ /:ü", Authentication: config.ClientSecretBasic},
		Parameters:    []config.Parameter{{Name: "scope", Value: "a b&c=d"}, {Name: "resource", Value: "https://api.example/ü"}},
	}
}

func obtain(t *testing.T, c *config.Credential, client *http.Client) (assertion.Token, error) {
	t.Helper()
	m, err := assertion.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return m.Obtain(context.Background(), client, time.Now, rand.Reader)
}

// refused demands that the endpoint refused what was asked last, for the cause and with the code.
func refused(t *testing.T, e *tokenendpoint.Endpoint, err error, code, cause string) {
	t.Helper()
	var told *assertion.Error
	if !errors.As(err, &told) || told.Reason != assertion.ReasonRequestRefused || told.Code != code {
		t.Errorf("the error is %v, want %s", err, code)
	}
	if all := e.Refusals(); len(all) == 0 || !strings.Contains(all[len(all)-1], cause) {
		t.Errorf("refused for %q, want %q", all, cause)
	}
}

// TestEveryAlgorithm shows that what is sent is taken, and refused when any one field is another.
func TestEveryAlgorithm(t *testing.T) {
	type change struct {
		cause string // of the refusal
		code  string // of the answer; invalid_grant if empty
		make  func(c *config.Credential, other pair)
	}
	text := func(s string) json.RawMessage { return must(json.Marshal(s)) }
	changes := map[string]change{
		"issuer":              {"iss is another one", "", func(c *config.Credential, _ pair) { c.Issuer += "x" }},
		"subject":             {"sub is another one", "", func(c *config.Credential, _ pair) { c.Subject = "Robot@example.com" }},
		"audience":            {"aud is another one", "", func(c *config.Credential, _ pair) { c.Audience += "/" }},
		"a longer life":       {"it lives 10m1s", "", func(c *config.Credential, _ pair) { c.Lifetime += config.Duration(time.Second) }},
		"a shorter life":      {"it lives 9m59s", "", func(c *config.Credential, _ pair) { c.Lifetime -= config.Duration(time.Second) }},
		"key":                 {"signature does not verify", "", func(c *config.Credential, other pair) { c.Key = jwkOf(other.private) }},
		"kid":                 {"kid is another one", "", func(c *config.Credential, _ pair) { c.KeyID = "k2" }},
		"no kid":              {"kid is missing", "", func(c *config.Credential, _ pair) { c.KeyID = "" }},
		"typ":                 {"typ is another one", "", func(c *config.Credential, _ pair) { c.Headers["typ"] = text("at+jwt") }},
		"a header":            {"x5t is another one", "", func(c *config.Credential, _ pair) { c.Headers["x5t"] = text("abd") }},
		"a header missing":    {"x5t is missing", "", func(c *config.Credential, _ pair) { delete(c.Headers, "x5t") }},
		"a header more":       {"cty was not asked for", "", func(c *config.Credential, _ pair) { c.Headers["cty"] = text("x") }},
		"a claim missing":     {"scope is missing", "", func(c *config.Credential, _ pair) { delete(c.Claims, "scope") }},
		"a claim more":        {"nbf was not asked for", "", func(c *config.Credential, _ pair) { c.Claims["nbf"] = []byte("1") }},
		"the last digit":      {"number is another one", "", func(c *config.Credential, _ pair) { c.Claims["number"] = []byte("12345678901234567891") }},
		"a number as text":    {"number is another one", "", func(c *config.Credential, _ pair) { c.Claims["number"] = text("12345678901234567890") }},
		"inside a claim":      {"nested is another one", "", func(c *config.Credential, _ pair) { c.Claims["nested"] = []byte(`{"a":"ü","b":[1,2.5,null]}`) }},
		"grant type":          {"grant_type is another one", "unsupported_grant_type", func(c *config.Credential, _ pair) { c.GrantType = "client_credentials" }},
		"client ID":           {"the ID is another one", "invalid_client", func(c *config.Credential, _ pair) { c.Client.ID += "x" }},
		"client secret":       {"the secret is another one", "invalid_client", func(c *config.Credential, _ pair) { c.Client.Secret += " " }},
		"client method":       {"goes with client_secret_basic", "invalid_client", func(c *config.Credential, _ pair) { c.Client.Authentication = config.ClientSecretPost }},
		"no client":           {"goes with client_secret_basic", "invalid_client", func(c *config.Credential, _ pair) { c.Client = nil }},
		"a parameter":         {"scope is missing or another one", "invalid_request", func(c *config.Credential, _ pair) { c.Parameters[0].Value += " " }},
		"a parameter missing": {"scope is missing or another one", "invalid_request", func(c *config.Credential, _ pair) { c.Parameters = c.Parameters[1:] }},
		"a parameter more": {"was not asked for", "invalid_request", func(c *config.Credential, _ pair) {
			c.Parameters = append(c.Parameters, config.Parameter{Name: "audience", Value: "x"})
		}},
	}
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			keys := pairs(algorithm)
			e, c := setUp(t, algorithm, keys[0])
			for range 2 { // of which each has a jti of its own
				token, err := obtain(t, &c, e.Server().Client())
				if err != nil {
					t.Fatal(err, e.Refusals())
				}
				if got := e.Tokens(); token.Value != got[len(got)-1] || token.Authorization() != "Bearer "+token.Value || token.ExpiresAt.Sub(token.IssuedAt) != time.Hour {
					t.Errorf("%s, which is not what was given", token)
				}
			}
			for name, change := range changes {
				t.Run(name, func(t *testing.T) {
					_, changed := setUp(t, algorithm, keys[0])
					changed.TokenEndpoint = e.URL()
					change.make(&changed, keys[1])
					_, err := obtain(t, &changed, e.Server().Client())
					if change.code == "" {
						change.code = "invalid_grant"
					}
					refused(t, e, err, change.code, change.cause)
				})
			}
			for _, other := range algorithms {
				if fits(keys[0], algorithm, other) {
					c.Algorithm = other
					_, err := obtain(t, &c, e.Server().Client())
					refused(t, e, err, "invalid_grant", "alg is another one")
				}
			}
		})
	}
}

// fits tells whether the key could sign with another algorithm too.
func fits(p pair, algorithm, other string) bool {
	_, err := assertion.ParseKeyFor(jwkOf(p.private), other, "")
	return err == nil && other != algorithm
}

// rewriting changes requests on their way, as no credential can.
type rewriting struct {
	form    func(url.Values)
	request func(*http.Request)
}

func (r rewriting) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	if r.form != nil {
		r.form(form)
	}
	text := form.Encode()
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	if r.request != nil {
		r.request(req)
	}
	return http.DefaultTransport.RoundTrip(req)
}

// TestRequestsThatAreSpoilt shows that the endpoint looks at what no credential can change.
func TestRequestsThatAreSpoilt(t *testing.T) {
	e, c := setUp(t, "ES256", newPair("ES256"))
	twice := func(name string) func(url.Values) {
		return func(form url.Values) { form.Add(name, form.Get(name)) }
	}
	for name, row := range map[string]struct {
		rewriting
		cause string
	}{
		"assertion twice":   {rewriting{form: twice("assertion")}, "assertion is there twice"},
		"grant_type twice":  {rewriting{form: twice("grant_type")}, "grant_type is there twice"},
		"a parameter twice": {rewriting{form: twice("scope")}, "scope is there twice"},
		"no assertion":      {rewriting{form: func(f url.Values) { f.Del("assertion") }}, "no JWS in compact form"},
		"no signature":      {rewriting{form: func(f url.Values) { a := f.Get("assertion"); f.Set("assertion", a[:strings.LastIndex(a, ".")+1]) }}, "assertion: it"},
		"a claim changed":   {rewriting{form: func(f url.Values) { f.Set("assertion", changeFirst(f.Get("assertion"))) }}, "assertion: "},
		"client_id beside":  {rewriting{form: func(f url.Values) { f.Set("client_id", "client:1") }}, "client_id goes with"},
		"secret beside":     {rewriting{form: func(f url.Values) { f.Set("client_secret", "x") }}, "client_secret goes with"},
		"GET":               {rewriting{request: func(r *http.Request) { r.Method = http.MethodGet }}, "the method is GET"},
		"JSON":              {rewriting{request: func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }}, "the media type"},
		"with a charset": {rewriting{request: func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		}}, "the media type"},
		"no Accept":          {rewriting{request: func(r *http.Request) { r.Header.Del("Accept") }}, "Accept"},
		"a query":            {rewriting{request: func(r *http.Request) { r.URL.RawQuery = "x=1" }}, "there is a query"},
		"a cookie":           {rewriting{request: func(r *http.Request) { r.Header.Set("Cookie", "a=b") }}, "a cookie"},
		"two Authorizations": {rewriting{request: func(r *http.Request) { r.Header.Add("Authorization", "Basic eDp5") }}, "Authorization is there twice"},
		"Basic, not encoded": {rewriting{request: func(r *http.Request) { r.SetBasicAuth("client:1", "s%+ /:ü") }}, "client: "},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(e.Tokens())
			if _, err := obtain(t, &c, &http.Client{Transport: row.rewriting}); err == nil || len(e.Tokens()) != before {
				t.Fatal("taken")
			}
			if all := e.Refusals(); !strings.Contains(all[len(all)-1], row.cause) {
				t.Errorf("refused for %q, want %q", all[len(all)-1], row.cause)
			}
		})
	}
	if _, err := obtain(t, &c, &http.Client{Transport: rewriting{}}); err != nil {
		t.Errorf("what passes through unchanged is refused: %v", err)
	}
}

// changeFirst changes a character of the claims.
func changeFirst(jwt string) string {
	parts := strings.Split(jwt, ".")
	parts[1] = strings.Replace(parts[1], "Z", "Y", 1)
	return strings.Join(parts, ".")
}

// TestJTIOnce guards against replay: the same random numbers make the same JWT.
func TestJTIOnce(t *testing.T) {
	e, c := setUp(t, "EdDSA", newPair("EdDSA"))
	m := must(assertion.Compile(&c))
	for i := range 2 {
		_, err := m.Obtain(context.Background(), e.Server().Client(), time.Now, strings.NewReader(strings.Repeat("x", 64)))
		if i == 0 && err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			refused(t, e, err, "invalid_grant", "jti was used before")
		}
	}
}

// TestClients shows each way of client authentication: it is taken, and refused with another ID, secret or key, and where another way is registered.
func TestClients(t *testing.T) {
	grantKeys, clientKeys, other := newPair("EdDSA"), newPair("ES384"), newPair("ES384")
	ways := map[tokenendpoint.Method]config.Client{
		tokenendpoint.Basic:         {ID: "c 1", Secret: "p:%s", Authentication: config.ClientSecretBasic},
		tokenendpoint.Post:          {ID: "c 1", Secret: "p:%s", Authentication: config.ClientSecretPost},
		tokenendpoint.PrivateKeyJWT: {ID: "c 1", Secret: string(jwkOf(clientKeys.private)), Authentication: config.PrivateKeyJWT},
		tokenendpoint.None:          {ID: "c 1", Authentication: config.ClientNone},
	}
	for _, registered := range slices.Sorted(maps.Keys(ways)) {
		e := tokenendpoint.Start(t, tokenendpoint.Options{
			Algorithm: "EdDSA", Key: grantKeys.public, Issuer: "i", Subject: "s",
			Client: &tokenendpoint.Client{Method: registered, ID: "c 1", Secret: "p:%s", Key: clientKeys.public, Algorithm: "ES384"},
		})
		ask := func(client config.Client) error {
			_, err := obtain(t, &config.Credential{
				Key: jwkOf(grantKeys.private), Algorithm: "EdDSA", Issuer: "i", Subject: "s", Audience: e.URL(), Lifetime: config.Duration(time.Hour),
				TokenEndpoint: e.URL(), Client: &client,
			}, e.Server().Client())
			return err
		}
		for _, sent := range slices.Sorted(maps.Keys(ways)) {
			t.Run(fmt.Sprintf("%s where %s is registered", sent, registered), func(t *testing.T) {
				err := ask(ways[sent])
				if sent != registered {
					refused(t, e, err, "invalid_client", "client: ")
				} else if err != nil {
					t.Error(err, e.Refusals())
				}
			})
		}
		t.Run(string(registered)+" with another ID", func(t *testing.T) {
			spoilt := ways[registered]
			spoilt.ID += "x"
			refused(t, e, ask(spoilt), "invalid_client", "client: ")
		})
		if registered == tokenendpoint.None {
			continue
		}
		t.Run(string(registered)+" with another secret", func(t *testing.T) {
			spoilt := ways[registered]
			if spoilt.Secret += "x"; registered == tokenendpoint.PrivateKeyJWT {
				spoilt.Secret = string(jwkOf(other.private))
			}
			refused(t, e, ask(spoilt), "invalid_client", "client: ")
		})
	}
}

// TestClocks guards iat and exp: a JWT of another time is refused.
func TestClocks(t *testing.T) {
	e, c := setUp(t, "EdDSA", newPair("EdDSA"))
	m := must(assertion.Compile(&c))
	for off, cause := range map[time.Duration]string{0: "", 30 * time.Second: "", 2 * time.Minute: "iat is not now", -2 * time.Minute: "iat is not now", -time.Hour: "iat is not now"} {
		_, err := m.Obtain(context.Background(), e.Server().Client(), func() time.Time { return time.Now().Add(off) }, rand.Reader)
		if cause != "" {
			refused(t, e, err, "invalid_grant", cause)
		} else if err != nil {
			t.Errorf("%s: %v", off, err)
		}
	}
}
