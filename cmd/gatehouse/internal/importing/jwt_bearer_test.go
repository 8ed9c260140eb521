// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/cmd/gatehouse/internal/importing"
)

const (
	jbSecret = "0123456789abcdef0123456789abcdef"
	jbPEM    = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgS+ORug6IMcvkCMUz
t2w73905yWffYhKwSriIFtL4XeihRANCAARPuJcy1Ilb9yjycIuod2CJ+0ehF8tz
RbkIVyDPw9YG9C5iYPpSKLh7yKe5VkoYy/UMJET4mSQxGPZxxMV1FG1d
-----END PRIVATE KEY-----
`
	jbAt  = "IdentityProvider/jwt-bearer spec.jwtBearer."
	jbURL = "Jwt Auth OAuth2 Access Token Request URL"
)

// jwtBearerText is a file with the least that it takes and what is put over it; nil removes.
func jwtBearerText(t *testing.T, changes map[string]any) string {
	t.Helper()
	all := map[string]any{
		"Jwt Auth Private Key": jbSecret, "Jwt Auth Algorithm": "HS256", "Jwt Auth Claims Expiry Seconds": 600,
		"Jwt Auth Claims Issuer": "me", "Jwt Auth Claims Audience": "https://api.example", "Jwt Auth Claims Subject": "robot",
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestJWTBearerFields guards what becomes of each field of the form.
func TestJWTBearerFields(t *testing.T) {
	text := func(changes map[string]any) string { return jwtBearerText(t, changes) }
	endpoint := "https://api.example/token"
	runFields(t, "jwt-bearer", []fieldCase{
		{name: "Jwt Auth Private Key, a secret", text: text(nil), want: map[string]string{jbAt + "keySecretRef": `{"key":"key","name":"jwt-bearer-key"}`},
			secret: map[string]string{"jwt-bearer-key/key": jbSecret}},
		{name: "Jwt Auth Private Key, a path", text: text(map[string]any{"Jwt Auth Private Key": "/etc/keys/api.pem", "Jwt Auth Algorithm": "RS256"}),
			want: map[string]string{jbAt + "keySecretRef.key": `"key.pem"`}, comment: []string{"key.pem: the file whose path is the value of Jwt Auth Private Key"}, secret: map[string]string{"jwt-bearer-key/key.pem": ""}},
		{name: "Jwt Auth Private Key, a secret that ends in a line break", text: text(map[string]any{"Jwt Auth Private Key": jbSecret + "\n"}),
			want: map[string]string{jbAt + "keySecretRef.key": `"key.jwk"`}, secret: map[string]string{"jwt-bearer-key/key.jwk": `{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYK"}`}},
		{name: "Jwt Auth Private Key, a JWK", text: text(map[string]any{"Jwt Auth Private Key": `{"kty":"oct","k":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}`}),
			want: map[string]string{jbAt + "keySecretRef.key": `"key.jwk"`}},
		{name: "Jwt Auth Private Key, one that does not fit", text: text(map[string]any{"Jwt Auth Algorithm": "RS256"}), secret: map[string]string{"jwt-bearer-key/key.pem": ""},
			comment: []string{"key.pem: a private key for RS256 that the other side knows, as PEM or JWK. The value of Jwt Auth Private Key is none: "}},
		{name: "Jwt Auth Private Key, a short secret", text: text(map[string]any{"Jwt Auth Private Key": "too-short"}), secret: map[string]string{"jwt-bearer-key/key": ""},
			comment: []string{"key: a secret for HS256 of at least 32 bytes, which the other side has to know too. The value of Jwt Auth Private Key is none: "}},
		{name: "Jwt Auth Private Key, PEM on one line", text: text(map[string]any{"Jwt Auth Algorithm": "ES256", "Jwt Auth Private Key": strings.ReplaceAll(jbPEM, "\n", `\n`)}), secret: map[string]string{"jwt-bearer-key/key.pem": jbPEM}},
		{name: "Jwt Auth Algorithm", text: text(nil), want: map[string]string{jbAt + "algorithm": `"HS256"`}},
		{name: "Jwt Auth Claims Expiry Seconds", text: text(map[string]any{"Jwt Auth Claims Expiry Seconds": "3661"}), want: map[string]string{jbAt + "lifetime": `"1h1m1s"`}},
		{name: "Jwt Auth Claims Expiry Seconds, not set", text: text(map[string]any{"Jwt Auth Claims Expiry Seconds": nil}), want: map[string]string{jbAt + "lifetime": ""},
			comment: []string{"Jwt Auth Claims Expiry Seconds: not set: 1h, the default"}},
		{name: "Jwt Auth Claims Issuer", text: text(nil), want: map[string]string{jbAt + "issuer": `"me"`}},
		{name: "Jwt Auth Claims Audience", text: text(nil), want: map[string]string{jbAt + "audience": `"https://api.example"`}},
		{name: "Jwt Auth Claims Subject", text: text(nil), want: map[string]string{jbAt + "subject": `"robot"`}},
		{name: "Jwt Auth Headers", text: text(map[string]any{"Jwt Auth Headers": map[string]any{"alg": "HS256", "typ": "at+jwt", "kid": "k-1", "x": 1}}),
			want: map[string]string{jbAt + "headers": `{"typ":"at+jwt","x":1}`, jbAt + "keyID": `"k-1"`}},
		{name: "Jwt Auth Headers, alone with alg", text: text(map[string]any{"Jwt Auth Headers": `{"alg": "HS256"}`}), want: map[string]string{jbAt + "headers": "", jbAt + "keyID": ""}},
		{name: "Jwt Auth Additional Claims", text: text(map[string]any{"Jwt Auth Additional Claims": `{"scope": "read", "n": 9007199254740993, "f": 1.5, "deep": {"a": [true, null, {"b": "c"}]}, "no": "no"}`}),
			want: map[string]string{jbAt + "additionalClaims": `{"deep":{"a":[true,null,{"b":"c"}]},"f":1.5,"n":9007199254740992,"no":"no","scope":"read"}`}},
		{name: "Jwt Auth Additional Claims, made ones", text: text(map[string]any{"Jwt Auth Additional Claims": map[string]any{"iat": 1, "exp": 2, "jti": "x"}}),
			want: map[string]string{jbAt + "additionalClaims": ""}, comment: []string{"iat is not carried over", "exp is not carried over", "jti is not carried over"}},
		{name: "Jwt Auth Additional Claims, over the fields", text: text(map[string]any{"Jwt Auth Additional Claims": map[string]any{"iss": "you", "sub": "other", "aud": []string{"https://other.example"}}}),
			want:    map[string]string{jbAt + "issuer": `"you"`, jbAt + "subject": `"other"`, jbAt + "audience": `"https://other.example"`, jbAt + "additionalClaims": ""},
			comment: []string{"aud is a field of its own now; as before, it counts in place of the form's field"}},
		{name: "Jwt Auth Additional Claims, secrets", text: text(map[string]any{"Jwt Auth Additional Claims": map[string]any{"api_key": "never-print-this", "nested": map[string]any{"password": "never-print-this"}}}),
			want: map[string]string{jbAt + "additionalClaims": ""}, comment: []string{"api_key is not carried over: its name looks like a secret's", "nested is not carried over"}},
		{name: "Jwt Auth Additional Claims, inexact", text: text(map[string]any{"Jwt Auth Additional Claims": `{"n": 12345678901234567890}`}), want: map[string]string{jbAt + "additionalClaims": ""}, comment: []string{"n is not carried over: it holds a number"}},
		{name: jbURL, text: text(map[string]any{jbURL: endpoint}), want: map[string]string{jbAt + "tokenEndpoint": `"` + endpoint + `"`, jbAt + "grantType": ""}},
		{name: jbURL + ", not set", text: text(nil), want: map[string]string{jbAt + "tokenEndpoint": ""}},
		{name: "Custom Grant Type", text: text(map[string]any{jbURL: endpoint, "Jwt Auth Custom OAuth Request Options": map[string]any{"Custom Grant Type": "urn:x"}}), want: map[string]string{jbAt + "grantType": `"urn:x"`}},
		{name: "Custom Grant Type, in text", text: text(map[string]any{jbURL: endpoint, "jwtAuthCustomOAuthRequestOptions": `{"customGrantType":"urn:x","resource":"y"}`}), want: map[string]string{jbAt + "grantType": `"urn:x"`},
			comment: []string{"resource is not carried over: the importer does not know it"}},
		{name: "Custom Grant Type, beside the fields", text: text(map[string]any{jbURL: endpoint, "custom_grant_type": "urn:x"}), want: map[string]string{jbAt + "grantType": `"urn:x"`}},
		{name: "Custom Grant Type, the default", text: text(map[string]any{jbURL: endpoint, "Custom Grant Type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}), want: map[string]string{jbAt + "grantType": ""}},
		{name: "Custom Grant Type, without an endpoint", text: text(map[string]any{"Custom Grant Type": "urn:x"}), want: map[string]string{jbAt + "grantType": ""}, comment: []string{"without Jwt Auth OAuth2 Access Token Request URL the JWT itself is the bearer token"}},
		{name: "nobody may", text: text(nil), want: map[string]string{jbAt + "allowedCallers": "", jbAt + "outputSecretName": ""}, comment: []string{"Nobody can have the token yet"}},
		{name: "options", text: text(nil), options: []string{"allowed-callers=tenant == 'acme'", "output-secret=api"}, want: map[string]string{jbAt + "allowedCallers": `"tenant == 'acme'"`, jbAt + "outputSecretName": `"api"`}},
		{name: "unknown settings", text: text(map[string]any{"Jwt Auth Colour": "x", "retries": 3}), comment: []string{"Jwt Auth Colour (line 7): not carried over: the importer does not know it", "retries (line"}},
	})
}

// TestJWTBearerSpellings guards that a field means the same however its name is written.
func TestJWTBearerSpellings(t *testing.T) {
	want, _ := imported(t, "jwt-bearer", jwtBearerText(t, map[string]any{jbURL: "https://api.example/token"}))
	for _, spell := range []func(string) string{
		strings.ToLower, strings.ToUpper,
		func(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "_")) },
		func(s string) string { return strings.ReplaceAll(s, " ", "-") },
		func(s string) string {
			s = strings.ReplaceAll(s, " ", "")
			return strings.ToLower(s[:1]) + s[1:]
		},
		func(s string) string { return strings.TrimPrefix(s, "Jwt Auth ") },
		func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "Jwt Auth "), "Claims ") },
	} {
		var fields map[string]any
		if err := json.Unmarshal([]byte(jwtBearerText(t, map[string]any{jbURL: "https://api.example/token"})), &fields); err != nil {
			t.Fatal(err)
		}
		spelt := map[string]any{}
		for name, value := range fields {
			spelt[spell(name)] = value
		}
		text, err := json.Marshal(spelt)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := imported(t, "jwt-bearer", string(text)); got != want {
			t.Errorf("%v:\n%s\nwant\n%s", spelt, got, want)
		}
	}
}

