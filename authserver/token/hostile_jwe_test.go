// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// sealing holds the keys that decrypt and the policies for encrypted tokens. The verification
// rules are those of the lab.
type sealing struct {
	*lab
	kek, dek                  []byte // for A128KW, for dir with A256GCM
	optional, required, every *Rules // RSA-OAEP-256 with A256GCM; the same, required; all algorithms and keys
	direct                    *Rules // A128KW and dir, and Direct
}

func newSealing(l *lab) *sealing {
	s := &sealing{lab: l, kek: []byte("0123456789abcdef"), dek: []byte("0123456789abcdef0123456789abcdef")}
	key := func(material any, id string) *jwe.Key { return must(must(jwe.New(material)).With(id, "")) }
	r, e := key(l.rsa, "enc"), key(l.p256, "ec")
	k, d := key(s.kek, "kek"), key(s.dek, "dek")
	with := func(e *Encryption) *Rules {
		c := *l.rules
		c.Encryption = e
		return &c
	}
	s.optional = with(&Encryption{KeyAlgorithms: []string{"RSA-OAEP-256"}, ContentAlgorithms: []string{"A256GCM"}, Keys: jwe.NewSet(r)})
	s.required = with(&Encryption{KeyAlgorithms: []string{"RSA-OAEP-256"}, ContentAlgorithms: []string{"A256GCM"}, Keys: jwe.NewSet(r), Required: true})
	s.every = with(&Encryption{KeyAlgorithms: jwe.KeyAlgorithms(), ContentAlgorithms: jwe.ContentAlgorithms(), Keys: jwe.NewSet(r, e, k, d)})
	s.direct = with(&Encryption{KeyAlgorithms: []string{"A128KW", "dir"}, ContentAlgorithms: []string{"A256GCM", "A128CBC-HS256"}, Keys: jwe.NewSet(k, d), Required: true, Direct: true})
	return s
}

// rsaSeal encrypts to the RSA key under a header.
func (s *sealing) rsaSeal(t testing.TB, header, plaintext string) jwetest.Parts {
	return jwetest.Seal(t, jwetest.Input{Key: &s.rsa.PublicKey, Alg: "RSA-OAEP-256", Enc: "A256GCM", Header: header, Plaintext: plaintext})
}

// members encrypts the good token under a header with more members.
func (s *sealing) members(t testing.TB, more string) string {
	return s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc"`+more+`}`, s.claims(t, goodPayload)).String()
}

// inside encrypts any plaintext under the good header.
func (s *sealing) inside(t testing.TB, plaintext string) string {
	return s.rsaSeal(t, goodJWE, plaintext).String()
}

const (
	goodJWE     = `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc","cty":"JWT"}`
	goodDirect  = `{"alg":"dir","enc":"A256GCM","kid":"dek","typ":"JWT"}`
	goodWrapped = `{"alg":"A128KW","enc":"A256GCM","kid":"kek","typ":"JWT"}`
)

// dirSeal encrypts with the shared content key.
func (s *sealing) dirSeal(t testing.TB, header, plaintext string) jwetest.Parts {
	return jwetest.Seal(t, jwetest.Input{Key: s.dek, Alg: "dir", Enc: "A256GCM", Header: header, Plaintext: plaintext})
}

func hostileJWEs(t testing.TB, l *lab) []hostile {
	s := newSealing(l)
	return slices.Concat(s.forms(t), s.headers(t), s.algorithms(t), s.keys(t), s.confusion(t), s.tampered(t), s.ephemeral(t), s.nested(t), s.directs(t), s.claimsInside(t))
}

// forms are a JWS where a JWE is due, the reverse, and segments that are none.
func (s *sealing) forms(t testing.TB) []hostile {
	good := s.inside(t, s.claims(t, goodPayload))
	p := strings.Split(good, ".")
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	var rows []hostile
	add := func(name, raw string, want Reason, r *Rules) {
		rows = append(rows, hostile{name: "JWE: " + name, raw: raw, want: want, rules: r})
	}
	add("where only a JWS is accepted", good, ReasonEncrypted, s.rules)
	add("a JWS where a JWE is required", s.claims(t, goodPayload), ReasonJWERequired, s.required)
	add("an unsigned JWS where a JWE is required", b64(`{"alg":"none"}`)+"."+b64(goodPayload)+".", ReasonJWERequired, s.required)
	add("of four segments", join(p[:4]...), ReasonSegments, s.optional)
	add("of six segments", good+".AAAA", ReasonSegments, s.optional)
	add("of nine segments", good+"."+join(p[1:]...), ReasonSegments, s.optional)
	add("with a trailing dot", good+".", ReasonSegments, s.optional)
	add("without header", join("", p[1], p[2], p[3], p[4]), ReasonSegments, s.optional)
	add("of five empty segments", "....", ReasonSegments, s.optional)
	add("JSON serialization", fmt.Sprintf(`{"protected":%q,"encrypted_key":%q,"iv":%q,"ciphertext":%q,"tag":%q}`, p[0], p[1], p[2], p[3], p[4]), ReasonCharacters, s.optional)
	add("too long", join(p[0], p[1], p[2], strings.Repeat("A", MaxLength), p[4]), ReasonTooLong, s.optional)
	add("thousands of dots", strings.Repeat(".", MaxLength-1), ReasonSegments, s.optional)
	for i, name := range []string{"header", "encrypted key", "iv", "ciphertext", "tag"} {
		for suffix, text := range map[string]string{"padding": "=", "a space": " ", "a line break": "\n", "a plus": "+"} {
			c := slices.Clone(p)
			c[i] += text
			add(suffix+" after the "+name, join(c...), ReasonCharacters, s.optional)
		}
		c := slices.Clone(p)
		c[i] = "AAAAA"
		add("an impossible length of the "+name, join(c...), ReasonBase64, s.optional)
		c[i] = "AB"
		add("stray bits in the "+name, join(c...), ReasonBase64, s.optional)
	}
	return rows
}

