// SPDX-License-Identifier: Apache-2.0

package assertion

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// secret is that of credentials in tests.
const secret = "hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2"

func credential() *config.Credential {
	return &config.Credential{
		Object: "IdentityProvider/default/api", Name: "api", Algorithm: "HS256", KeyID: "k1", Issuer: "gatehouse", Subject: "robot", Audience: "https://idp.example",
		Key:      json.RawMessage(`{"kty":"oct","alg":"HS256","k":"` + base64.RawURLEncoding.EncodeToString([]byte(secret)) + `"}`),
		Lifetime: config.Duration(time.Hour),
	}
}

func exchanging() *config.Credential {
	c := credential()
	c.TokenEndpoint = "https://idp.example/oauth2/token"
	return c
}

func parts(t testing.TB, jwt string) (header, claims string) {
	t.Helper()
	all := strings.Split(jwt, ".")
	return string(must[[]byte](t)(base64.RawURLEncoding.DecodeString(all[0]))), string(must[[]byte](t)(base64.RawURLEncoding.DecodeString(all[1])))
}

// fixed makes the jti AAAA….
var fixed = func() io.Reader { return strings.NewReader(strings.Repeat("\x00", 64)) }

// TestJWTs compares whole JWTs: nothing is left out, changed or added.
func TestJWTs(t *testing.T) {
	at := now.Add(999 * time.Millisecond)
	const made = `"iat":1800000000,"exp":1800003600,"jti":"AAAAAAAAAAAAAAAAAAAAAA"}`
	for name, row := range map[string]struct {
		change         func(c *config.Credential)
		header, claims string
	}{
		"plain": {func(*config.Credential) {}, `{"alg":"HS256","typ":"JWT","kid":"k1"}`, `{"iss":"gatehouse","sub":"robot","aud":"https://idp.example",` + made},
		"without kid, sub and aud": {func(c *config.Credential) { c.KeyID, c.Subject, c.Audience = "", "", "" },
			`{"alg":"HS256","typ":"JWT"}`, `{"iss":"gatehouse",` + made},
		"headers": {func(c *config.Credential) {
			c.Headers = map[string]json.RawMessage{"typ": []byte(`"at+jwt"`), "alg": []byte(`"HS256"`), "kid": []byte(`"k1"`), "x5t": []byte(` "a<b" `)}
		}, `{"alg":"HS256","kid":"k1","typ":"at+jwt","x5t":"a<b"}`, `{"iss":"gatehouse","sub":"robot","aud":"https://idp.example",` + made},
		"claims": {func(c *config.Credential) {
			c.Claims = map[string]json.RawMessage{
				"z": []byte("12345678901234567890"), "a": []byte(`{ "b" : [ 1.0 , -0, 1e400 ] }`), "n": []byte("null"), "s": []byte("\"\\u00fc<\\ud83d\\ude00\""), `"`: []byte("true"),
			}
		}, `{"alg":"HS256","typ":"JWT","kid":"k1"}`, `{"iss":"gatehouse","sub":"robot","aud":"https://idp.example","\"":true,"a":{"b":[1.0,-0,1e400]},"n":null,"s":"\u00fc<\ud83d\ude00","z":12345678901234567890,` + made},
		"quoting": {func(c *config.Credential) { c.Issuer, c.Subject = `a"\b`, "<ü\n>" }, `{"alg":"HS256","typ":"JWT","kid":"k1"}`, `{"iss":"a\"\\b","sub":"<ü\n>","aud":"https://idp.example",` + made},
		"half seconds": {func(c *config.Credential) { c.Lifetime = config.Duration(3600*time.Second + 999*time.Millisecond) },
			`{"alg":"HS256","typ":"JWT","kid":"k1"}`, `{"iss":"gatehouse","sub":"robot","aud":"https://idp.example",` + made},
	} {
		t.Run(name, func(t *testing.T) {
			c := credential()
			row.change(c)
			token := must[Token](t)(must[*Maker](t)(Compile(c)).JWT(at, fixed()))
			header, claims := parts(t, token.Value)
			if header != row.header || claims != row.claims {
				t.Errorf("%s\n%s", cmp.Diff(row.header, header), cmp.Diff(row.claims, claims))
			}
			if want := (Token{Value: token.Value, Type: "Bearer", IssuedAt: now, ExpiresAt: now.Add(time.Hour)}); token != want {
				t.Errorf("%s from %s", token, token.IssuedAt)
			}
			verified := must[*jose.JSONWebSignature](t)(jose.ParseSignedCompact(token.Value, []jose.SignatureAlgorithm{jose.HS256}))
			if _, err := verified.Verify([]byte(secret)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestJWTsDiffer guards jti: no two are the same, and without random bytes there is none.
func TestJWTsDiffer(t *testing.T) {
	m := must[*Maker](t)(Compile(credential()))
	seen := map[string]bool{}
	for range 100 {
		seen[must[Token](t)(m.JWT(now, rand.Reader)).Value] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d JWTs of 100 differ", len(seen))
	}
	var told *Error
	if token, err := m.JWT(now, strings.NewReader("short")); !errors.As(err, &told) || token.Value != "" {
		t.Errorf("%v, %v", token, err)
	}
}

// TestCompileRefuses guards that each fault names its field, and no value.
func TestCompileRefuses(t *testing.T) {
	member := func(all *map[string]json.RawMessage, name, value string) {
		*all = map[string]json.RawMessage{name: []byte(value)}
	}
	many := func(n int) map[string]json.RawMessage {
		all := map[string]json.RawMessage{}
		for i := range n {
			all[fmt.Sprint("m", i)] = []byte("1")
		}
		return all
	}
	for name, row := range map[string]struct {
		field, want string
		change      func(c *config.Credential)
	}{
		"key":               {"keySecretRef", "neither a JWK", func(c *config.Credential) { c.Key, c.Algorithm = []byte("hunter2"), "RS256" }},
		"algorithm":         {"keySecretRef", "the JWK's alg is not HS384", func(c *config.Credential) { c.Algorithm = "HS384" }},
		"issuer":            {"issuer", "required", func(c *config.Credential) { c.Issuer = "" }},
		"subject":           {"subject", "required", func(c *config.Credential) { c.Subject = "" }},
		"audience":          {"audience", "required", func(c *config.Credential) { c.Audience = "" }},
		"UTF-8":             {"issuer", "UTF-8", func(c *config.Credential) { c.Issuer = "hunter2\xff" }},
		"UTF-8 of kid":      {"keyID", "UTF-8", func(c *config.Credential) { c.KeyID = "hunter2\xff" }},
		"short life":        {"lifetime", "10s to 4400h", func(c *config.Credential) { c.Lifetime = config.Duration(9999 * time.Millisecond) }},
		"long life":         {"lifetime", "10s to 4400h", func(c *config.Credential) { c.Lifetime = config.Duration(4400*time.Hour + 1) }},
		"alg":               {"headers.alg", "equal algorithm", func(c *config.Credential) { member(&c.Headers, "alg", `"none"`) }},
		"alg of no text":    {"headers.alg", "equal algorithm", func(c *config.Credential) { member(&c.Headers, "alg", `["HS256"]`) }},
		"kid":               {"headers.kid", "equal keyID", func(c *config.Credential) { member(&c.Headers, "kid", `"hunter2"`) }},
		"kid without keyID": {"headers.kid", "equal keyID", func(c *config.Credential) { c.KeyID = ""; member(&c.Headers, "kid", `""`) }},
		"typ":               {"headers.typ", "a string", func(c *config.Credential) { member(&c.Headers, "typ", "null") }},
		"crit":              {"headers.crit", "leave it out", func(c *config.Credential) { member(&c.Headers, "crit", `["hunter2"]`) }},
		"b64":               {"headers.b64", "leave it out", func(c *config.Credential) { member(&c.Headers, "b64", "false") }},
		"zip":               {"headers.zip", "leave it out", func(c *config.Credential) { member(&c.Headers, "zip", `"DEF"`) }},
		"enc":               {"headers.enc", "leave it out", func(c *config.Credential) { member(&c.Headers, "enc", `"A128GCM"`) }},
		"iss":               {"additionalClaims.iss", "field of its own", func(c *config.Credential) { member(&c.Claims, "iss", `"hunter2"`) }},
		"sub":               {"additionalClaims.sub", "field of its own", func(c *config.Credential) { member(&c.Claims, "sub", `"hunter2"`) }},
		"aud":               {"additionalClaims.aud", "field of its own", func(c *config.Credential) { member(&c.Claims, "aud", `["hunter2"]`) }},
		"iat":               {"additionalClaims.iat", "made for each", func(c *config.Credential) { member(&c.Claims, "iat", "1") }},
		"exp":               {"additionalClaims.exp", "made for each", func(c *config.Credential) { member(&c.Claims, "exp", "1") }},
		"jti":               {"additionalClaims.jti", "made for each", func(c *config.Credential) { member(&c.Claims, "jti", `"hunter2"`) }},
		"no JSON":           {"additionalClaims", "not JSON", func(c *config.Credential) { member(&c.Claims, "a", `hunter2`) }},
		"two values":        {"additionalClaims", "not JSON", func(c *config.Credential) { member(&c.Claims, "a", `1,"iss":"hunter2"`) }},
		"a name twice":      {"additionalClaims", "twice", func(c *config.Credential) { member(&c.Claims, "a", `{"b":1,"b":2}`) }},
		"no name":           {"additionalClaims", "name of a member", func(c *config.Credential) { member(&c.Claims, "", `1`) }},
		"bytes as a name":   {"headers", "name of a member", func(c *config.Credential) { member(&c.Headers, "hunter2\xff", `1`) }},
		"deep":              {"additionalClaims", "deeper", func(c *config.Credential) { member(&c.Claims, "a", strings.Repeat("[", 9)+strings.Repeat("]", 9)) }},
		"many headers":      {"headers", "at most 16", func(c *config.Credential) { c.Headers = many(17) }},
		"many claims":       {"additionalClaims", "at most 64", func(c *config.Credential) { c.Claims = many(65) }},
		"large claims":      {"additionalClaims", "at most 8192", func(c *config.Credential) { member(&c.Claims, "a", `"`+strings.Repeat("hunter2!", 1024)+`"`) }},
		"large in sum": {"additionalClaims", "the JWT would have", func(c *config.Credential) {
			member(&c.Claims, "a", `"`+strings.Repeat("x", 8000)+`"`)
			member(&c.Headers, "a", `"`+strings.Repeat("x", 8000)+`"`)
		}},
		"endpoint":              {"tokenEndpoint", "not a URL", func(c *config.Credential) { c.TokenEndpoint = "hunter2" }},
		"endpoint's scheme":     {"tokenEndpoint", "not a URL", func(c *config.Credential) { c.TokenEndpoint = "ftp://hunter2/" }},
		"endpoint's user":       {"tokenEndpoint", "a user name", func(c *config.Credential) { c.TokenEndpoint = "https://a:hunter2@idp.example/" }},
		"endpoint's fragment":   {"tokenEndpoint", "a fragment", func(c *config.Credential) { c.TokenEndpoint = "https://idp.example/#hunter2" }},
		"grant without it":      {"tokenEndpoint", "are for tokenEndpoint", func(c *config.Credential) { c.TokenEndpoint, c.GrantType = "", "x" }},
		"client without it":     {"tokenEndpoint", "are for tokenEndpoint", func(c *config.Credential) { c.TokenEndpoint, c.Client = "", &config.Client{} }},
		"parameters without it": {"tokenEndpoint", "are for tokenEndpoint", func(c *config.Credential) { c.TokenEndpoint, c.Parameters = "", []config.Parameter{{Name: "a"}} }},
		"no parameter":          {"parameters[0].name", "required", func(c *config.Credential) { c.Parameters = []config.Parameter{{Value: "hunter2"}} }},
		"a parameter twice":     {"parameters[1].name", "twice", func(c *config.Credential) { c.Parameters = []config.Parameter{{Name: "scope"}, {Name: "scope"}} }},
		"a reserved parameter":  {"parameters[0].name", "leave it out", func(c *config.Credential) { c.Parameters = []config.Parameter{{Name: "client_assertion"}} }},
		"client ID":             {"clientID", "required", func(c *config.Credential) { c.Client = &config.Client{Authentication: config.ClientNone} }},
		"no client secret": {"clientSecretRef", "goes with", func(c *config.Credential) {
			c.Client = &config.Client{ID: "c", Authentication: config.ClientSecretPost}
		}},
		"needless secret": {"clientSecretRef", "goes with", func(c *config.Credential) {
			c.Client = &config.Client{ID: "c", Secret: "hunter2", Authentication: config.ClientNone}
		}},
		"client key": {"clientSecretRef", "neither a JWK", func(c *config.Credential) {
			c.Client = &config.Client{ID: "c", Secret: "hunter2", Authentication: config.PrivateKeyJWT}
		}},
		"client method": {"clientAuthenticationMethod", "not known", func(c *config.Credential) {
			c.Client = &config.Client{ID: "c", Secret: "hunter2", Authentication: "mtls"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := exchanging()
			must[*Maker](t)(Compile(c))
			row.change(c)
			_, err := Compile(c)
			var told *FieldError
			if !errors.As(err, &told) || told.Field != row.field || !strings.Contains(told.Message, row.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %s: %s", err, row.field, row.want)
			}
		})
	}
}

// TestCompileTakesTheMost guards the bounds from below.
func TestCompileTakesTheMost(t *testing.T) {
	c := exchanging()
	c.Lifetime = config.Duration(4400 * time.Hour)
	c.Claims = map[string]json.RawMessage{"a": []byte(strings.Repeat("[", 8) + `"\"]]]]]]"` + strings.Repeat("]", 8)), "b": []byte(`"` + strings.Repeat("x", 8100) + `"`)}
	for i := range 14 {
		c.Parameters = append(c.Parameters, config.Parameter{Name: fmt.Sprint("p", i)})
	}
	m := must[*Maker](t)(Compile(c))
	if token := must[Token](t)(m.JWT(now, rand.Reader)); token.ExpiresAt.Sub(now) != 4400*time.Hour || len(token.Value) > m.length() {
		t.Errorf("%s of %d bytes", token, len(token.Value))
	}
}

// TestMakersAndTokensShowNothing prints them in every way, alone and as fields.
func TestMakersAndTokensShowNothing(t *testing.T) {
	c := exchanging()
	c.Client = &config.Client{ID: "c", Secret: "hunter2", Authentication: config.ClientSecretBasic}
	m := must[*Maker](t)(Compile(c))
	token := Token{Value: "hunter2", Type: "Bearer", ExpiresAt: now}
	var log strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("", "token", token, "pointer", &token, "maker", m, "list", []Token{token})
	}
	text := must[[]byte](t)(json.Marshal(map[string]any{"token": token, "pointer": &token}))
	shown := log.String() + string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb+verb+verb, token, &token, []Token{token}) + fmt.Sprintf(verb, struct{ T Token }{token})
	}
	shown += fmt.Sprintf("%v %+v %#v %s", m, m, m, m)
	if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) || !strings.Contains(shown, "Bearer token until 2027-") {
		t.Error(shown)
	}
}

// TestRenewAt guards that a token is renewed between 80 % and 90 % of its life, whatever the jitter.
func TestRenewAt(t *testing.T) {
	token := Token{IssuedAt: now, ExpiresAt: now.Add(1000 * time.Second)}
	for jitter, want := range map[float64]time.Duration{0: 800 * time.Second, 0.5: 850 * time.Second, 1: 900 * time.Second, -3: 800 * time.Second, 7: 900 * time.Second} {
		if got := token.RenewAt(jitter).Sub(now); got < want-time.Millisecond || got > want+time.Millisecond {
			t.Errorf("jitter %v: after %s, want %s", jitter, got, want)
		}
	}
}

// BenchmarkJWT is the cost of one JWT of each algorithm.
func BenchmarkJWT(b *testing.B) {
	rsaKey := must[*rsa.PrivateKey](b)(rsa.GenerateKey(rand.Reader, 2048))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	curves := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}
	for _, algorithm := range jwk.AlgorithmNames() {
		var key any = rsaKey
		switch {
		case algorithm == "EdDSA":
			key = ed
		case strings.HasPrefix(algorithm, "HS"):
			key = []byte(secret)
		case strings.HasPrefix(algorithm, "ES"):
			key = must[*ecdsa.PrivateKey](b)(ecdsa.GenerateKey(curves[algorithm], rand.Reader))
		}
		c := credential()
		c.Key, c.Algorithm = []byte(jwkText(b, jose.JSONWebKey{Key: key})), algorithm
		m := must[*Maker](b)(Compile(c))
		b.Run(algorithm, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.JWT(now, rand.Reader); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
