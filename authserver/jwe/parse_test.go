// SPDX-License-Identifier: Apache-2.0

package jwe

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseKeyAccepts(t *testing.T) {
	l := newLab()
	r, e, s := must(New(l.rsa)), must(New(l.p256)), must(New(l.secrets[16]))
	for _, row := range []struct {
		name   string
		key    *Key
		change map[string]any
	}{
		{"as is", r, nil},
		{"use enc", r, map[string]any{"use": "enc"}},
		{"key_ops decrypt", r, map[string]any{"key_ops": []string{"decrypt", "encrypt"}}},
		{"key_ops unwrapKey", s, map[string]any{"key_ops": []string{"unwrapKey"}}},
		{"key_ops deriveKey", e, map[string]any{"key_ops": []string{"deriveKey"}}},
		{"key_ops deriveBits", e, map[string]any{"key_ops": []string{"deriveBits"}}},
		{"without dp, dq and qi", r, map[string]any{"dp": nil, "dq": nil, "qi": nil}},
		{"without primes", r, map[string]any{"p": nil, "q": nil, "dp": nil, "dq": nil, "qi": nil}},
		{"members that do not count", r, map[string]any{"x5c": []string{"garbage"}, "x5u": "https://[bad", "x5t": "short", "exp": 1}},
		{"names of another case are unknown", r, map[string]any{"Use": "sig", "KID": 1}},
	} {
		key, err := ParseKey(changed(t, row.key, row.change))
		if err != nil || !key.Equal(row.key) || key.fits != row.key.fits {
			t.Errorf("%s: %v %v", row.name, key, err)
		}
	}
	for _, alg := range []string{"A128KW", "dir", "A128GCM"} {
		key, err := ParseKey(changed(t, s, map[string]any{"alg": alg, "kid": "a/ö"}))
		if err != nil || key.Algorithm() != alg || key.ID() != "a/ö" {
			t.Errorf("alg %s: %v %v", alg, key, err)
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	l := newLab()
	r, e, s := must(New(l.rsa)), must(New(l.p256)), must(New(l.secrets[16]))
	short := must((&Key{material: must(rsa.GenerateKey(rand.Reader, 1024))}).MarshalJSON())
	if _, err := ParseKey(short); err == nil || !strings.Contains(err.Error(), "RSA key has 1024 bits") {
		t.Errorf("1024 bits: %v", err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	for _, row := range []struct {
		name   string
		key    *Key
		change map[string]any
		want   string
	}{
		{"public RSA", r, map[string]any{"d": nil, "p": nil, "q": nil}, "needs the private one"},
		{"public EC", e, map[string]any{"d": nil}, "needs the private one"},
		{"use sig", r, map[string]any{"use": "sig"}, `use is "sig": this key must have enc or no use`},
		{"use empty", r, map[string]any{"use": ""}, `use is ""`},
		{"use number", r, map[string]any{"use": 1}, "member use is not a string"},
		{"key_ops verify", r, map[string]any{"key_ops": []string{"verify"}}, "key_ops does not contain decrypt or unwrapKey"},
		{"key_ops string", r, map[string]any{"key_ops": "decrypt"}, "key_ops is not an array"},
		{"alg for signatures", r, map[string]any{"alg": "RS256"}, `alg "RS256" does not decrypt`},
		{"alg RSA1_5", r, map[string]any{"alg": "RSA1_5"}, "does not decrypt"},
		{"alg PBES2", s, map[string]any{"alg": "PBES2-HS256+A128KW"}, "does not decrypt"},
		{"alg A128GCMKW", s, map[string]any{"alg": "A128GCMKW"}, "does not decrypt"},
		{"alg empty", r, map[string]any{"alg": ""}, `alg is ""`},
		{"alg number", r, map[string]any{"alg": 1}, "member alg is not a string"},
		{"alg of another type", r, map[string]any{"alg": "dir"}, "dir needs a key of type oct"},
		{"alg of another length", s, map[string]any{"alg": "A256KW"}, "needs a key of 32 bytes, this one has 16"},
		{"kid number", r, map[string]any{"kid": 1}, "member kid is not a string"},
		{"kid too long", r, map[string]any{"kid": strings.Repeat("k", 1025)}, "kid has 1025 bytes"},
		{"no kty", r, map[string]any{"kty": nil}, "kty is not supported"},
		{"kty OKP", e, map[string]any{"kty": "OKP", "crv": "X25519"}, "kty is not supported"},
		{"crv P-224", e, map[string]any{"crv": "P-224"}, "crv is not supported"},
		{"crv P-384 on P-256", e, map[string]any{"crv": "P-384"}, "do not make a valid private key"},
		{"no crv", e, map[string]any{"crv": nil}, "crv is not supported"},
		{"no p but q", r, map[string]any{"p": nil}, "member p is missing"},
		{"no primes and another d", r, map[string]any{"p": nil, "q": nil, "d": b64(flip(l.rsa.D.Bytes(), 5))}, "n, e and d of the RSA key do not belong together"},
		{"no primes and d of one", r, map[string]any{"p": nil, "q": nil, "d": "AQ", "e": "AQ"}, "do not belong together"},
		{"no primes and a long d", r, map[string]any{"p": nil, "q": nil, "d": strings.Repeat("A", 1000)}, "too long"},
		{"no primes and no d", r, map[string]any{"p": nil, "q": nil, "d": nil}, "needs the private one"},
		{"n padded", r, map[string]any{"n": "AA==", "x": 1}, "member n is not base64url"},
		{"other primes", r, map[string]any{"oth": []any{}}, "more than two primes"},
		{"p and q of another key", r, map[string]any{"p": b64([]byte{11}), "q": b64([]byte{13})}, "do not make a valid private key"},
		{"d of another key", r, map[string]any{"d": b64(flip(l.rsa.D.Bytes(), 5))}, "valid private key"},
		{"e = 3", r, map[string]any{"e": "Aw"}, "valid private key"},
		{"EC d of another key", e, map[string]any{"d": b64(flip(l.p256.D.FillBytes(make([]byte, 32)), 9))}, "do not belong together"},
		{"EC d zero", e, map[string]any{"d": b64(make([]byte, 32))}, "out of range"},
		{"x and y off the curve", e, map[string]any{"x": b64(make([]byte, 32))}, "valid private key"},
		{"no k", s, map[string]any{"k": nil}, "member k is missing"},
		{"k empty", s, map[string]any{"k": ""}, "symmetric key has 0 bytes"},
		{"k of 20 bytes", s, map[string]any{"k": b64(make([]byte, 20))}, "symmetric key has 20 bytes"},
	} {
		key, err := ParseKey(changed(t, row.key, row.change))
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "reading JWK") || len(err.Error()) > 400 {
			t.Errorf("%s: %v, %v, want %q", row.name, key, err, row.want)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "array": "[]", "kty twice": `{"kty":"oct","kty":"oct","k":"AA"}`, "PEM": "-----BEGIN", "two": `{"kty":"oct"}{}`,
		"too long": `{"kty":"oct","k":"` + strings.Repeat("A", 512<<10) + `"}`,
	} {
		if key, err := ParseKey([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, key)
		}
	}
}

// document makes a JWKS of keys' texts.
func document(keys ...[]byte) []byte {
	return []byte(`{"keys":[` + string(bytes.Join(keys, []byte(","))) + `]}`)
}

func TestParseSet(t *testing.T) {
	l := newLab()
	jwk := func(material any, id string, change map[string]any) []byte {
		return changed(t, must(must(New(material)).With(id, "")), change)
	}
	r, e, s := jwk(l.rsa, "r", nil), jwk(l.p256, "e", nil), jwk(l.secrets[16], "s", nil)
	for _, row := range []struct {
		name     string
		text     []byte
		want     []string
		problems []string
	}{
		{"keys of several types", document(r, e, s), []string{"r", "e", "s"}, nil},
		{"no keys", document(), nil, nil},
		{"unusable keys are passed over", document(jwk(l.rsa, "v", map[string]any{"use": "sig"}), r, []byte(`{}`), jwk(l.p256, "p", map[string]any{"d": nil})), []string{"r"},
			[]string{`keys[0] (kid "v"): use is "sig"`, `keys[2]: kty is not supported`, `keys[3] (kid "p"): this is a public key`}},
		{"one kid, two keys", document(s, jwk([]byte("0123456789abcdef"), "s", nil)), []string{"s", "s"}, []string{`keys[1] (kid "s"): a token that names it also fits keys[0]`}},
		{"one kid, two types", document(r, jwk(l.p256, "r", nil)), []string{"r", "r"}, nil},
		{"a repeated key", document(r, e, r), []string{"r", "e"}, []string{`keys[2] (kid "r"): repeats keys[0]`}},
		{"one with and one without a kid", document(r, jwk(must(rsa.GenerateKey(rand.Reader, 2048)), "", nil)), []string{"r", ""}, []string{`keys[1]: a token that names it also fits keys[0]`}},
	} {
		keys, problems, err := ParseSet(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		var ids []string
		for _, k := range keys {
			ids = append(ids, k.ID())
		}
		if !slices.Equal(ids, row.want) || len(problems) != len(row.problems) {
			t.Errorf("%s: keys %q, problems %v", row.name, ids, problems)
			continue
		}
		for i, p := range problems {
			if !strings.HasPrefix(p.String(), row.problems[i]) {
				t.Errorf("%s: problem %q, want %q", row.name, p, row.problems[i])
			}
		}
	}
	for name, text := range map[string]string{
		"one JWK": string(r), "no object": "[]", "keys is an object": `{"keys":{}}`, "a string in keys": `{"keys":["x"]}`,
		"101 keys": string(document(slices.Repeat([][]byte{[]byte(`{}`)}, 101)...)), "too long": `{"keys":[],"x":"` + strings.Repeat("x", 512<<10) + `"}`,
	} {
		if keys, _, err := ParseSet([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "reading JWKS: ") {
			t.Errorf("%s: %v, %v", name, keys, err)
		}
	}
}

func TestParsePEM(t *testing.T) {
	l := newLab()
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pkcs8, pkcs1 := block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(l.rsa))), block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(l.rsa))
	sec1 := block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(l.p384)))
	spki := block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&l.rsa.PublicKey)))
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for name, row := range map[string]struct {
		text string
		want []any
	}{
		"PKCS#8":             {pkcs8, []any{l.rsa}},
		"PKCS#8 of EC":       {block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(l.p521))), []any{l.p521}},
		"PKCS#1":             {pkcs1, []any{l.rsa}},
		"SEC 1":              {block("EC PARAMETERS", []byte{6, 5, 43, 129, 4, 0, 34}) + sec1, []any{l.p384}},
		"two and some words": {"a comment\n" + pkcs8 + "another\n" + sec1, []any{l.rsa, l.p384}},
	} {
		keys, err := ParsePEM([]byte(row.text))
		if err != nil || len(keys) != len(row.want) {
			t.Errorf("%s: %v %v", name, keys, err)
			continue
		}
		for i, k := range keys {
			if !k.Equal(must(New(row.want[i]))) {
				t.Errorf("%s: key %d is %v", name, i, k)
			}
		}
	}
	for name, row := range map[string]struct{ text, want string }{
		"empty":              {"", "there is no key"},
		"only parameters":    {block("EC PARAMETERS", []byte{6, 5, 43, 129, 4, 0, 34}), "there is no key"},
		"public":             {spki, "PEM block 1: this is a public key"},
		"public after":       {pkcs8 + spki, "PEM block 2: this is a public key"},
		"certificate":        {block("CERTIFICATE", []byte{1}), "this is a public key"},
		"encrypted PKCS#8":   {block("ENCRYPTED PRIVATE KEY", []byte{1}), "the key is encrypted: decrypt it"},
		"encrypted PKCS#1":   {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", "the key is encrypted"},
		"OpenSSH":            {block("OPENSSH PRIVATE KEY", []byte{1}), "only PRIVATE KEY"},
		"Ed25519":            {block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(ed))), "PEM block 1: Ed25519 is not supported: use RSA"},
		"X25519":             {block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(must(ecdh.X25519().GenerateKey(rand.Reader))))), "PEM block 1: X25519 is not supported: use RSA"},
		"cut":                {pkcs8[:len(pkcs8)/2], "PEM block 1 does not decode"},
		"garbage":            {block("PRIVATE KEY", []byte("hunter2")), "the content is not a valid private key"},
		"too short":          {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(rand.Reader, 1024)))), "RSA key has 1024 bits"},
		"more than 512 KiB":  {pkcs8 + strings.Repeat(" ", 512<<10), "at most 524288"},
		"more than 100 keys": {strings.Repeat(block("PRIVATE KEY", []byte{1}), 101), "PEM has 101 blocks"},
	} {
		if keys, err := ParsePEM([]byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v, want %q", name, keys, err, row.want)
		}
	}
}

// FuzzParseKeys guards that no document makes the parsers panic, and that what they accept
// they read back from what they write.
func FuzzParseKeys(f *testing.F) {
	l := newLab()
	for _, material := range []any{l.rsa, l.p256, l.p521, l.secrets[16], l.secrets[64]} {
		text := must(must(New(material)).MarshalJSON())
		f.Add(text)
		f.Add(document(text, text))
	}
	f.Add([]byte(`{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAA","alg":"A128GCM","use":"enc","key_ops":["decrypt"]}`))
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(l.p256))}))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, problems, err := ParseSet(text)
		if err == nil && len(keys)+len(problems) > 2*maxPEMKeys {
			t.Fatalf("%d keys, %d problems", len(keys), len(problems))
		}
		if more, err := ParsePEM(text); err == nil {
			keys = append(keys, more...)
		}
		if key, err := ParseKey(text); err == nil {
			keys = append(keys, key)
		}
		for _, key := range keys {
			again, err := ParseKey(must(key.MarshalJSON()))
			if err != nil || !again.Equal(key) || fmt.Sprint(again) != fmt.Sprint(key) {
				t.Fatalf("%v is read back as %v, %v", key, again, err)
			}
		}
	})
}