// headers are wrong in form or ask for what no token may.
func (s *sealing) headers(t testing.TB) []hostile {
	var rows []hostile
	good := s.claims(t, goodPayload)
	header := func(name, header string, want Reason) {
		rows = append(rows, hostile{name: "JWE header: " + name, raw: s.rsaSeal(t, header, good).String(), want: want, rules: s.optional})
	}
	header("not JSON", "alg", ReasonJSON)
	header("an array", `["RSA-OAEP-256"]`, ReasonJSON)
	header("something after it", goodJWE+"{}", ReasonJSON)
	header("invalid UTF-8", strings.Replace(goodJWE, "enc\"", "enc\xff\"", 1), ReasonJSON)
	header("deeper than 16", strings.TrimSuffix(goodJWE, "}")+`,"x":`+nest(16)+`}`, ReasonJSONLimits)
	header("257 members", strings.TrimSuffix(goodJWE, "}")+`,`+names(253)+`}`, ReasonJSONLimits)
	for _, name := range []string{"alg", "enc", "kid", "cty"} {
		header(name+" twice", strings.TrimSuffix(goodJWE, "}")+`,"`+name+`":"x"}`, ReasonDuplicateMember)
		header(name+" twice, once escaped", strings.TrimSuffix(goodJWE, "}")+`,"\u00`+fmt.Sprintf("%x", name[0])+name[1:]+`":"x"}`, ReasonDuplicateMember)
	}
	header("epk with a member twice", strings.TrimSuffix(goodJWE, "}")+`,"epk":{"kty":"EC","kty":"EC"}}`, ReasonDuplicateMember)
	more := func(name, member string, want Reason) {
		rows = append(rows, hostile{name: "JWE header: " + name, raw: s.members(t, ","+member), want: want, rules: s.optional})
	}
	for _, value := range []string{"null", "1", "true", `["JWT"]`, `{}`} {
		more("cty is "+value, `"cty":`+value, ReasonHeader)
		more("typ is "+value, `"typ":`+value, ReasonHeader)
		more("apu is "+value, `"apu":`+value, ReasonHeader)
		header("enc is "+value, `{"alg":"RSA-OAEP-256","enc":`+value+`}`, ReasonHeader)
		header("alg is "+value, `{"alg":`+value+`,"enc":"A256GCM"}`, ReasonHeader)
		header("kid is "+value, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":`+value+`}`, ReasonHeader)
	}
	more("apv padded", `"apv":"AAA="`, ReasonHeader)
	more("apv with a line break", `"apv":"AA\nAA"`, ReasonHeader)
	more("apu longer than 1 KiB", `"apu":"`+strings.Repeat("A", 1368)+`"`, ReasonHeader)
	more("crit", `"crit":["exp"],"exp":1`, ReasonCritical)
	more("crit empty", `"crit":[]`, ReasonCritical)
	more("crit with enc", `"crit":["enc"]`, ReasonCritical)
	more("b64", `"b64":true`, ReasonB64)
	for _, cty := range []string{"", "JWE", "JOSE", "jwt ", "text/jwt", "application/", "application/application/jwt", "JWT\x00", "JWS", "json", "application/jwt;v=1"} {
		more(fmt.Sprintf("cty %q", cty), `"cty":`+quoteJSON(cty), ReasonContentType)
	}
	return append(rows, s.bombs(t)...)
}

// bombs are cheap to send and costly to read.
func (s *sealing) bombs(t testing.TB) []hostile {
	var deflated bytes.Buffer
	w := must(flate.NewWriter(&deflated, flate.BestCompression))
	_, _ = w.Write(bytes.Repeat([]byte("a"), 4<<20))
	_ = w.Close()
	zip := func(plaintext string) string {
		return s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc","zip":"DEF"}`, plaintext).String()
	}
	pbes := must(must(jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.PBES2_HS256_A128KW, Key: s.kek, PBES2Count: 1000}, nil)).Encrypt([]byte(s.claims(t, goodPayload))))
	pbes2 := must(pbes.CompactSerialize())
	named := func(e *Encryption) *Rules {
		c := *s.rules
		c.Encryption = e
		return &c
	}
	inPolicy := named(&Encryption{KeyAlgorithms: []string{"PBES2-HS256+A128KW", "PBES2-HS512+A256KW"}, ContentAlgorithms: []string{"A256GCM"}, Keys: s.direct.Encryption.Keys})
	costly := func(count string) string {
		return s.rsaSeal(t, `{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","kid":"kek","p2s":"AAAAAAAAAAAAAAAA","p2c":`+count+`}`, "x").String()
	}
	return []hostile{
		{name: "JWE: a zip bomb", raw: zip(deflated.String()), want: ReasonZip, rules: s.every},
		{name: "zip that is none", raw: zip(s.claims(t, goodPayload)), want: ReasonZip, rules: s.every},
		{name: "JWE: zip null", raw: s.members(t, `,"zip":null`), want: ReasonZip, rules: s.every},
		{name: "zip GZ", raw: s.members(t, `,"zip":"GZ"`), want: ReasonZip, rules: s.every},
		{name: "PBES2 with 2,147,483,647 rounds", raw: costly("2147483647"), want: ReasonAlgorithm, rules: s.every},
		{name: "PBES2 with rounds beyond numbers", raw: costly(strings.Repeat("9", 33)), want: ReasonJSONLimits, rules: s.every},
		{name: "PBES2 in the policy, 2,147,483,647 rounds", raw: costly("2147483647"), want: ReasonKeyMismatch, rules: inPolicy},
		{name: "PBES2 with the shared key as password", raw: pbes2, want: ReasonAlgorithm, rules: s.every},
		{name: "a JWE of the largest size", raw: s.inside(t, strings.Repeat("A", 11_000)), want: ReasonSegments, rules: s.optional},
	}
}

