// SPDX-License-Identifier: Apache-2.0

package token

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
)

// TestAcceptedJWEs guards against strictness beyond the RFCs, and what is told of a token
// that came encrypted.
func TestAcceptedJWEs(t *testing.T) {
	l := newLab()
	s := newSealing(l)
	good := l.claims(t, goodPayload)
	wrapped := func(header, plaintext string) string {
		return jwetest.Seal(t, jwetest.Input{Key: s.kek, Alg: "A128KW", Enc: "A256GCM", Header: header, Plaintext: plaintext}).String()
	}
	access := *s.direct
	access.Types = []string{"at+jwt"}
	rows := []struct {
		name, raw string
		rules     *Rules
		direct    bool
	}{
		{name: "as usual", raw: s.inside(t, good), rules: s.optional},
		{name: "where it is required", raw: s.inside(t, good), rules: s.required},
		{name: "a JWS where it is optional", raw: good, rules: s.optional},
		{name: "no cty", raw: s.members(t, ""), rules: s.optional},
		{name: "cty in lower case", raw: s.members(t, `,"cty":"jwt"`), rules: s.optional},
		{name: "cty as a media type", raw: s.members(t, `,"cty":"application/JWT"`), rules: s.optional},
		{name: "another typ outside", raw: s.members(t, `,"typ":"JOSE"`), rules: s.optional},
		{name: "unknown members, and some that do not count", raw: s.members(t, `,"jku":"x","x5c":["garbage"],"jwk":1,"p2c":1e9,"p2s":"x","apu":"QQ","epk":{},"iss":"x"`), rules: s.optional},
		{name: "no kid, one key", raw: s.rsaSeal(t, `{"alg":"RSA-OAEP-256","enc":"A256GCM"}`, good).String(), rules: s.optional},
		{name: "escaped alg and enc", raw: s.rsaSeal(t, `{"\u0061lg":"RSA-OAEP-25\u0036","enc":"A\u003256GCM","kid":"enc"}`, good).String(), rules: s.optional},
		{name: "white space in the header", raw: s.rsaSeal(t, " {\r\n\t\"alg\" : \"RSA-OAEP-256\", \"enc\":\"A256GCM\" } ", good).String(), rules: s.optional},
		{name: "a nested token under a shared key, Direct in the policy", raw: s.dirSeal(t, goodDirect, good).String(), rules: s.direct},
		{name: "direct claims", raw: s.dirSeal(t, goodDirect, goodPayload).String(), rules: s.direct, direct: true},
		{name: "direct claims, key wrap", raw: wrapped(goodWrapped, goodPayload), rules: s.direct, direct: true},
		{name: "direct claims without typ", raw: wrapped(`{"alg":"A128KW","enc":"A256GCM","kid":"kek"}`, "\r\n\t "+goodPayload+" "), rules: s.direct, direct: true},
		{name: "direct claims with the typ that is due", raw: wrapped(`{"alg":"A128KW","enc":"A256GCM","kid":"kek","typ":"application/AT+JWT"}`, goodPayload), rules: &access, direct: true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			tok, err := Parse(row.raw, row.rules)
			if err != nil {
				t.Fatal(err)
			}
			alg, kid := "RS256", "rsa"
			if row.direct {
				alg, kid = jweAlgorithm(row.raw, t), tok.header.kid
			}
			gotKid, has := tok.KeyID()
			if tok.Direct() != row.direct || tok.Encrypted() == (row.raw == good) || tok.Algorithm() != alg || !has || gotKid != kid || tok.UnverifiedIssuer() != "https://idp.acme.example" {
				t.Errorf("direct %v, encrypted %v, alg %s, kid %q", tok.Direct(), tok.Encrypted(), tok.Algorithm(), gotKid)
			}
			if _, err := tok.Claims(row.rules, labNow); (err == nil) != row.direct {
				t.Errorf("claims before Verify: %v", err)
			}
			claims, err := intake(row.raw, row.rules, l.set, labNow)
			if err != nil || claims.Subject != "bob" {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// jweAlgorithm reads alg with other means.
func jweAlgorithm(raw string, t *testing.T) string {
	t.Helper()
	header := string(must(strictBase64.DecodeString(raw[:strings.IndexByte(raw, '.')])))
	_, rest, _ := strings.Cut(header, `"alg":"`)
	alg, _, _ := strings.Cut(rest, `"`)
	return alg
}

// TestEveryJWEAlgorithm takes in a nested token with each pair of algorithms.
func TestEveryJWEAlgorithm(t *testing.T) {
	l := newLab()
	s := newSealing(l)
	for _, alg := range jwe.KeyAlgorithms() {
		for _, enc := range jwe.ContentAlgorithms() {
			in := jwetest.Input{Alg: alg, Enc: enc, Plaintext: l.claims(t, goodPayload)}
			size := map[string]int{"A128KW": 16, "A192KW": 24, "A256KW": 32, "dir": jwetest.ContentKeySizes[enc]}[alg]
			key := make([]byte, size)
			private := any(key)
			switch {
			case strings.HasPrefix(alg, "RSA"):
				in.Key, private = &l.rsa.PublicKey, l.rsa
			case strings.HasPrefix(alg, "ECDH"):
				in.Key, private = &l.p384.PublicKey, l.p384
			default:
				in.Key = key
			}
			rules := *s.optional
			rules.Encryption = &Encryption{KeyAlgorithms: []string{alg}, ContentAlgorithms: []string{enc}, Keys: jwe.NewSet(must(jwe.New(private)))}
			if _, err := intake(jwetest.Seal(t, in).String(), &rules, l.set, labNow); err != nil {
				t.Errorf("%s with %s: %v", alg, enc, err)
			}
		}
	}
}

// TestDecryptionFailsAlike guards that one error tells nothing of where a decryption failed.
func TestDecryptionFailsAlike(t *testing.T) {
	s := newSealing(newLab())
	for _, row := range slices.Concat(s.tampered(t), s.ephemeral(t)) {
		_, err := Parse(row.raw, row.rules)
		if diff := cmp.Diff(err, error(&Error{Reason: ReasonDecryption}), cmp.AllowUnexported(Error{})); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

// TestCheckOfEncrypted guards that a token which was parsed with wider rules is held to those
// that count, its encryption included.
func TestCheckOfEncrypted(t *testing.T) {
	l := newLab()
	s := newSealing(l)
	wide := *s.every
	wide.Encryption = &Encryption{KeyAlgorithms: jwe.KeyAlgorithms(), ContentAlgorithms: jwe.ContentAlgorithms(), Direct: true, Keys: s.every.Encryption.Keys}
	wide.Algorithms, wide.Types = l.every.Algorithms, []string{"", "jwt", "at+jwt", "other"}
	change := func(r *Rules, f func(r *Rules, e *Encryption)) *Rules {
		c, e := *r, *r.Encryption
		c.Encryption = &e
		f(&c, &e)
		return &c
	}
	signed, sealed := l.claims(t, goodPayload), s.inside(t, l.claims(t, goodPayload))
	direct := s.dirSeal(t, goodDirect, goodPayload).String()
	for _, row := range []struct {
		name, raw string
		rules     *Rules
		want      Reason
	}{
		{"a JWS, nothing required", signed, l.rules, ""},
		{"a JWS, encryption required", signed, s.required, ReasonJWERequired},
		{"a JWE", sealed, s.required, ""},
		{"a JWE, no decryption", sealed, l.rules, ReasonEncrypted},
		{"a JWE, another alg", sealed, change(s.optional, func(_ *Rules, e *Encryption) { e.KeyAlgorithms = []string{"RSA-OAEP"} }), ReasonAlgorithm},
		{"a JWE, another enc", sealed, change(s.optional, func(_ *Rules, e *Encryption) { e.ContentAlgorithms = []string{"A128GCM"} }), ReasonContentAlgorithm},
		{"a JWE, another alg inside", sealed, change(s.optional, func(r *Rules, _ *Encryption) { r.Algorithms = []string{"ES256"} }), ReasonAlgorithm},
		{"a JWE, another typ inside", sealed, change(s.optional, func(r *Rules, _ *Encryption) { r.Types = []string{"at+jwt"} }), ReasonType},
		{"direct claims", direct, s.direct, ""},
		{"direct claims, no decryption", direct, l.rules, ReasonEncrypted},
		{"direct claims, not accepted", direct, s.every, ReasonNestedRequired},
		{"direct claims, another typ", direct, change(s.direct, func(r *Rules, _ *Encryption) { r.Types = []string{"at+jwt"} }), ReasonType},
	} {
		tok, err := Parse(row.raw, &wide)
		if err != nil {
			t.Fatal(err)
		}
		if err := tok.Check(row.rules); reasonOf(err) != row.want || (err == nil) != (row.want == "") {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}

// TestDirectHasNoSignature guards that verifying claims that have no signature fails, and takes
// them back.
func TestDirectHasNoSignature(t *testing.T) {
	l := newLab()
	s := newSealing(l)
	tok, err := Parse(s.dirSeal(t, goodDirect, goodPayload).String(), s.direct)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Select(l.set); reasonOf(err) != ReasonUnknownKey {
		t.Errorf("selecting: %v", err)
	}
	if err := tok.Verify(l.rsaKey); reasonOf(err) != ReasonNestedRequired {
		t.Errorf("verifying: %v", err)
	}
	if _, err := tok.Claims(s.direct, labNow); err == nil {
		t.Error("claims after a failed Verify")
	}
}

func TestReadClaims(t *testing.T) {
	c, err := ReadClaims([]byte(`{"sub":"bob","aud":["a"],"iat":1700000000,"x":{"y":1}}`))
	if err != nil || c.Subject != "bob" || !cmp.Equal(c.Audience, []string{"a"}) || !c.Expiry.IsZero() {
		t.Errorf("%+v %v", c, err)
	}
	all := maps.Collect(c.All())
	if len(all) != 4 || all["x"].JSON() != `{"y":1}` || all["sub"].JSON() != `"bob"` {
		t.Errorf("all: %v", all)
	}
	var names []string
	for name := range c.All() {
		if names = append(names, name); name == "aud" {
			break
		}
	}
	if !cmp.Equal(names, []string{"sub", "aud"}) {
		t.Errorf("names: %v", names)
	}
	if err := c.CheckTimes(0, labNow); reasonOf(err) != ReasonExpMissing {
		t.Errorf("times: %v", err)
	}
	for text, want := range map[string]Reason{
		`{"sub":1}`: ReasonClaimType, `{"exp":"1"}`: ReasonClaimType, `{"exp":-1}`: ReasonTimeRange, `[]`: ReasonJSON, ``: ReasonJSON, `{"a":1,"a":1}`: ReasonDuplicateMember,
		`{} `: "", `{"exp":1}`: "", `{"a":` + nest(16) + `}`: ReasonJSONLimits, `{"a":"` + strings.Repeat("x", MaxLength) + `"}`: ReasonTooLong,
	} {
		if _, err := ReadClaims([]byte(text)); reasonOf(err) != want || (err == nil) != (want == "") {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
	c, _ = ReadClaims([]byte(`{"exp":1800000000,"nbf":1800000000}`))
	for offset, want := range map[time.Duration]Reason{-time.Second: ReasonNotYetValid, 0: ReasonExpired} {
		if err := c.CheckTimes(0, labNow.Add(offset)); reasonOf(err) != want {
			t.Errorf("times at %v: %v", offset, err)
		}
	}
	if err := c.CheckTimes(time.Second, labNow); err != nil {
		t.Errorf("times with a leeway: %v", err)
	}
}
