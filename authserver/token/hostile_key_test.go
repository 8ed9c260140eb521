// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// hostileKeys are tokens for which there is no one key.
func hostileKeys(t testing.TB, l *lab) []hostile {
	good := l.claims(t, goodPayload)
	noKid := l.head(t, `{"alg":"RS256"}`)
	anonymous := must(jwk.New(&l.rsa.PublicKey))
	other := named(&l.attacker.PublicKey, "other")
	twin := named(&l.attacker.PublicKey, "rsa")
	onlyPS := must(l.rsaKey.With("", "PS256"))
	es256 := `{"alg":"ES256","kid":"ec384"}`
	return []hostile{
		{name: "no keys", raw: good, want: ReasonUnknownKey, set: jwk.NewSet()},
		{name: "no keys, no kid", raw: noKid, want: ReasonUnknownKey, set: jwk.NewSet()},
		{name: "kid of another set", raw: good, want: ReasonUnknownKey, set: jwk.NewSet(other)},
		{name: "no kid, two keys", raw: noKid, want: ReasonAmbiguousKey, set: jwk.NewSet(l.rsaKey, other)},
		{name: "no kid, two keys of different types", raw: noKid, want: ReasonAmbiguousKey, set: jwk.NewSet(l.rsaKey, l.ecKey)},
		{name: "two keys without an ID", raw: good, want: ReasonAmbiguousKey, set: jwk.NewSet(anonymous, must(jwk.New(&l.attacker.PublicKey)))},
		{name: "a key with the kid and one without an ID", raw: good, want: ReasonAmbiguousKey, set: jwk.NewSet(l.rsaKey, anonymous)},
		{name: "two keys with the kid", raw: good, want: ReasonAmbiguousKey, set: jwk.NewSet(twin, l.rsaKey)},
		{name: "the key is for PS256", raw: good, want: ReasonKeyMismatch, set: jwk.NewSet(onlyPS)},
		{name: "ES256 with a P-384 key", raw: sign(t, jwt.SigningMethodRS256, l.rsa, es256, goodPayload), want: ReasonKeyMismatch, rules: l.every, set: jwk.NewSet(l.ec384Key)},
		{name: "RS256 with an EC key", raw: l.head(t, `{"alg":"RS256","kid":"ec"}`), want: ReasonKeyMismatch, set: jwk.NewSet(l.ecKey)},
		{name: "RS256 with an Ed25519 key", raw: l.head(t, `{"alg":"RS256"}`), want: ReasonKeyMismatch, set: jwk.NewSet(l.edKey)},
		{name: "HS512 with a secret of 32 bytes", raw: sign(t, jwt.SigningMethodHS512, l.secret[:32], `{"alg":"HS512"}`, goodPayload), want: ReasonKeyMismatch, rules: l.every, set: jwk.NewSet(named(l.secret[:32], ""))},
		{name: "HS384 with a secret of 47 bytes", raw: sign(t, jwt.SigningMethodHS384, l.secret[:47], `{"alg":"HS384"}`, goodPayload), want: ReasonKeyMismatch, rules: l.every, set: jwk.NewSet(named(l.secret[:47], ""))},
	}
}

// hostileConfusion sign with HMAC over what everybody knows: the public key in each of its
// spellings (CVE-2015-9235 and its successors).
func hostileConfusion(t testing.TB, l *lab) []hostile {
	spki := must(x509.MarshalPKIXPublicKey(&l.rsa.PublicKey))
	pkcs1 := x509.MarshalPKCS1PublicKey(&l.rsa.PublicKey)
	pemOf := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	var rows []hostile
	for name, secret := range map[string][]byte{
		"SPKI PEM":            pemOf("PUBLIC KEY", spki),
		"SPKI PEM, trimmed":   []byte(strings.TrimSpace(string(pemOf("PUBLIC KEY", spki)))),
		"SPKI DER":            spki,
		"SPKI base64":         []byte(base64.StdEncoding.EncodeToString(spki)),
		"PKCS#1 PEM":          pemOf("RSA PUBLIC KEY", pkcs1),
		"PKCS#1 DER":          pkcs1,
		"modulus":             l.rsa.N.Bytes(),
		"modulus, base64url":  []byte(base64.RawURLEncoding.EncodeToString(l.rsa.N.Bytes())),
		"JWK":                 must(l.rsaKey.MarshalJSON()),
		"JWKS":                must(l.set.MarshalJSON()),
		"thumbprint":          []byte(l.rsaKey.Thumbprint()),
		"kid":                 []byte("rsa"),
		"nothing":             {},
		"32 zero bytes":       make([]byte, 32),
		"the word secret":     []byte("secret"),
		"modulus with a sign": slices.Concat([]byte{0}, l.rsa.N.Bytes()),
	} {
		raw := sign(t, jwt.SigningMethodHS256, secret, `{"alg":"HS256","kid":"rsa"}`, goodPayload)
		both := &Rules{Algorithms: []string{"RS256", "HS256"}, Types: l.rules.Types}
		rows = append(rows,
			hostile{name: "HMAC over " + name, raw: raw, want: ReasonAlgorithm},
			hostile{name: "HMAC over " + name + ", HS256 in the policy", raw: raw, want: ReasonKeyMismatch, rules: both},
		)
	}
	for name, key := range map[string]struct {
		secret []byte
		key    *jwk.Key
	}{
		"Ed25519 key": {l.edKey.Material().(ed25519.PublicKey), l.edKey},
		"EC point":    {must(l.p256.PublicKey.Bytes()), l.ecKey},
	} {
		raw := sign(t, jwt.SigningMethodHS256, key.secret, `{"alg":"HS256"}`, goodPayload)
		rows = append(rows, hostile{name: "HMAC over " + name, raw: raw, want: ReasonKeyMismatch, rules: l.every, set: jwk.NewSet(key.key)})
	}
	return append(rows, hostileHMAC(t, l)...)
}