// algorithms are outside the policy, or of no policy.
func (s *sealing) algorithms(t testing.TB) []hostile {
	var rows []hostile
	good := s.claims(t, goodPayload)
	for _, alg := range []string{
		"", "none", "None", "rsa-oaep-256", "RSA-OAEP-256 ", "RSA-OAEP", "RSA-OAEP-384", "RSA-OAEP-512", "RSA1_5", "dir", "DIR", "A128KW", "A256KW", "A128GCMKW", "A256GCMKW",
		"ECDH-ES", "ECDH-ES+A128KW", "ECDH-1PU", "PBES2-HS256+A128KW", "RS256", "HS256", "*",
	} {
		header := fmt.Sprintf(`{"alg":%s,"enc":"A256GCM","kid":"enc"}`, quoteJSON(alg))
		rows = append(rows, hostile{name: fmt.Sprintf("JWE alg %q", alg), raw: s.rsaSeal(t, header, good).String(), want: ReasonAlgorithm, rules: s.optional})
	}
	for _, enc := range []string{"", "none", "A128GCM", "A192GCM", "a256gcm", "A256GCM ", "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A256CBC+HS512", "A128CBC", "C20P", "XC20P", "HS256"} {
		header := fmt.Sprintf(`{"alg":"RSA-OAEP-256","enc":%s,"kid":"enc"}`, quoteJSON(enc))
		rows = append(rows, hostile{name: fmt.Sprintf("JWE enc %q", enc), raw: s.rsaSeal(t, header, good).String(), want: ReasonContentAlgorithm, rules: s.optional})
	}
	for _, row := range []struct {
		name, header string
		want         Reason
	}{
		{"no alg", `{"enc":"A256GCM"}`, ReasonAlgorithm},
		{"ALG", `{"ALG":"RSA-OAEP-256","enc":"A256GCM"}`, ReasonAlgorithm},
		{"no enc", `{"alg":"RSA-OAEP-256"}`, ReasonContentAlgorithm},
		{"ENC", `{"alg":"RSA-OAEP-256","ENC":"A256GCM"}`, ReasonContentAlgorithm},
		{"a JWS's header", goodHeader, ReasonAlgorithm},
	} {
		rows = append(rows, hostile{name: "JWE with " + row.name, raw: s.rsaSeal(t, row.header, good).String(), want: row.want, rules: s.optional})
	}
	empty := *s.optional
	empty.Encryption = &Encryption{Keys: s.optional.Encryption.Keys}
	pkcs1 := must(must(must(jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.RSA1_5, Key: &s.rsa.PublicKey, KeyID: "enc"}, nil)).Encrypt([]byte(good))).CompactSerialize())
	named := *s.optional
	named.Encryption = &Encryption{KeyAlgorithms: []string{"RSA1_5", "none", ""}, ContentAlgorithms: []string{"A256GCM", "none", ""}, Keys: s.optional.Encryption.Keys}
	unsealed := b64(`{"alg":"none","enc":"none","kid":"enc"}`) + "..." + b64(good) + "."
	return append(rows,
		hostile{name: "a policy without key algorithms", raw: s.inside(t, good), want: ReasonAlgorithm, rules: &empty},
		hostile{name: "RSA1_5", raw: pkcs1, want: ReasonAlgorithm, rules: s.every},
		hostile{name: "RSA1_5 in the policy", raw: pkcs1, want: ReasonKeyMismatch, rules: &named},
		hostile{name: "alg and enc none", raw: unsealed, want: ReasonAlgorithm, rules: s.every},
		hostile{name: "alg and enc none in the policy", raw: unsealed, want: ReasonKeyMismatch, rules: &named},
	)
}

