// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// hostileAlgorithms name an algorithm that the policy does not have (RFC 8725 §3.1, §3.2).
func hostileAlgorithms(t testing.TB, l *lab) []hostile {
	var rows []hostile
	for _, alg := range []string{
		"none", "None", "NONE", "nOnE", "none ", " none", "none\x00", "n\u00f6ne", "",
		"HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
		"rs256", "Rs256", "RS256 ", " RS256", "RS256\n", "RS256\x00", "RS256,HS256", "RSA256", "SHA256withRSA", "ＲＳ256",
		"RS1", "HS1", "ES256K", "ES224", "ES521", "Ed25519", "Ed448", "ML-DSA-44", "RSA-OAEP", "RSA1_5", "dir", "A128KW", "PBES2-HS256+A128KW", "*", "RS*",
	} {
		head := fmt.Sprintf(`{"alg":%s,"kid":"rsa"}`, quoteJSON(alg))
		rows = append(rows, hostile{name: fmt.Sprintf("alg %q", alg), raw: l.head(t, head), want: ReasonAlgorithm})
	}
	for _, alg := range []string{"none", "None", "NONE"} {
		input := b64(fmt.Sprintf(`{"alg":%q,"kid":"rsa"}`, alg)) + "." + b64(goodPayload)
		named := &Rules{Algorithms: []string{alg}, Types: l.rules.Types}
		rows = append(rows,
			hostile{name: alg + " without signature", raw: input + ".", want: ReasonSegments},
			hostile{name: alg + " with a signature", raw: input + ".AAAA", want: ReasonAlgorithm},
			hostile{name: alg + " in the policy", raw: input + ".AAAA", want: ReasonKeyMismatch, rules: named},
			hostile{name: alg + " in the policy, no signature", raw: input + ".", want: ReasonSegments, rules: named},
		)
	}
	return append(rows,
		hostile{name: "no alg", raw: l.head(t, `{"kid":"rsa"}`), want: ReasonAlgorithm},
		hostile{name: "header without members", raw: l.head(t, `{}`), want: ReasonAlgorithm},
		hostile{name: "ALG only", raw: l.head(t, `{"ALG":"RS256","kid":"rsa"}`), want: ReasonAlgorithm},
		hostile{name: "Alg only", raw: l.head(t, `{"Alg":"RS256","kid":"rsa"}`), want: ReasonAlgorithm},
		hostile{name: "alg with a space", raw: l.head(t, `{"alg ":"RS256","kid":"rsa"}`), want: ReasonAlgorithm},
		hostile{name: "alg none, ALG RS256", raw: l.head(t, `{"alg":"none","ALG":"RS256","kid":"rsa"}`), want: ReasonAlgorithm},
		hostile{name: "no alg, empty name in the policy", raw: l.head(t, `{"kid":"rsa"}`), want: ReasonAlgorithm, rules: &Rules{Algorithms: []string{""}, Types: l.rules.Types}},
		hostile{name: "policy without algorithms", raw: l.claims(t, goodPayload), want: ReasonAlgorithm, rules: &Rules{Types: l.rules.Types}},
	)
}

