// SPDX-License-Identifier: Apache-2.0

package token

import (
	"fmt"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func (l *lab) rsaMethod() jwt.SigningMethod { return jwt.SigningMethodRS256 }

// badJSON are texts that are not one JSON object in UTF-8; %s is the good object's members.
var badJSON = map[string]string{
	"array":                      `[{%s}]`,
	"string":                     `"{}"`,
	"null":                       `null`,
	"true":                       `true`,
	"number":                     `1`,
	"blank":                      ` `,
	"two objects":                `{%s}{%[1]s}`,
	"garbage after":              `{%s}x`,
	"NUL after":                  "{%s}\x00",
	"comma after":                `{%s},`,
	"brace after":                `{%s}}`,
	"comment after":              `{%s}//x`,
	"comment inside":             `{%s/**/}`,
	"trailing comma":             `{%s,}`,
	"leading comma":              `{,%s}`,
	"unclosed":                   `{%s`,
	"unclosed array":             `{%s,"x":[1}`,
	"missing value":              `{%s,"x":}`,
	"missing colon":              `{%s,"x" 1}`,
	"single quotes":              `{%s,'x':1}`,
	"bare name":                  `{%s,x:1}`,
	"number as name":             `{%s,1:1}`,
	"NaN":                        `{%s,"x":NaN}`,
	"Infinity":                   `{%s,"x":Infinity}`,
	"minus Infinity":             `{%s,"x":-Infinity}`,
	"hexadecimal number":         `{%s,"x":0x10}`,
	"octal number":               `{%s,"x":010}`,
	"plus sign":                  `{%s,"x":+1}`,
	"bare fraction":              `{%s,"x":.5}`,
	"bare point":                 `{%s,"x":5.}`,
	"bare exponent":              `{%s,"x":1e}`,
	"bare minus":                 `{%s,"x":-}`,
	"underscore in a number":     `{%s,"x":1_000}`,
	"True":                       `{%s,"x":True}`,
	"undefined":                  `{%s,"x":undefined}`,
	"byte order mark":            "\ufeff{%s}",
	"UTF-16":                     "\xff\xfe{\x00}\x00",
	"form feed":                  "\f{%s}",
	"no-break space":             "\u00a0{%s}",
	"invalid UTF-8 in a value":   "{%s,\"x\":\"\xff\"}",
	"invalid UTF-8 in a name":    "{%s,\"\xc3\x28\":1}",
	"overlong UTF-8":             "{%s,\"x\":\"\xc0\xaf\"}",
	"surrogate in UTF-8":         "{%s,\"x\":\"\xed\xa0\x80\"}",
	"lone high surrogate":        `{%s,"x":"\ud800"}`,
	"lone low surrogate":         `{%s,"x":"\udc00"}`,
	"surrogates the wrong way":   `{%s,"x":"\udc00\ud800"}`,
	"high surrogate then letter": `{%s,"x":"\ud800a"}`,
	"lone surrogate in a name":   `{%s,"\ud800":1}`,
	"nested lone surrogate":      `{%s,"x":[{"y":"\ud800"}]}`,
	"unknown escape":             `{%s,"x":"\x41"}`,
	"short escape":               `{%s,"x":"\u12"}`,
	"raw control character":      "{%s,\"x\":\"a\nb\"}",
	"raw NUL in a string":        "{%s,\"x\":\"a\x00b\"}",
	"unclosed string":            `{%s,"x":"}`,
}

// fill puts an object's members into a text.
func fill(format, object string) string {
	if !strings.Contains(format, "%") {
		return format
	}
	return fmt.Sprintf(format, strings.TrimSuffix(strings.TrimPrefix(object, "{"), "}"))
}

// hostileGrammar tries each bad text as header and as payload.
func hostileGrammar(t testing.TB, l *lab) []hostile {
	var rows []hostile
	for name, text := range badJSON {
		rows = append(rows,
			hostile{name: "header: " + name, raw: l.head(t, fill(text, goodHeader)), want: ReasonJSON},
			hostile{name: "payload: " + name, raw: l.claims(t, fill(text, goodPayload)), want: ReasonJSON},
		)
	}
	return append(rows,
		hostile{name: "nested token", raw: l.with(t, l.rsaMethod(), `{"alg":"RS256","kid":"rsa","cty":"JWT"}`, l.claims(t, goodPayload)), want: ReasonJSON},
		hostile{name: "bad payload and algorithm", raw: l.with(t, l.rsaMethod(), `{"alg":"none","kid":"rsa"}`, "x"), want: ReasonJSON},
	)
}

// hostileDuplicates have a member twice: parsers differ on which counts.
func hostileDuplicates(t testing.TB, l *lab) []hostile {
	const d = ReasonDuplicateMember
	return []hostile{
		{name: "alg twice", raw: l.head(t, `{"alg":"RS256","alg":"none","kid":"rsa"}`), want: d},
		{name: "alg twice, same value", raw: l.head(t, `{"alg":"RS256","alg":"RS256","kid":"rsa"}`), want: d},
		{name: "alg twice, once escaped", raw: l.head(t, `{"alg":"RS256","\u0061lg":"none","kid":"rsa"}`), want: d},
		{name: "kid twice", raw: l.head(t, `{"alg":"RS256","kid":"rsa","kid":"other"}`), want: d},
		{name: "typ twice", raw: l.head(t, `{"alg":"RS256","kid":"rsa","typ":"JWT","typ":"x"}`), want: d},
		{name: "crit twice", raw: l.head(t, `{"alg":"RS256","kid":"rsa","crit":["x"],"crit":[]}`), want: d},
		{name: "unknown header member twice", raw: l.head(t, `{"alg":"RS256","kid":"rsa","x":1,"x":1}`), want: d},
		{name: "duplicate inside a header member", raw: l.head(t, `{"alg":"RS256","kid":"rsa","jwk":{"kty":"RSA","kty":"EC"}}`), want: d},
		{name: "exp twice", raw: l.claims(t, extra(`"exp":1900000000`)), want: d},
		{name: "sub twice", raw: l.claims(t, extra(`"sub":"admin"`)), want: d},
		{name: "sub twice, once escaped", raw: l.claims(t, extra(`"s\u0075b":"admin"`)), want: d},
		{name: "aud twice", raw: l.claims(t, extra(`"aud":"x"`)), want: d},
		{name: "iss twice", raw: l.claims(t, extra(`"iss":"x"`)), want: d},
		{name: "duplicate in a nested claim", raw: l.claims(t, extra(`"x":{"y":1,"y":2}`)), want: d},
		{name: "duplicate in an array's object", raw: l.claims(t, extra(`"x":[[{"y":1,"\u0079":2}]]`)), want: d},
		{name: "empty name twice", raw: l.claims(t, extra(`"":1,"":2`)), want: d},
	}
}

// names returns n distinct members.
func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%d":0`, i)
	}
	return strings.Join(list, ",")
}