// keys are tokens for which there is no one key that decrypts.
func (s *sealing) keys(t testing.TB) []hostile {
	good := s.claims(t, goodPayload)
	with := func(keys ...*jwe.Key) *Rules {
		c := *s.every
		e := *c.Encryption
		e.Keys, c.Encryption = jwe.NewSet(keys...), &e
		return &c
	}
	key := func(material any, id, alg string) *jwe.Key { return must(must(jwe.New(material)).With(id, alg)) }
	r := key(s.rsa, "enc", "")
	noKid := s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM"}`, good).String()
	raw := s.inside(t, good)
	return []hostile{
		{name: "JWE: no keys", raw: raw, want: ReasonUnknownKey, rules: with()},
		{name: "JWE: nil keys", raw: raw, want: ReasonUnknownKey, rules: &Rules{Algorithms: s.rules.Algorithms, Types: s.rules.Types, Encryption: &Encryption{KeyAlgorithms: []string{"RSA-OAEP-256"}, ContentAlgorithms: []string{"A256GCM"}}}},
		{name: "JWE: unknown kid", raw: s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"other"}`, good).String(), want: ReasonUnknownKey, rules: s.optional},
		{name: "JWE: kid of a verification key", raw: s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"rsa"}`, good).String(), want: ReasonUnknownKey, rules: s.every},
		{name: "JWE: empty kid", raw: s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":""}`, good).String(), want: ReasonUnknownKey, rules: s.optional},
		{name: "JWE: a path as kid", raw: s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"../../enc"}`, good).String(), want: ReasonUnknownKey, rules: s.optional},
		{name: "JWE: no kid, several keys", raw: noKid, want: ReasonAmbiguousKey, rules: s.every},
		{name: "JWE: two keys with the kid", raw: raw, want: ReasonAmbiguousKey, rules: with(r, key(s.attacker, "enc", ""))},
		{name: "JWE: a key with the kid and one without", raw: raw, want: ReasonAmbiguousKey, rules: with(r, key(s.attacker, "", ""))},
		{name: "JWE: the key is for RSA-OAEP", raw: raw, want: ReasonKeyMismatch, rules: with(key(s.rsa, "enc", "RSA-OAEP"))},
		{name: "JWE: an EC key for RSA-OAEP-256", raw: raw, want: ReasonKeyMismatch, rules: with(key(s.p256, "enc", ""))},
		{name: "JWE: dir with a key of another length", raw: s.dirSeal(t, `{"alg":"dir","enc":"A128GCM","kid":"dek"}`, good).String(), want: ReasonKeyMismatch, rules: s.every},
		{name: "JWE: to another key", raw: jwetest.Seal(t, jwetest.Input{Key: &s.attacker.PublicKey, Alg: "RSA-OAEP-256", Enc: "A256GCM", Header: goodJWE, Plaintext: good}).String(), want: ReasonDecryption, rules: s.optional},
		{name: "JWE: a jwk in the header", raw: jwetest.Seal(t, jwetest.Input{Key: &s.attacker.PublicKey, Alg: "RSA-OAEP-256", Enc: "A256GCM", Plaintext: good,
			Header: `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc","jwk":` + string(must(must(jwe.New(s.attacker)).MarshalJSON())) + `}`}).String(), want: ReasonDecryption, rules: s.optional},
	}
}