// quoteJSON quotes for JSON what %q would quote for Go.
func quoteJSON(s string) string {
	return strings.NewReplacer("\x00", `\u0000`, "\n", `\n`).Replace(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
}

// hostileHeaders have members of the wrong type, extensions, and keys that must not count.
func hostileHeaders(t testing.TB, l *lab) []hostile {
	var rows []hostile
	for _, member := range []string{"alg", "typ", "kid"} {
		for _, value := range []string{`null`, `1`, `true`, `["RS256"]`, `{"a":"RS256"}`, `1.5e3`} {
			members := map[string]string{"alg": `"RS256"`, "typ": `"JWT"`, "kid": `"rsa"`}
			members[member] = value
			head := fmt.Sprintf(`{"alg":%s,"typ":%s,"kid":%s}`, members["alg"], members["typ"], members["kid"])
			rows = append(rows, hostile{name: member + " is " + value, raw: l.head(t, head), want: ReasonHeader})
		}
	}
	with := func(name, member string, want Reason) {
		rows = append(rows, hostile{name: name, raw: l.head(t, `{"alg":"RS256","kid":"rsa",`+member+`}`), want: want})
	}
	with("crit with exp", `"crit":["exp"],"exp":1`, ReasonCritical)
	with("crit empty", `"crit":[]`, ReasonCritical)
	with("crit null", `"crit":null`, ReasonCritical)
	with("crit string", `"crit":"exp"`, ReasonCritical)
	with("crit with alg", `"crit":["alg"]`, ReasonCritical)
	with("crit unknown", `"crit":["http://example.com/UNDEFINED"],"http://example.com/UNDEFINED":true`, ReasonCritical)
	with("crit b64", `"crit":["b64"],"b64":true`, ReasonCritical)
	with("crit escaped", `"cr\u0069t":["x"]`, ReasonCritical)
	with("b64 false", `"b64":false`, ReasonB64)
	with("b64 true", `"b64":true`, ReasonB64)
	with("zip", `"zip":"DEF"`, ReasonZip)
	with("zip null", `"zip":null`, ReasonZip)
	with("enc of a JWE", `"enc":"A256GCM"`, ReasonHeader)
	with("enc null", `"enc":null`, ReasonHeader)
	with("enc escaped", `"\u0065nc":"A256GCM"`, ReasonHeader)
	return append(rows, hostileEmbedded(t, l)...)
}

// hostileEmbedded are signed by the attacker, whose key the header carries or names.
func hostileEmbedded(t testing.TB, l *lab) []hostile {
	evil := must(must(jwk.New(&l.attacker.PublicKey)).With("rsa", "RS256"))
	embedded := string(must(evil.MarshalJSON()))
	der := base64.StdEncoding.EncodeToString(l.attacker.N.Bytes())
	var rows []hostile
	for name, member := range map[string]string{
		"jwk":          `"jwk":` + embedded,
		"jku":          `"jku":"https://attacker.example/jwks.json"`,
		"x5u":          `"x5u":"https://attacker.example/cert.pem"`,
		"x5c":          `"x5c":["` + der + `"]`,
		"x5t":          `"x5t":"AAAAAAAAAAAAAAAAAAAAAAAAAAA"`,
		"jwks":         `"jwks":{"keys":[` + embedded + `]}`,
		"key":          `"key":` + embedded,
		"iss":          `"iss":"https://attacker.example"`,
		"apu":          `"apu":"AAAA"`,
		"jku file URL": `"jku":"file:///etc/passwd"`,
	} {
		head := func(kid string) string { return `{"alg":"RS256",` + kid + member + `}` }
		method := jwt.SigningMethodRS256
		rows = append(rows,
			hostile{name: "attacker's " + name, raw: sign(t, method, l.attacker, head(`"kid":"rsa",`), goodPayload), want: ReasonSignature},
			hostile{name: "attacker's " + name + " without kid", raw: sign(t, method, l.attacker, head(""), goodPayload), want: ReasonSignature},
			hostile{name: "attacker's " + name + " and kid", raw: sign(t, method, l.attacker, head(`"kid":"evil",`), goodPayload), want: ReasonUnknownKey},
		)
	}
	return rows
}

// hostileTypes are tokens made for something else (RFC 8725 §3.11).
func hostileTypes(t testing.TB, l *lab) []hostile {
	var rows []hostile
	for _, typ := range []string{
		"", "JWE", "JOSE", "JOSE+JSON", "secevent+jwt", "dpop+jwt", "logout+jwt", "rt+jwt", "id_token+jwt", "oauth-authz-req+jwt",
		"JWT ", " JWT", "JWT\x00", "JWT,at+jwt", "JW\u0422", "application/", "application/application/jwt",
		"text/jwt", "application/jwt;a=b", "xapplication/jwt", "at jwt", "at+JWT2",
	} {
		head := fmt.Sprintf(`{"alg":"RS256","kid":"rsa","typ":%s}`, quoteJSON(typ))
		rows = append(rows, hostile{name: fmt.Sprintf("typ %q", typ), raw: l.head(t, head), want: ReasonType})
	}
	access := &Rules{Algorithms: l.rules.Algorithms, Types: []string{"at+jwt"}}
	statement := &Rules{Algorithms: l.rules.Algorithms, Types: []string{"s+jwt"}}
	long := `{"alg":"RS256","kid":"rsa","typ":"ſ+jwt"}` // U+017F folds to s
	return append(rows,
		hostile{name: "an ID token where an access token is due", raw: l.claims(t, goodPayload), want: ReasonType, rules: access},
		hostile{name: "no typ where one is due", raw: l.head(t, `{"alg":"RS256","kid":"rsa"}`), want: ReasonType, rules: access},
		hostile{name: "TYP instead of typ", raw: l.head(t, `{"alg":"RS256","kid":"rsa","TYP":"at+jwt"}`), want: ReasonType, rules: access},
		hostile{name: "typ with a letter that folds", raw: l.head(t, long), want: ReasonType, rules: statement},
		hostile{name: "policy without types", raw: l.claims(t, goodPayload), want: ReasonType, rules: &Rules{Algorithms: l.rules.Algorithms}},
	)
}

// hostileKeyIDs hope that kid reaches a file system, a database, a shell or a loose
// comparison.
func hostileKeyIDs(t testing.TB, l *lab) []hostile {
	var rows []hostile
	for _, kid := range []string{
		"", "RSA", "Rsa", "rsa ", " rsa", "rsa\x00", "rsa\n", "rs", "rsaa", "r*", "*", "%", "_", "rs\u0430",
		"../../../../dev/null", "/dev/null", "file:///proc/self/environ", "rsa/../rsa", "./rsa",
		"' OR '1'='1", "x' UNION SELECT 'secret'--", "|/usr/bin/id", "$(id)", "`id`", "{{7*7}}", "${jndi:ldap://x}",
		"https://attacker.example/jwks.json", "0", "null", "undefined", "__proto__",
		strings.Repeat("k", 8000),
	} {
		name := fmt.Sprintf("kid %q", kid[:min(len(kid), 40)])
		head := fmt.Sprintf(`{"alg":"RS256","kid":%s}`, quoteJSON(kid))
		rows = append(rows, hostile{name: name, raw: l.head(t, head), want: ReasonUnknownKey})
	}
	return rows
}
