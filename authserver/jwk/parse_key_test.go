// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"
)

// certificate self-signs one for a public key with the RSA key of the lab.
func certificate(t testing.TB, l *lab, public any, name string, parent *x509.Certificate) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0), // long expired: dates do not count
		IsCA: parent == nil, BasicConstraintsValid: true,
	}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, l.rsa)
	if err != nil {
		t.Fatal(err)
	}
	return must(x509.ParseCertificate(der))
}

// zeroFirst puts a zero octet in front of what a member encodes.
func zeroFirst(text string) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte{0}, must(base64.RawURLEncoding.DecodeString(text))...))
}

func TestParseKeyAccepts(t *testing.T) {
	l := newLab()
	r, e, s := l.of("RS256"), l.of("ES256"), must(Symmetric(l.secret))
	chain := []string{base64.StdEncoding.EncodeToString(certificate(t, l, &l.rsa.PublicKey, "entra", nil).Raw)}
	for _, row := range []struct {
		name   string
		key    *Key
		change map[string]any
		fits   string
	}{
		{"as is", r, nil, "RS256"},
		{"use sig", r, map[string]any{"use": "sig"}, "PS512"},
		{"key_ops verify", e, map[string]any{"key_ops": []string{"verify"}}, "ES256"},
		{"key_ops sign and verify", s, map[string]any{"key_ops": []string{"sign", "verify"}}, "HS512"},
		{"Entra ID: x5c and no alg", r, map[string]any{"use": "sig", "x5c": chain, "x5t": "AAAA", "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}, "RS256"},
		{"x5u is not looked at", r, map[string]any{"x5u": "https://[bad", "x5t#S256": "short"}, "RS256"},
		{"unknown members", r, map[string]any{"exp": 1, "foo": []any{}}, "RS256"},
		{"modulus with a zero octet in front", r, map[string]any{"n": zeroFirst(members(t, r)["n"].(string))}, "RS256"},
		{"empty kid", r, map[string]any{"kid": ""}, "RS256"},
		{"names of another case are unknown", r, map[string]any{"D": "AQAB", "Use": "enc", "KID": 1}, "RS256"},
	} {
		key, err := ParseKey(changed(t, row.key, row.change))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if !key.sameMaterial(row.key) || key.id != row.key.id || key.alg != row.key.alg || key.Fits(row.fits) != nil {
			t.Errorf("%s: %v, fits %s: %v", row.name, key, row.fits, key.Fits(row.fits))
		}
	}
	key, err := ParseKey(changed(t, e, map[string]any{"kid": "a/ö", "alg": "ES256"}))
	if err != nil || key.ID() != "a/ö" || key.Algorithm() != "ES256" {
		t.Errorf("kid and alg: %v %v", key, err)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	l := newLab()
	r, e, o, s := l.of("RS256"), l.of("ES256"), l.of("EdDSA"), must(Symmetric(l.secret))
	text := func(k *Key, name string) string { return members(t, k)[name].(string) }
	otherCert := []string{base64.StdEncoding.EncodeToString(certificate(t, l, &l.p256.PublicKey, "other", nil).Raw)}
	for _, row := range []struct {
		name   string
		key    *Key
		change map[string]any
		want   string
	}{
		{"private RSA", r, map[string]any{"d": "AQAB"}, "openssl pkey"},
		{"RSA with a prime", r, map[string]any{"p": "AQAB"}, "openssl pkey"},
		{"RSA with other primes", r, map[string]any{"oth": []any{}}, "openssl pkey"},
		{"private EC", e, map[string]any{"d": text(e, "x")}, "openssl pkey"},
		{"private Ed25519", o, map[string]any{"d": text(o, "x")}, "openssl pkey"},
		{"d null", o, map[string]any{"d": struct{}{}}, "openssl pkey"},
		{"use enc", r, map[string]any{"use": "enc"}, `use is "enc"`},
		{"use empty", r, map[string]any{"use": ""}, `use is ""`},
		{"use SIG", r, map[string]any{"use": "SIG"}, `use is "SIG"`},
		{"use array", r, map[string]any{"use": []string{"sig"}}, "member use is not a string"},
		{"key_ops sign", r, map[string]any{"key_ops": []string{"sign"}}, "key_ops does not contain verify"},
		{"key_ops empty", r, map[string]any{"key_ops": []string{}}, "key_ops does not contain verify"},
		{"key_ops Verify", r, map[string]any{"key_ops": []string{"Verify"}}, "key_ops does not contain verify"},
		{"key_ops string", r, map[string]any{"key_ops": "verify"}, "key_ops is not an array of strings"},
		{"key_ops numbers", r, map[string]any{"key_ops": []any{"verify", 1}}, "key_ops is not an array of strings"},
		{"key_ops twice", r, map[string]any{"key_ops": []string{"verify", "verify"}}, "key_ops has a value twice"},
		{"alg for encryption", r, map[string]any{"alg": "RSA-OAEP"}, `alg "RSA-OAEP" does not verify signatures`},
		{"alg none", r, map[string]any{"alg": "none"}, `alg "none"`},
		{"alg empty", r, map[string]any{"alg": ""}, `alg ""`},
		{"alg in lower case", r, map[string]any{"alg": "rs256"}, `alg "rs256"`},
		{"alg number", r, map[string]any{"alg": 1}, "member alg is not a string"},
		{"alg of another type", r, map[string]any{"alg": "ES256"}, "ES256 needs a key of type EC"},
		{"alg of another curve", e, map[string]any{"alg": "ES384"}, "ES384 needs curve P-384"},
		{"alg too strong for the secret", must(Symmetric(l.secret[:32])), map[string]any{"alg": "HS512"}, "at least 64 bytes"},
		{"kid number", r, map[string]any{"kid": 1}, "member kid is not a string"},
		{"kid too long", r, map[string]any{"kid": strings.Repeat("k", 1025)}, "kid has 1025 bytes"},
		{"no kty", r, map[string]any{"kty": nil}, "kty or crv is not supported"},
		{"kty in lower case", r, map[string]any{"kty": "rsa"}, "kty or crv is not supported"},
		{"kty AKP", r, map[string]any{"kty": "AKP"}, "kty or crv is not supported"},
		{"kty EC, RSA members", r, map[string]any{"kty": "EC", "crv": "P-256"}, "member x is missing"},
		{"kty number", r, map[string]any{"kty": 1}, "member kty is not a string"},
		{"crv P-224", e, map[string]any{"crv": "P-224"}, "kty or crv is not supported"},
		{"crv P-384 on P-256", e, map[string]any{"crv": "P-384"}, "wrong length for x"},
		{"crv of 100 KiB", e, map[string]any{"crv": strings.Repeat("P", 100<<10)}, "kty or crv is not supported"},
		{"crv secp256k1", e, map[string]any{"crv": "secp256k1"}, "kty or crv is not supported"},
		{"no crv", e, map[string]any{"crv": nil}, "kty or crv is not supported"},
		{"crv X25519", o, map[string]any{"crv": "X25519"}, "kty or crv is not supported"},
		{"crv Ed448", o, map[string]any{"crv": "Ed448"}, "kty or crv is not supported"},
		{"no n", r, map[string]any{"n": nil}, "member n is missing"},
		{"no e", r, map[string]any{"e": nil}, "member e is missing"},
		{"n empty", r, map[string]any{"n": ""}, "RSA key has 0 bits"},
		{"n number", r, map[string]any{"n": 3}, "member n is not a string"},
		{"n padded", r, map[string]any{"n": text(r, "n") + "=="}, "member n is not base64url"},
		{"n in standard base64", r, map[string]any{"n": "+/" + text(r, "n")}, "member n is not base64url"},
		{"n with a newline", r, map[string]any{"n": text(r, "n")[:4] + "\n" + text(r, "n")[4:]}, "member n is not base64url"},
		{"e = 3", r, map[string]any{"e": "Aw"}, "RSA exponent is 3"},
		{"e = 1", r, map[string]any{"e": "AQ"}, "bad e value"},
		{"e of 5 bytes", r, map[string]any{"e": "AQAAAAE"}, "RSA exponent is 4294967297"},
		{"e of 9 bytes whose low ones are 65537", r, map[string]any{"e": "AQAAAAAAAQAB"}, "bad e value"},
		{"modulus of 1024 bits", r, map[string]any{"n": strings.Repeat("_", 170) + "w"}, "RSA key has 1024 bits"},
		{"no y", e, map[string]any{"y": nil}, "member y is missing"},
		{"x and y exchanged", e, map[string]any{"x": text(e, "y"), "y": text(e, "x")}, "not on declared curve"},
		{"x short", e, map[string]any{"x": text(e, "x")[:40]}, "wrong length for x"},
		{"x with a zero octet in front", e, map[string]any{"x": zeroFirst(text(e, "x"))}, "wrong length for x"},
		{"point at infinity", e, map[string]any{"x": strings.Repeat("A", 43), "y": strings.Repeat("A", 43)}, "not on declared curve"},
		{"Ed25519 short", o, map[string]any{"x": text(o, "x")[:40]}, "wrong length for x"},
		{"Ed25519 of small order", o, map[string]any{"x": "AQ" + strings.Repeat("A", 41)}, "low-order"},
		{"no k", s, map[string]any{"k": nil}, "member k is missing"},
		{"k short", s, map[string]any{"k": "c2VjcmV0"}, "secret has 6 bytes"},
		{"k long", s, map[string]any{"k": strings.Repeat("A", 1400)}, "secret has 1050 bytes"},
		{"k in an RSA key", r, map[string]any{"k": text(s, "k")}, "member k does not belong"},
		{"x5c of another key", r, map[string]any{"x5c": otherCert}, "do not match"},
		{"x5c garbage", r, map[string]any{"x5c": []string{"AAAA"}}, "x5c"},
		{"x5c in a secret", s, map[string]any{"x5c": otherCert}, "cert chain"},
	} {
		jwk := changed(t, row.key, row.change)
		key, err := ParseKey(jwk)
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "reading JWK") || len(err.Error()) > 300 {
			t.Errorf("%s: %v, %v, want %q", row.name, key, err, row.want)
			continue
		}
		for name, value := range members(t, row.key) {
			if v, ok := value.(string); ok && len(v) > 16 && strings.Contains(err.Error(), v[:16]) {
				t.Errorf("%s: the error quotes %s: %v", row.name, name, err)
			}
		}
	}
}

func TestParseKeyJSON(t *testing.T) {
	good := string(must(must(newLab().of("ES256").With("a", "")).MarshalJSON()))
	body := strings.TrimSuffix(good, "}")
	for name, row := range map[string]struct{ text, want string }{
		"empty":                 {"", "not a JSON object"},
		"array":                 {"[" + good + "]", "not a JSON object"},
		"string":                {`"x"`, "not a JSON object"},
		"unclosed":              {body, "not valid JSON"},
		"two keys":              {good + good, "something after"},
		"garbage after":         {good + "x", "something after"},
		"kty twice":             {body + `,"kty":"RSA"}`, "member name twice"},
		"kid twice, escaped":    {body + `,"k\u0069d":"b"}`, "member name twice"},
		"nested duplicate":      {body + `,"x":{"a":1,"a":2}}`, ""},
		"invalid UTF-8":         {body + ",\"z\":\"\xff\"}", "not valid JSON"},
		"half a surrogate":      {body + `,"z":"\ud800"}`, "not valid JSON"},
		"comment":               {body + "/**/}", "not valid JSON"},
		"more than 512 KiB":     {body + `,"z":"` + strings.Repeat("x", 512<<10) + `"}`, "at most 524288 are allowed"},
		"PEM instead of a JWK":  {"-----BEGIN PUBLIC KEY-----", "not a JSON object"},
		"a set instead of JWK":  {`{"keys":[` + good + `]}`, "kty or crv is not supported"},
		"base64 of the JWK":     {base64.StdEncoding.EncodeToString([]byte(good)), "not a JSON object"},
		"unknown kty, long kid": {`{"kty":"x","kid":"` + strings.Repeat("k", 900) + `"}`, "…"},
	} {
		if key, err := ParseKey([]byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) || len(err.Error()) > 500 {
			t.Errorf("%s: %v, %v, want %q", name, key, err, row.want)
		}
	}
}