// hostileHMAC try a symmetric key's policy.
func hostileHMAC(t testing.TB, l *lab) []hostile {
	set := jwk.NewSet(l.hmacKey)
	input := b64(`{"alg":"HS256","kid":"hs"}`) + "." + b64(goodPayload)
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	good := mac(l.secret, input)
	var rows []hostile
	for name, sig := range map[string][]byte{
		"truncated to 16 bytes": good[:16],
		"truncated by a byte":   good[:31],
		"with a byte more":      slices.Concat(good, []byte{0}),
		"twice":                 slices.Concat(good, good),
		"of zeros":              make([]byte, 32),
		"with an empty key":     mac(nil, input),
		"over the payload only": mac(l.secret, b64(goodPayload)),
		"plain SHA-256":         func() []byte { s := sha256.Sum256([]byte(input)); return s[:] }(),
		"with a padded secret":  mac(slices.Concat(l.secret, []byte{'\n'}), input),
	} {
		rows = append(rows, hostile{name: "HMAC " + name, raw: input + "." + base64.RawURLEncoding.EncodeToString(sig), want: ReasonSignature, rules: l.every, set: set})
	}
	return append(rows, hostile{name: "HS256 header, HS512 MAC", raw: sign(t, jwt.SigningMethodHS512, l.secret, `{"alg":"HS256","kid":"hs"}`, goodPayload), want: ReasonSignature, rules: l.every, set: set})
}

// flip changes one bit of a signature.
func flip(sig []byte, i int) []byte {
	c := slices.Clone(sig)
	c[i] ^= 1
	return c
}