// confusion uses what everybody knows as a secret, and keys for what they are not for.
func (s *sealing) confusion(t testing.TB) []hostile {
	good := s.claims(t, goodPayload)
	spki := must(x509.MarshalPKIXPublicKey(&s.rsa.PublicKey))
	var rows []hostile
	for name, secret := range map[string][]byte{
		"the RSA public key": spki[:32],
		"the modulus":        s.rsa.N.Bytes()[:32],
		"zeros":              make([]byte, 32),
		"the kid":            append([]byte("enc"), make([]byte, 29)...),
	} {
		for _, row := range []struct {
			alg  string
			size int
			kid  string
			want Reason
		}{{"dir", 32, "enc", ReasonKeyMismatch}, {"A256KW", 32, "enc", ReasonKeyMismatch}, {"A128KW", 16, "kek", ReasonDecryption}, {"dir", 32, "dek", ReasonDecryption}} {
			header := fmt.Sprintf(`{"alg":%q,"enc":"A256GCM","kid":%q}`, row.alg, row.kid)
			p := jwetest.Seal(t, jwetest.Input{Key: secret[:row.size], Alg: row.alg, Enc: "A256GCM", Header: header, Plaintext: good})
			rows = append(rows, hostile{name: fmt.Sprintf("%s as the key of %s for kid %s", name, row.alg, row.kid), raw: p.String(), want: row.want, rules: s.every})
		}
	}
	// A signed token is no encrypted one, whatever its header says, and the reverse.
	jws := strings.Split(good, ".")
	hs := sign(t, jwt.SigningMethodHS256, s.dek, `{"alg":"HS256","kid":"dek"}`, goodPayload)
	return append(rows,
		hostile{name: "a JWS with two empty segments", raw: good + "..", want: ReasonAlgorithm, rules: s.every},
		hostile{name: "a JWS's segments as a JWE", raw: b64(goodJWE) + "." + jws[2] + ".AAAAAAAAAAAAAAAA." + jws[1] + ".AAAAAAAAAAAAAAAAAAAAAA", want: ReasonDecryption, rules: s.every},
		hostile{name: "a JWE's header on a JWS", raw: s.head(t, goodJWE), want: ReasonAlgorithm, rules: s.every},
		hostile{name: "a JWE's alg in the signature policy", raw: s.head(t, `{"alg":"dir","kid":"rsa"}`), want: ReasonKeyMismatch, rules: &Rules{Algorithms: []string{"dir"}, Types: s.rules.Types, Encryption: s.every.Encryption}},
		hostile{name: "enc in the header of the token inside", raw: s.rsaSeal(t, goodJWE, s.head(t, `{"alg":"RS256","enc":"A256GCM","kid":"rsa"}`)).String(), want: ReasonHeader, rules: s.every},
		hostile{name: "a JWS's alg in the encryption policy", raw: s.rsaSeal(t, `{"alg":"RS256","enc":"A256GCM","kid":"enc"}`, good).String(), want: ReasonKeyMismatch,
			rules: &Rules{Algorithms: s.rules.Algorithms, Types: s.rules.Types, Encryption: &Encryption{KeyAlgorithms: []string{"RS256"}, ContentAlgorithms: []string{"A256GCM"}, Keys: s.every.Encryption.Keys}}},
		hostile{name: "an HMAC with the decryption key", raw: hs, want: ReasonUnknownKey, rules: &Rules{Algorithms: jwk.AlgorithmNames(), Types: s.rules.Types, Encryption: s.every.Encryption}},
		hostile{name: "an HMAC with the decryption key inside a JWE", raw: s.inside(t, hs), want: ReasonAlgorithm, rules: s.every},
	)
}