// nest returns n arrays around nothing.
func nest(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// hostileBounds go over depth, members or number length by one, or by far.
func hostileBounds(t testing.TB, l *lab) []hostile {
	const w = ReasonJSONLimits
	digits := strings.Repeat("1", maxNumber+1)
	return []hostile{
		{name: "17 levels of arrays", raw: l.claims(t, extra(`"x":`+nest(16))), want: w},
		{name: "17 levels of objects", raw: l.claims(t, extra(`"x":`+strings.Repeat(`{"y":`, 16)+"1"+strings.Repeat("}", 16))), want: w},
		{name: "17 levels after a shallow value", raw: l.claims(t, extra(`"x":[[],[],{"y":`+nest(15)+`}]`)), want: w},
		{name: "5,000 levels", raw: l.claims(t, extra(`"x":`+nest(5000))), want: w},
		{name: "17 levels in the header", raw: l.head(t, `{"alg":"RS256","kid":"rsa","x":`+nest(16)+`}`), want: w},
		{name: "257 claims", raw: l.claims(t, extra(names(252))), want: w},
		{name: "257 members in a claim", raw: l.claims(t, extra(`"x":{`+names(257)+`}`)), want: w},
		{name: "257 members in an array's object", raw: l.claims(t, extra(`"x":[1,2,{"y":{`+names(257)+`}}]`)), want: w},
		{name: "257 header members", raw: l.head(t, `{"alg":"RS256","kid":"rsa",`+names(255)+`}`), want: w},
		{name: "number of 33 digits", raw: l.claims(t, extra(`"x":`+digits)), want: w},
		{name: "exp of 33 digits", raw: l.claims(t, `{"exp":`+digits+`}`), want: w},
		{name: "fraction of 33 characters", raw: l.claims(t, extra(`"x":0.`+strings.Repeat("1", 31))), want: w},
		{name: "exponent of 33 characters", raw: l.claims(t, extra(`"x":1e`+strings.Repeat("1", 31))), want: w},
		{name: "long number in an array", raw: l.claims(t, extra(`"x":["1",[`+digits+`]]`)), want: w},
		{name: "long number in an object", raw: l.claims(t, extra(`"x":{"y":-`+strings.Repeat("1", 32)+`}`)), want: w},
		{name: "number of 8 KiB", raw: l.claims(t, extra(`"x":`+strings.Repeat("9", 8192))), want: w},
		{name: "long number in the header", raw: l.head(t, `{"alg":"RS256","kid":"rsa","x":`+digits+`}`), want: w},
	}
}
