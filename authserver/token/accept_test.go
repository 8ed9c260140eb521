// SPDX-License-Identifier: Apache-2.0

package token

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// TestAcceptedTokens guards against strictness beyond the RFCs: tokens that are unusual and
// right.
func TestAcceptedTokens(t *testing.T) {
	l := newLab()
	anonymous := jwk.NewSet(must(jwk.New(&l.rsa.PublicKey)))
	mixed := jwk.NewSet(l.rsaKey, l.ecKey, l.edKey)
	rows := []hostile{
		{name: "no kid, one key", raw: l.head(t, `{"alg":"RS256"}`)},
		{name: "any kid, key without an ID", raw: l.head(t, `{"alg":"RS256","kid":"whatever"}`), set: anonymous},
		{name: "empty kid, key without an ID", raw: l.head(t, `{"alg":"RS256","kid":""}`), set: anonymous},
		{name: "no typ", raw: l.head(t, `{"alg":"RS256","kid":"rsa"}`)},
		{name: "typ in lower case", raw: l.head(t, `{"alg":"RS256","typ":"jwt"}`)},
		{name: "typ as a media type", raw: l.head(t, `{"alg":"RS256","typ":"application/at+jwt"}`)},
		{name: "typ as a media type in capitals", raw: l.head(t, `{"alg":"RS256","typ":"APPLICATION/AT+JWT"}`)},
		{name: "escaped alg", raw: l.head(t, `{"\u0061lg":"\u0052S256"}`)},
		{name: "escaped kid", raw: l.head(t, `{"alg":"RS256","kid":"rs\u0061"}`)},
		{name: "ALG beside alg is another member", raw: l.head(t, `{"ALG":"none","alg":"RS256"}`)},
		{name: "white space in the header", raw: l.head(t, " {\r\n\t\"alg\" : \"RS256\" } \n")},
		{name: "unknown header members", raw: l.head(t, `{"alg":"RS256","x5t":"AAAA","x5c":["x"],"jku":"x","cty":"x","nonce":1}`)},
		{name: "white space in the payload", raw: l.claims(t, "\n{ \"exp\" :\t1800000300 }\r\n")},
		{name: "only exp", raw: l.claims(t, `{"exp":1800000300}`)},
		{name: "escaped exp", raw: l.claims(t, `{"\u0065xp":1800000300}`)},
		{name: "surrogate pair", raw: l.claims(t, extra(`"x":"\ud83d\ude00"`))},
		{name: "empty aud array", raw: l.claims(t, `{"exp":1800000300,"aud":[]}`)},
		{name: "aud of several", raw: l.claims(t, `{"exp":1800000300,"aud":["a" , "b"]}`)},
		{name: "empty strings", raw: l.claims(t, `{"exp":1800000300,"iss":"","sub":"","jti":"","nonce":"","aud":""}`)},
		{name: "ISS of another type is another claim", raw: l.claims(t, extra(`"ISS":1,"Aud":{}`))},
		{name: "exp within the leeway", raw: l.claims(t, `{"exp":1799999971}`)},
		{name: "exp within the leeway by a nanosecond", raw: l.claims(t, `{"exp":1799999970.000000001}`)},
		{name: "exp with a fraction", raw: l.claims(t, `{"exp":1800000300.25}`)},
		{name: "exp as a power", raw: l.claims(t, `{"exp":18E8,"nbf":0.18e+10,"iat":1.7e9}`)},
		{name: "exp with a negative exponent", raw: l.claims(t, `{"exp":18000003000000e-4}`)},
		{name: "last second of time", raw: l.claims(t, `{"exp":253402300799}`)},
		{name: "last second of time, written long", raw: l.claims(t, `{"exp":253402300799.0000}`)},
		{name: "nbf and iat at the leeway", raw: l.claims(t, `{"exp":1800000300,"nbf":1800000030,"iat":1800000030}`)},
		{name: "nbf and iat zero", raw: l.claims(t, `{"exp":1800000300,"nbf":0,"iat":0.0}`)},
		{name: "16 levels", raw: l.claims(t, extra(`"x":`+nest(15)))},
		{name: "16 levels, several times", raw: l.claims(t, extra(`"x":[`+nest(14)+","+nest(14)+`],"y":`+nest(15)))},
		{name: "brackets in strings", raw: l.claims(t, extra(`"x":["`+strings.Repeat("[{,", 500)+`\"]"]`))},
		{name: "digits in strings", raw: l.claims(t, extra(`"x":["`+strings.Repeat("1", 64)+`"]`))},
		{name: "256 claims", raw: l.claims(t, extra(names(251)))},
		{name: "256 members in a claim", raw: l.claims(t, extra(`"x":{`+names(256)+`}`))},
		{name: "256 members around arrays", raw: l.claims(t, extra(`"x":[{"y":[1,2,3],`+names(255)+`},{`+names(256)+`}]`))},
		{name: "1,000 elements in an array", raw: l.claims(t, extra(`"x":[0`+strings.Repeat(",0", 999)+`]`))},
		{name: "number of 32 characters", raw: l.claims(t, extra(`"x":`+strings.Repeat("1", 32)))},
		{name: "a token of 16 KiB", raw: longest(t, l)},
		{name: "ES256 among other keys", raw: l.with(t, jwt.SigningMethodES256, `{"alg":"ES256","kid":"ec"}`, goodPayload), rules: l.every, set: mixed},
		{name: "ES384", raw: l.with(t, jwt.SigningMethodES384, `{"alg":"ES384"}`, goodPayload), rules: l.every, set: jwk.NewSet(l.ec384Key)},
		{name: "EdDSA", raw: l.with(t, jwt.SigningMethodEdDSA, `{"alg":"EdDSA","kid":"ed"}`, goodPayload), rules: l.every, set: mixed},
		{name: "HS256", raw: l.with(t, jwt.SigningMethodHS256, `{"alg":"HS256"}`, goodPayload), rules: l.every, set: jwk.NewSet(l.hmacKey)},
		{name: "HS512", raw: l.with(t, jwt.SigningMethodHS512, `{"alg":"HS512"}`, goodPayload), rules: l.every, set: jwk.NewSet(l.hmacKey)},
		{name: "RS512", raw: l.with(t, jwt.SigningMethodRS512, `{"alg":"RS512"}`, goodPayload), rules: l.every},
		{name: "PS384", raw: l.with(t, jwt.SigningMethodPS384, `{"alg":"PS384"}`, goodPayload), rules: l.every},
		{name: "one kid for two types of key", raw: l.with(t, jwt.SigningMethodES256, `{"alg":"ES256","kid":"rsa"}`, goodPayload), rules: l.every, set: jwk.NewSet(l.rsaKey, must(l.ecKey.With("rsa", "")))},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			rules, set := row.rules, row.set
			if rules == nil {
				rules = l.rules
			}
			if set == nil {
				set = l.set
			}
			if _, err := intake(row.raw, rules, set, labNow); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

// longest is a token of exactly MaxLength bytes.
func longest(t *testing.T, l *lab) string {
	for pad := 11_800; ; pad++ {
		raw := l.claims(t, extra(`"pad":"`+strings.Repeat("x", pad)+`"`))
		if len(raw) == MaxLength {
			return raw
		}
		if len(raw) > MaxLength { // base64 skips every fourth length
			t.Fatal("no padding gives exactly the longest token")
		}
	}
}

func TestClaims(t *testing.T) {
	l := newLab()
	raw := l.claims(t, `{"iss":"https:\/\/idp.acme.example","sub":"b\u00f6b","jti":"id","nonce":"n","aud":["a","b\"c"],`+
		`"exp":1800000300.5,"iat":1799999990,"nbf":0,"id":12345678901234567890123,"rate":1.50e1,"admin":true,"off":false,`+
		`"roles":["x","y"],"mixed":["x",1],"none":null,"obj":{"a":[1]},"":"empty name"}`)
	got, err := intake(raw, l.rules, l.set, labNow)
	if err != nil {
		t.Fatal(err)
	}
	want := Claims{
		Issuer: "https://idp.acme.example", Subject: "böb", ID: "id", Nonce: "n", Audience: []string{"a", `b"c`},
		Expiry: time.Unix(1800000300, 500_000_000), IssuedAt: time.Unix(1799999990, 0), NotBefore: time.Unix(0, 0),
	}
	have := *got
	have.members = nil
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(Claims{})); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	for _, row := range []struct {
		name, text, number, json string
		list                     []string
		isText, isList           bool
	}{
		{name: "sub", text: "böb", isText: true, json: `"b\u00f6b"`},
		{name: "", text: "empty name", isText: true, json: `"empty name"`},
		{name: "id", number: "12345678901234567890123", json: "12345678901234567890123"},
		{name: "rate", number: "1.50e1", json: "1.50e1"},
		{name: "admin", json: "true"},
		{name: "off", json: "false"},
		{name: "roles", list: []string{"x", "y"}, isList: true, json: `["x","y"]`},
		{name: "mixed", json: `["x",1]`},
		{name: "none", json: "null"},
		{name: "obj", json: `{"a":[1]}`},
	} {
		v, ok := got.Lookup(row.name)
		text, isText := v.Text()
		number, isNumber := v.Number()
		list, isList := v.Strings()
		if !ok || v.JSON() != row.json || text != row.text || isText != row.isText || number != row.number || isNumber != (row.number != "") ||
			isList != row.isList || !cmp.Equal(list, row.list) {
			t.Errorf("claim %q is %q: text %q %v, number %q, list %v %v", row.name, v.JSON(), text, isText, number, list, isList)
		}
	}
	for _, name := range []string{"Sub", "SUB", "sub ", "a", "obj.a"} {
		if v, ok := got.Lookup(name); ok || v != (Value{}) {
			t.Errorf("claim %q is there: %q", name, v.JSON())
		}
	}
}

// TestClaimsNeedVerify guards that nothing of a payload is handed out unverified.
func TestClaimsNeedVerify(t *testing.T) {
	l := newLab()
	tok, err := Parse(l.claims(t, goodPayload), l.rules)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Claims(l.rules, labNow); err == nil || reasonOf(err) != "" {
		t.Errorf("claims before Verify: %v", err)
	}
	if err := tok.Verify(l.rsaKey); err != nil {
		t.Fatal(err)
	}
	if _, err := tok.Claims(l.rules, labNow); err != nil {
		t.Errorf("claims after Verify: %v", err)
	}
	if err := tok.Verify(named(&l.attacker.PublicKey, "rsa")); reasonOf(err) != ReasonSignature {
		t.Errorf("another key with the same ID: %v", err)
	}
	if _, err := tok.Claims(l.rules, labNow); err == nil {
		t.Error("claims after a failed Verify")
	}
	for _, row := range []struct {
		key  *jwk.Key
		want Reason
	}{
		{nil, ReasonUnknownKey},
		{named(&l.rsa.PublicKey, "other"), ReasonUnknownKey},
		{l.ecKey, ReasonKeyMismatch},
	} {
		if err := tok.Verify(row.key); reasonOf(err) != row.want {
			t.Errorf("verifying with %v: %v, want %s", row.key, err, row.want)
		}
	}
}

func TestHeaderGetters(t *testing.T) {
	l := newLab()
	for _, row := range []struct {
		raw, kid string
		has      bool
		issuer   string
	}{
		{l.claims(t, goodPayload), "rsa", true, "https://idp.acme.example"},
		{l.head(t, `{"alg":"RS256","kid":""}`), "", true, "https://idp.acme.example"},
		{l.with(t, l.rsaMethod(), `{"alg":"RS256"}`, `{"iss":1}`), "", false, ""},
		{l.with(t, l.rsaMethod(), `{"alg":"RS256"}`, `{"ISS":"x"}`), "", false, ""},
	} {
		tok, err := Parse(row.raw, l.rules)
		if err != nil {
			t.Fatal(err)
		}
		kid, has := tok.KeyID()
		if kid != row.kid || has != row.has || tok.UnverifiedIssuer() != row.issuer || tok.Algorithm() != "RS256" {
			t.Errorf("kid %q %v, iss %q, alg %q, want %+v", kid, has, tok.UnverifiedIssuer(), tok.Algorithm(), row)
		}
	}
}