// withSignature puts a signature to an input.
func withSignature(head string, sig []byte) string {
	return b64(head) + "." + b64(goodPayload) + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// hostileRSA are RSA signatures that are nearly right.
func hostileRSA(t testing.TB, l *lab) []hostile {
	input := b64(goodHeader) + "." + b64(goodPayload)
	good := must(jwt.SigningMethodRS256.Sign(input, l.rsa))
	sum := sha256.Sum256([]byte(input))
	var rows []hostile
	add := func(name string, sig []byte) {
		rows = append(rows, hostile{name: "RS256 " + name, raw: withSignature(goodHeader, sig), want: ReasonSignature})
	}
	add("first bit flipped", flip(good, 0))
	add("last bit flipped", flip(good, len(good)-1))
	add("truncated", good[:len(good)-1])
	add("with a byte more", slices.Concat(good, []byte{0}))
	add("with a zero in front", slices.Concat([]byte{0}, good))
	add("of zeros", make([]byte, len(good)))
	add("of one byte", []byte{1})
	add("equal to the modulus", l.rsa.N.Bytes())
	add("plus the modulus", new(big.Int).Add(new(big.Int).SetBytes(good), l.rsa.N).Bytes())
	add("of another key", must(jwt.SigningMethodRS256.Sign(input, l.attacker)))
	add("of another payload", must(jwt.SigningMethodRS256.Sign(b64(goodHeader)+"."+b64(extra(`"x":1`)), l.rsa)))
	add("with SHA-512", must(jwt.SigningMethodRS512.Sign(input, l.rsa)))
	add("made with PSS", must(jwt.SigningMethodPS256.Sign(input, l.rsa)))
	add("without a hash prefix", must(rsa.SignPKCS1v15(rand.Reader, l.rsa, 0, sum[:])))

	pss := `{"alg":"PS256","kid":"rsa"}`
	pssSum := sha256.Sum256([]byte(b64(pss) + "." + b64(goodPayload)))
	for name, salt := range map[string]int{"the longest salt": rsa.PSSSaltLengthAuto, "20 bytes of salt": 20, "31 bytes of salt": 31, "33 bytes of salt": 33} {
		sig := must(rsa.SignPSS(rand.Reader, l.rsa, crypto.SHA256, pssSum[:], &rsa.PSSOptions{SaltLength: salt}))
		rows = append(rows, hostile{name: "PS256 with " + name, raw: withSignature(pss, sig), want: ReasonSignature, rules: l.every})
	}
	return append(rows,
		hostile{name: "PS256 header, RS256 signature", raw: sign(t, jwt.SigningMethodRS256, l.rsa, pss, goodPayload), want: ReasonSignature, rules: l.every},
		hostile{name: "PS256 header, PS384 signature", raw: sign(t, jwt.SigningMethodPS384, l.rsa, pss, goodPayload), want: ReasonSignature, rules: l.every},
		hostile{name: "header exchanged", raw: b64(`{"alg":"RS256","kid":"rsa"}`) + strings.TrimPrefix(l.claims(t, goodPayload), b64(goodHeader)), want: ReasonSignature},
	)
}

// hostileECDSA are ECDSA signatures out of range or of the wrong form (CVE-2022-21449).
func hostileECDSA(t testing.TB, l *lab) []hostile {
	const head = `{"alg":"ES256","kid":"ec"}`
	good := must(jwt.SigningMethodES256.Sign(b64(head)+"."+b64(goodPayload), l.p256))
	sum := sha256.Sum256([]byte(b64(head) + "." + b64(goodPayload)))
	r, s := good[:32], good[32:]
	n := elliptic.P256().Params().N.Bytes()
	zero, one, ones := make([]byte, 32), append(make([]byte, 31), 1), slices.Repeat([]byte{0xff}, 32)
	var rows []hostile
	for name, sig := range map[string][]byte{
		"zero":              slices.Concat(zero, zero),
		"r zero":            slices.Concat(zero, s),
		"s zero":            slices.Concat(r, zero),
		"r zero, s one":     slices.Concat(zero, one),
		"one":               slices.Concat(one, one),
		"r the order":       slices.Concat(n, s),
		"s the order":       slices.Concat(r, n),
		"both the order":    slices.Concat(n, n),
		"all ones":          slices.Concat(ones, ones),
		"swapped":           slices.Concat(s, r),
		"63 bytes":          good[:63],
		"65 bytes":          slices.Concat(good, []byte{0}),
		"zero in front":     slices.Concat([]byte{0}, good),
		"one zero byte":     {0},
		"padded to 96":      slices.Concat(make([]byte, 16), r, make([]byte, 16), s),
		"DER":               must(l.p256.Sign(rand.Reader, sum[:], crypto.SHA256)),
		"DER of zero":       {0x30, 6, 2, 1, 0, 2, 1, 0},
		"a bit flipped":     flip(good, 40),
		"of a P-384 key":    must(jwt.SigningMethodES384.Sign(b64(head)+"."+b64(goodPayload), l.p384)),
		"of another digest": must(jwt.SigningMethodES256.Sign(b64(head), l.p256)),
	} {
		rows = append(rows, hostile{name: "ES256 signature " + name, raw: withSignature(head, sig), want: ReasonSignature, rules: l.every, set: jwk.NewSet(l.ecKey)})
	}
	return rows
}

// hostileEd25519 are Ed25519 signatures in a second spelling (RFC 8032 §5.1.7).
func hostileEd25519(t testing.TB, l *lab) []hostile {
	const head = `{"alg":"EdDSA","kid":"ed"}`
	good := must(jwt.SigningMethodEdDSA.Sign(b64(head)+"."+b64(goodPayload), l.ed))
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	plusOrder := func() []byte {
		s := slices.Clone(good[32:])
		slices.Reverse(s)
		b := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
		slices.Reverse(b)
		return b
	}()
	var rows []hostile
	for name, sig := range map[string][]byte{
		"with S plus the order": slices.Concat(good[:32], plusOrder),
		"of zeros":              make([]byte, 64),
		"R of order one":        slices.Concat([]byte{1}, make([]byte, 63)),
		"truncated":             good[:63],
		"with a byte more":      slices.Concat(good, []byte{0}),
		"a bit flipped":         flip(good, 63),
		"of all ones":           slices.Repeat([]byte{0xff}, 64),
		"of another message":    must(jwt.SigningMethodEdDSA.Sign("x", l.ed)),
	} {
		rows = append(rows, hostile{name: "EdDSA " + name, raw: withSignature(head, sig), want: ReasonSignature, rules: l.every, set: jwk.NewSet(l.edKey)})
	}
	return rows
}