// tampered change what is authenticated, or cut it.
func (s *sealing) tampered(t testing.TB) []hostile {
	good := s.claims(t, goodPayload)
	var rows []hostile
	for name, seal := range map[string]func() jwetest.Parts{
		"RSA-OAEP-256": func() jwetest.Parts { return s.rsaSeal(t, goodJWE, good) },
		"dir":          func() jwetest.Parts { return s.dirSeal(t, goodDirect, good) },
		"A128KW with CBC": func() jwetest.Parts {
			return jwetest.Seal(t, jwetest.Input{Key: s.kek, Alg: "A128KW", Enc: "A128CBC-HS256", Header: `{"alg":"A128KW","enc":"A128CBC-HS256","kid":"kek"}`, Plaintext: good})
		},
	} {
		for change, f := range map[string]func(p *jwetest.Parts){
			"header":                           func(p *jwetest.Parts) { p.Header = strings.Replace(p.Header, "}", `,"x":1}`, 1) },
			"header, a space":                  func(p *jwetest.Parts) { p.Header += " " },
			"iv":                               func(p *jwetest.Parts) { p.IV = flip(p.IV, 0) },
			"iv cut":                           func(p *jwetest.Parts) { p.IV = p.IV[:8] },
			"iv empty":                         func(p *jwetest.Parts) { p.IV = nil },
			"ciphertext":                       func(p *jwetest.Parts) { p.Ciphertext = flip(p.Ciphertext, 20) },
			"ciphertext, a bit of its padding": func(p *jwetest.Parts) { p.Ciphertext = flip(p.Ciphertext, len(p.Ciphertext)-1) },
			"ciphertext cut by a block":        func(p *jwetest.Parts) { p.Ciphertext = p.Ciphertext[:len(p.Ciphertext)-16] },
			"ciphertext empty":                 func(p *jwetest.Parts) { p.Ciphertext = nil },
			"tag":                              func(p *jwetest.Parts) { p.Tag = flip(p.Tag, 15) },
			"tag of 12 bytes":                  func(p *jwetest.Parts) { p.Tag = p.Tag[:12] },
			"tag of a byte":                    func(p *jwetest.Parts) { p.Tag = p.Tag[:1] },
			"tag empty":                        func(p *jwetest.Parts) { p.Tag = nil },
			"tag twice":                        func(p *jwetest.Parts) { p.Tag = slices.Concat(p.Tag, p.Tag) },
			"encrypted key of zeros":           func(p *jwetest.Parts) { p.EncryptedKey = make([]byte, len(p.EncryptedKey)+1) },
			"another's encrypted key":          func(p *jwetest.Parts) { p.EncryptedKey = seal().EncryptedKey; p.Tag = seal().Tag },
		} {
			p := seal()
			f(&p)
			rows = append(rows, hostile{name: name + ", tampered: " + change, raw: p.String(), want: ReasonDecryption, rules: s.every})
		}
	}
	for name, key := range map[string][]byte{"empty": {}, "of 8 bytes": make([]byte, 8), "of 16 bytes": make([]byte, 16), "of 24 bytes": make([]byte, 24), "of 7 bytes": make([]byte, 7), "of a modulus": make([]byte, 256)} {
		p := jwetest.Seal(t, jwetest.Input{Key: s.kek, Alg: "A128KW", Enc: "A256GCM", Header: goodWrapped, Plaintext: good})
		p.EncryptedKey = key
		rows = append(rows, hostile{name: "A128KW with an encrypted key " + name, raw: p.String(), want: ReasonDecryption, rules: s.every})
		p = s.rsaSeal(t, goodJWE, good)
		p.EncryptedKey = key
		rows = append(rows, hostile{name: "RSA-OAEP-256 with an encrypted key " + name, raw: p.String(), want: ReasonDecryption, rules: s.every})
	}
	for name, key := range map[string][]byte{"of a byte": {0}, "of a wrapped key": make([]byte, 40)} {
		p := s.dirSeal(t, goodDirect, good)
		p.EncryptedKey = key
		rows = append(rows, hostile{name: "dir with an encrypted key " + name, raw: p.String(), want: ReasonDecryption, rules: s.every})
	}
	pkcs1 := s.rsaSeal(t, goodJWE, good)
	pkcs1.EncryptedKey = must(rsa.EncryptPKCS1v15(rand.Reader, &s.rsa.PublicKey, s.dek))
	modulus := s.rsaSeal(t, goodJWE, good)
	modulus.EncryptedKey = s.rsa.N.Bytes()
	return append(rows,
		hostile{name: "PKCS #1 v1.5 padding under RSA-OAEP-256", raw: pkcs1.String(), want: ReasonDecryption, rules: s.optional},
		hostile{name: "an encrypted key equal to the modulus", raw: modulus.String(), want: ReasonDecryption, rules: s.optional},
	)
}

// ephemeral are ECDH-ES tokens with keys that must not be used.
func (s *sealing) ephemeral(t testing.TB) []hostile {
	good := s.claims(t, goodPayload)
	zero := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	public := func(k *ecdsa.PrivateKey) string {
		return string(must((&jose.JSONWebKey{Key: &k.PublicKey}).MarshalJSON()))
	}
	var rows []hostile
	for name, epk := range map[string]string{
		"off the curve":       `{"kty":"EC","crv":"P-256","x":"` + zero[:42] + `E","y":"` + zero[:42] + `E"}`,
		"at infinity":         `{"kty":"EC","crv":"P-256","x":"` + zero + `","y":"` + zero + `"}`,
		"of another curve":    public(p384),
		"of another type":     `{"kty":"oct","k":"` + zero + `"}`,
		"on X25519":           `{"kty":"OKP","crv":"X25519","x":"` + zero + `"}`,
		"null":                "null",
		"a string":            `"x"`,
		"that is private":     string(must((&jose.JSONWebKey{Key: s.p256}).MarshalJSON())),
		"of another exchange": public(s.p256),
	} {
		for _, alg := range []string{"ECDH-ES", "ECDH-ES+A128KW"} {
			p := jwetest.Seal(t, jwetest.Input{Key: &s.p256.PublicKey, Alg: alg, Enc: "A256GCM", Plaintext: good, Header: fmt.Sprintf(`{"alg":%q,"enc":"A256GCM","kid":"ec","epk":%s}`, alg, epk)})
			rows = append(rows, hostile{name: alg + " with an ephemeral key " + name, raw: p.String(), want: ReasonDecryption, rules: s.every})
		}
	}
	key := jwetest.Seal(t, jwetest.Input{Key: &s.p256.PublicKey, Alg: "ECDH-ES", Enc: "A256GCM", Plaintext: good, Header: `{"alg":"ECDH-ES","enc":"A256GCM","kid":"ec","epk":` + jwetest.EPK + `}`})
	key.EncryptedKey = make([]byte, 40)
	party := jwetest.Seal(t, jwetest.Input{Key: &s.p256.PublicKey, Alg: "ECDH-ES", Enc: "A256GCM", Plaintext: good, Header: `{"alg":"ECDH-ES","enc":"A256GCM","kid":"ec","apu":"QQ","epk":` + jwetest.EPK + `}`})
	return append(rows,
		hostile{name: "ECDH-ES without an ephemeral key", raw: s.rsaSeal(t, `{"alg":"ECDH-ES","enc":"A256GCM","kid":"ec"}`, good).String(), want: ReasonDecryption, rules: s.every},
		hostile{name: "ECDH-ES with an encrypted key", raw: key.String(), want: ReasonDecryption, rules: s.every},
		hostile{name: "ECDH-ES with party info that was not agreed on", raw: party.String(), want: ReasonDecryption, rules: s.every},
	)
}

