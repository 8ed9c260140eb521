// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
)

// FuzzParseJWE guards, for any string with a policy that opens everything, that there is no
// panic and no error without a reason. Seeds are all tokens that the tables have.
func FuzzParseJWE(f *testing.F) {
	l := newLab()
	s := newSealing(l)
	for _, row := range slices.Concat(s.forms(f), s.tampered(f), s.ephemeral(f), s.nested(f), s.directs(f)) {
		f.Add(row.raw)
	}
	f.Add(s.inside(f, l.claims(f, goodPayload)))
	f.Add(s.dirSeal(f, goodDirect, goodPayload).String())
	every := *s.every
	every.Encryption = &Encryption{KeyAlgorithms: jwe.KeyAlgorithms(), ContentAlgorithms: jwe.ContentAlgorithms(), Direct: true, Keys: s.every.Encryption.Keys}
	f.Fuzz(func(t *testing.T, raw string) {
		tok, err := Parse(raw, &every)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || !slices.Contains(allReasons(), e.Reason) {
				t.Fatalf("refused without a known reason: %v", err)
			}
			return
		}
		checkSpelling(t, raw)
		if tok.Encrypted() != (strings.Count(raw, ".") == 4) || (tok.Direct() && !tok.Encrypted()) {
			t.Fatalf("encrypted %v, direct %v", tok.Encrypted(), tok.Direct())
		}
	})
}

// FuzzNested guards that encryption changes nothing for what is inside: a plaintext is accepted
// only if it would be on its own, as a token or, with Direct, as claims.
func FuzzNested(f *testing.F) {
	l := newLab()
	s := newSealing(l)
	for _, row := range slices.Concat(hostileForms(f, l), hostileGrammar(f, l), hostileDuplicates(f, l), hostileBounds(f, l), hostileHeaders(f, l), hostileTypes(f, l)) {
		if len(row.raw) < MaxLength/2 {
			f.Add(row.raw)
		}
	}
	for _, text := range badJSON {
		f.Add(fill(text, goodPayload))
	}
	f.Add(l.claims(f, goodPayload))
	f.Add(" " + goodPayload)
	plain := *s.direct
	plain.Encryption = nil
	f.Fuzz(func(t *testing.T, plaintext string) {
		raw := s.dirSeal(t, goodDirect, plaintext).String()
		if len(raw) > MaxLength {
			return
		}
		tok, err := Parse(raw, s.direct)
		_, alone := Parse(plaintext, &plain)
		_, claims := ReadClaims([]byte(plaintext))
		switch {
		case err == nil && tok.Direct():
			if _, errRead := tok.Claims(&Rules{Leeway: 1 << 62}, labNow); (errRead == nil) != (claims == nil) && reasonOf(errRead) != ReasonExpMissing {
				t.Fatalf("claims: %v inside, %v alone", errRead, claims)
			}
		case (err == nil) != (alone == nil):
			if !isObject([]byte(plaintext)) {
				t.Fatalf("%v inside, %v alone", err, alone)
			}
		case err != nil && reasonOf(err) != reasonOf(alone) && !isObject([]byte(plaintext)) && reasonOf(err) != ReasonNestedEncryption:
			t.Fatalf("%v inside, %v alone", err, alone)
		}
	})
}

// FuzzJWEHeader guards that a header which is accepted means to go-jose what it means here.
func FuzzJWEHeader(f *testing.F) {
	l := newLab()
	s := newSealing(l)
	for _, header := range []string{
		goodDirect, goodWrapped, goodJWE, `{"alg":"dir","enc":"A256GCM"}`, `{"\u0061lg":"dir","enc":"A256GCM","kid":"dek"}`, `{"alg":"dir","alg":"dir","enc":"A256GCM"}`,
		`{"ALG":"x","alg":"dir","enc":"A256GCM","kid":"dek"}`, `{"alg":"dir","enc":"A256GCM","kid":"dek","cty":"JWT","zip":"DEF","crit":["x"],"b64":false}`,
		`{"alg":"dir","enc":"A256GCM","kid":"dek","apu":"QQ","apv":"Qg","epk":{"kty":"EC"},"p2c":1,"p2s":"x","iv":"AA","tag":"AA"}`,
	} {
		f.Add(header)
	}
	token := l.claims(f, goodPayload)
	f.Fuzz(func(t *testing.T, header string) {
		raw := s.dirSeal(t, header, token).String()
		if _, err := Parse(raw, s.direct); err != nil {
			return
		}
		parsed, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
		if err != nil {
			if strings.Contains(header, "jwk") || strings.Contains(header, "x5c") || strings.Contains(header, "nonce") || strings.Contains(header, `\u`) {
				return // go-jose reads members that do not count here
			}
			t.Fatalf("accepted here, refused by go-jose: %v", err)
		}
		if plaintext, err := parsed.Decrypt(s.dek); err != nil || string(plaintext) != token {
			t.Fatalf("accepted here, by go-jose %q %v", plaintext, err)
		}
	})
}