// TestJWTBearerMistakes guards that what cannot be served is a mistake with its line, and never repeated.
func TestJWTBearerMistakes(t *testing.T) {
	cases := []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"no key", map[string]any{"Jwt Auth Private Key": nil}, "Jwt Auth Private Key is missing or empty"},
		{"no algorithm", map[string]any{"Jwt Auth Algorithm": ""}, "Jwt Auth Algorithm is missing or empty"},
		{"no issuer", map[string]any{"Jwt Auth Claims Issuer": nil}, "Jwt Auth Claims Issuer is missing or empty"},
		{"another algorithm", map[string]any{"Jwt Auth Algorithm": "none"}, "Jwt Auth Algorithm: want one of"},
		{"another alg", map[string]any{"Jwt Auth Headers": map[string]any{"alg": "RS256"}}, "Jwt Auth Headers: alg is not Jwt Auth Algorithm: the two must be the same"},
		{"crit", map[string]any{"Jwt Auth Headers": map[string]any{"crit": []string{"x"}}}, "Jwt Auth Headers: crit is not allowed"},
		{"kid", map[string]any{"Jwt Auth Headers": map[string]any{"kid": 1}}, "Jwt Auth Headers: kid: want a text of at most 256 bytes"},
		{"headers that are text", map[string]any{"Jwt Auth Headers": "unfit"}, "Jwt Auth Headers: it is text, and what it holds is no JSON"},
		{"headers that are a list", map[string]any{"Jwt Auth Headers": []string{"unfit"}}, "Jwt Auth Headers: want a JSON object"},
		{"several audiences", map[string]any{"Jwt Auth Additional Claims": map[string]any{"aud": []string{"unfit", "b"}}}, "Jwt Auth Additional Claims: aud: want one text of one line"},
		{"nbf", map[string]any{"Jwt Auth Additional Claims": map[string]any{"nbf": "unfit"}}, "Jwt Auth Additional Claims: nbf: want a number"},
		{"deep claims", map[string]any{"Jwt Auth Additional Claims": `{"a":[[[[[[[["unfit"]]]]]]]]}`}, "Jwt Auth Additional Claims: it is nested deeper than 8 levels"},
		{"long claims", map[string]any{"Jwt Auth Additional Claims": map[string]any{"a": strings.Repeat("unfit", 2000)}}, "Jwt Auth Additional Claims: it has more than 8192 bytes"},
		{"a lifetime", map[string]any{"Jwt Auth Claims Expiry Seconds": "unfit"}, "Jwt Auth Claims Expiry Seconds: want a whole number from 10 to 15840000"},
		{"a URL", map[string]any{jbURL: "unfit"}, jbURL + ": want an https URL"},
		{"an endpoint without subject", map[string]any{jbURL: "https://api.example/token", "Jwt Auth Claims Subject": nil}, jbURL + ": a token endpoint needs Jwt Auth Claims Subject too (RFC 7523 section 3)"},
		{"twice", map[string]any{"jwt_auth_algorithm": "HS256"}, "Jwt Auth Algorithm: it is there twice"},
		{"two grant types", map[string]any{jbURL: "https://api.example/token", "Custom Grant Type": "urn:a", "Jwt Auth Custom OAuth Request Options": map[string]any{"Custom Grant Type": "urn:b"}}, "Custom Grant Type: want one text, in one place"},
		{"a grant type of two words", map[string]any{jbURL: "https://api.example/token", "Custom Grant Type": "un fit"}, "Custom Grant Type: want one word of printable ASCII"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := importing.Import("jwt-bearer", input("jwt-bearer", jwtBearerText(t, c.changes)))
			if len(importing.AsMistakes(err)) == 0 || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), "unfit") {
				t.Errorf("the mistake repeats the file: %v", err)
			}
		})
	}
	for text, want := range map[string]string{
		"[]": "want a mapping of names to values", "{": "it ends too early", `{"colour": 1}`: "it has no setting of JWT Bearer Auth",
	} {
		if _, err := importing.Import("jwt-bearer", input("jwt-bearer", text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := importing.Import("jwt-bearer", input("jwt-bearer", jwtBearerText(t, nil), "output-secret=Not A Name")); err == nil || !strings.Contains(err.Error(), "--output-secret is") {
		t.Error(err)
	}
}