// nested are JWEs of the right make with the wrong thing inside.
func (s *sealing) nested(t testing.TB) []hostile {
	good := s.claims(t, goodPayload)
	var rows []hostile
	add := func(name, plaintext string, want Reason) {
		rows = append(rows, hostile{name: "inside a JWE: " + name, raw: s.inside(t, plaintext), want: want, rules: s.optional})
	}
	unsecured := b64(`{"alg":"none"}`) + "." + b64(goodPayload) + "."
	add("claims without a signature", goodPayload, ReasonNestedRequired)
	add("claims after white space", " \r\n\t"+goodPayload, ReasonNestedRequired)
	add("half an object", "{", ReasonNestedRequired)
	add("alg none", unsecured, ReasonSegments)
	add("alg none with a signature", unsecured+"AAAA", ReasonAlgorithm)
	add("nothing", "", ReasonSegments)
	add("a dot", ".", ReasonSegments)
	add("white space", "   ", ReasonCharacters)
	add("white space before a token", " "+good, ReasonCharacters)
	add("a line break after a token", good+"\n", ReasonCharacters)
	add("a token in quotes", `"`+good+`"`, ReasonCharacters)
	add("an array of tokens", `["`+good+`"]`, ReasonCharacters)
	add("zeros", strings.Repeat("\x00", 64), ReasonCharacters)
	add("two tokens", good+"."+good, ReasonSegments)
	add("another JWE", s.inside(t, good), ReasonNestedEncryption)
	add("another JWE with claims", s.inside(t, goodPayload), ReasonNestedEncryption)
	add("five segments of nothing", "....", ReasonNestedEncryption)
	add("a token of the attacker", sign(t, jwt.SigningMethodRS256, s.attacker, goodHeader, goodPayload), ReasonSignature)
	add("a token whose signature was changed", good[:len(good)-8]+"AAAAAAAA", ReasonSignature)
	add("a token with another algorithm", s.with(t, jwt.SigningMethodHS256, `{"alg":"HS256","kid":"rsa"}`, goodPayload), ReasonAlgorithm)
	add("HMAC over the public key", sign(t, jwt.SigningMethodHS256, must(x509.MarshalPKIXPublicKey(&s.rsa.PublicKey)), `{"alg":"HS256","kid":"rsa"}`, goodPayload), ReasonAlgorithm)
	add("a token with crit", s.head(t, `{"alg":"RS256","kid":"rsa","crit":["exp"]}`), ReasonCritical)
	add("a token with b64", s.head(t, `{"alg":"RS256","kid":"rsa","b64":false}`), ReasonB64)
	add("a token with zip", s.head(t, `{"alg":"RS256","kid":"rsa","zip":"DEF"}`), ReasonZip)
	add("a token with the wrong typ", s.head(t, `{"alg":"RS256","kid":"rsa","typ":"secevent+jwt"}`), ReasonType)
	add("a token with alg twice", s.head(t, `{"alg":"RS256","kid":"rsa","alg":"RS256"}`), ReasonDuplicateMember)
	add("a token with exp twice", s.claims(t, extra(`"exp":9999999999`)), ReasonDuplicateMember)
	add("a token with stray bits", good[:len(good)-1]+"_", ReasonBase64)
	add("a token of an unknown key", s.head(t, `{"alg":"RS256","kid":"enc"}`), ReasonUnknownKey)
	add("a token with an array as payload", s.with(t, s.rsaMethod(), goodHeader, `[]`), ReasonJSON)
	add("a payload too deep", s.claims(t, extra(`"x":`+nest(16))), ReasonJSONLimits)
	typ := s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc","typ":"at+jwt"}`, good).String()
	access := *s.optional
	access.Types = []string{"at+jwt"}
	return append(rows, hostile{name: "the right typ outside, the wrong inside", raw: typ, want: ReasonType, rules: &access})
}

// directs are claims directly inside a JWE with a shared key.
func (s *sealing) directs(t testing.TB) []hostile {
	only := func(change func(r *Rules, e *Encryption)) *Rules {
		c, e := *s.direct, *s.direct.Encryption
		c.Encryption = &e
		change(&c, &e)
		return &c
	}
	claims := s.dirSeal(t, goodDirect, goodPayload).String()
	every := only(func(r *Rules, e *Encryption) { *e = *s.every.Encryption; e.Direct = true })
	dir := func(header, payload string) string { return s.dirSeal(t, header, payload).String() }
	return []hostile{
		{name: "direct claims, nested signature required", raw: claims, want: ReasonNestedRequired, rules: s.every},
		{name: "direct claims under RSA, Direct in the policy", raw: s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM","kid":"enc"}`, goodPayload).String(), want: ReasonNestedRequired, rules: every},
		{name: "direct claims under ECDH-ES, Direct in the policy", raw: jwetest.Seal(t, jwetest.Input{Key: &s.p256.PublicKey, Alg: "ECDH-ES", Enc: "A256GCM", Plaintext: goodPayload,
			Header: `{"alg":"ECDH-ES","enc":"A256GCM","kid":"ec","epk":` + jwetest.EPK + `}`}).String(), want: ReasonNestedRequired, rules: every},
		{name: "direct claims with another key", raw: jwetest.Seal(t, jwetest.Input{Key: make([]byte, 32), Alg: "dir", Enc: "A256GCM", Header: goodDirect, Plaintext: goodPayload}).String(), want: ReasonDecryption, rules: s.direct},
		{name: "direct claims with cty JWT", raw: dir(`{"alg":"dir","enc":"A256GCM","kid":"dek","cty":"JWT"}`, goodPayload), want: ReasonContentType, rules: s.direct},
		{name: "direct claims with another typ", raw: dir(`{"alg":"dir","enc":"A256GCM","kid":"dek","typ":"secevent+jwt"}`, goodPayload), want: ReasonType, rules: s.direct},
		{name: "direct claims without the typ that is due", raw: dir(`{"alg":"dir","enc":"A256GCM","kid":"dek"}`, goodPayload), want: ReasonType, rules: only(func(r *Rules, _ *Encryption) { r.Types = []string{"at+jwt"} })},
		{name: "direct claims with a claim twice", raw: dir(goodDirect, extra(`"sub":"alice"`)), want: ReasonDuplicateMember, rules: s.direct},
		{name: "direct claims with something after them", raw: dir(goodDirect, goodPayload+"{}"), want: ReasonJSON, rules: s.direct},
		{name: "direct claims too deep", raw: dir(goodDirect, extra(`"x":`+nest(16))), want: ReasonJSONLimits, rules: s.direct},
		{name: "direct claims without exp", raw: dir(goodDirect, `{"sub":"bob"}`), want: ReasonExpMissing, rules: s.direct},
		{name: "direct claims that have expired", raw: dir(goodDirect, `{"sub":"bob","exp":1500000000}`), want: ReasonExpired, rules: s.direct},
		{name: "direct claims with a number as sub", raw: dir(goodDirect, `{"sub":1,"exp":1800000300}`), want: ReasonClaimType, rules: s.direct},
		{name: "an unsigned token under a shared key", raw: dir(goodDirect, b64(`{"alg":"none"}`)+"."+b64(goodPayload)+".AAAA"), want: ReasonAlgorithm, rules: s.direct},
		{name: "a JWE under a shared key in another", raw: dir(goodDirect, claims), want: ReasonNestedEncryption, rules: s.direct},
		{name: "a signed token where direct claims are required to be encrypted", raw: s.claims(t, goodPayload), want: ReasonJWERequired, rules: s.direct},
		{name: "a token of the attacker under a shared key", raw: dir(goodDirect, sign(t, jwt.SigningMethodRS256, s.attacker, goodHeader, goodPayload)), want: ReasonSignature, rules: s.direct},
	}
}

// claimsInside guards that encryption spares no step of what is inside.
func (s *sealing) claimsInside(t testing.TB) []hostile {
	var rows []hostile
	for _, row := range slices.Concat(hostileTimes(t, s.lab), hostileClaims(t, s.lab)) {
		rules := *s.optional
		if row.rules != nil {
			rules = *row.rules
			rules.Encryption = s.optional.Encryption
		}
		rows = append(rows, hostile{name: "inside a JWE: " + row.name, raw: s.inside(t, row.raw), want: row.want, rules: &rules, set: row.set})
	}
	return rows
}
