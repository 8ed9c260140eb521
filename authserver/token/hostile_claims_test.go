// SPDX-License-Identifier: Apache-2.0

package token

import (
	"fmt"
	"testing"
)

// hostileTimes are claim sets outside their time, or whose times are no NumericDates.
func hostileTimes(t testing.TB, l *lab) []hostile {
	var rows []hostile
	exp := func(name, value string, want Reason) {
		payload := fmt.Sprintf(`{"sub":"bob","exp":%s}`, value)
		rows = append(rows, hostile{name: "exp " + name, raw: l.claims(t, payload), want: want})
	}
	exp("at now minus leeway", "1799999970", ReasonExpired)
	exp("long ago", "1500000000", ReasonExpired)
	exp("zero", "0", ReasonExpired)
	exp("zero with an exponent", "0e99", ReasonExpired)
	exp("just before the edge", "1799999969.999999999", ReasonExpired)
	exp("on the edge with a fraction of zero", "1799999970.000", ReasonExpired)
	exp("on the edge below a nanosecond", "1799999970.0000000001", ReasonExpired)
	exp("on the edge as a power", "179999997e1", ReasonExpired)
	exp("tiny", "9e-400", ReasonExpired)
	exp("tiny with a huge exponent", "1e-99999999999999999999", ReasonExpired)
	exp("in milliseconds, past", "1.7e9", ReasonExpired)
	exp("too large by one", "253402300800", ReasonTimeRange)
	exp("too large by a fraction", "253402300799.5", ReasonTimeRange)
	exp("too large by a little", "253402300799.00000000000000001", ReasonTimeRange)
	exp("in nanoseconds", "1800000300000000000", ReasonTimeRange)
	exp("1e400", "1e400", ReasonTimeRange)
	exp("1E+400", "1E+400", ReasonTimeRange)
	exp("1e308", "1e308", ReasonTimeRange)
	exp("with an overflowing exponent", "1e9223372036854775808", ReasonTimeRange)
	exp("with an overflowing exponent of 32 bits", "1e4294967296", ReasonTimeRange)
	exp("2 to the 63rd", "9223372036854775808", ReasonTimeRange)
	exp("2 to the 64th plus the time", "18446744075509551916", ReasonTimeRange)
	exp("of 32 digits", "99999999999999999999999999999999", ReasonTimeRange)
	exp("negative", "-1", ReasonTimeRange)
	exp("minus zero", "-0", ReasonTimeRange)
	exp("negative and huge", "-1e400", ReasonTimeRange)
	exp("string", `"1800000300"`, ReasonClaimType)
	exp("string of a date", `"2030-01-01T00:00:00Z"`, ReasonClaimType)
	exp("null", `null`, ReasonClaimType)
	exp("true", `true`, ReasonClaimType)
	exp("array", `[1800000300]`, ReasonClaimType)
	exp("object", `{"$date":1800000300}`, ReasonClaimType)

	more := func(name, members string, want Reason) {
		rows = append(rows, hostile{name: name, raw: l.claims(t, `{"exp":1800000300,`+members+`}`), want: want})
	}
	more("nbf past the leeway", `"nbf":1800000031`, ReasonNotYetValid)
	more("nbf past the leeway by a nanosecond", `"nbf":1800000030.000000001`, ReasonNotYetValid)
	more("nbf far away", `"nbf":253402300799`, ReasonNotYetValid)
	more("nbf 1e400", `"nbf":1e400`, ReasonTimeRange)
	more("nbf negative", `"nbf":-5`, ReasonTimeRange)
	more("nbf string", `"nbf":"0"`, ReasonClaimType)
	more("nbf null", `"nbf":null`, ReasonClaimType)
	more("nbf false", `"nbf":false`, ReasonClaimType)
	more("iat past the leeway", `"iat":1800000031`, ReasonIssuedInFuture)
	more("iat in milliseconds", `"iat":180000000000`, ReasonIssuedInFuture)
	more("iat 1e400", `"iat":1e400`, ReasonTimeRange)
	more("iat string", `"iat":"1799999990"`, ReasonClaimType)
	more("iat array", `"iat":[]`, ReasonClaimType)
	more("iat null", `"iat":null`, ReasonClaimType)
	return append(rows,
		hostile{name: "no claims", raw: l.claims(t, `{}`), want: ReasonExpMissing},
		hostile{name: "no exp", raw: l.claims(t, `{"iss":"a","sub":"bob","iat":1}`), want: ReasonExpMissing},
		hostile{name: "EXP only", raw: l.claims(t, `{"sub":"bob","EXP":1800000300}`), want: ReasonExpMissing},
		hostile{name: "exp with a space", raw: l.claims(t, `{"sub":"bob","exp ":1800000300}`), want: ReasonExpMissing},
		hostile{name: "exp in an object", raw: l.claims(t, `{"claims":{"exp":1800000300}}`), want: ReasonExpMissing},
		hostile{name: "exp in the header", raw: l.with(t, l.rsaMethod(), `{"alg":"RS256","kid":"rsa","exp":1800000300}`, `{"sub":"bob"}`), want: ReasonExpMissing},
		hostile{name: "exp expired, EXP not", raw: l.claims(t, `{"exp":1500000000,"EXP":1800000300}`), want: ReasonExpired},
		hostile{name: "no leeway in the policy", raw: l.claims(t, `{"exp":1799999999}`), want: ReasonExpired, rules: &Rules{Algorithms: l.rules.Algorithms, Types: l.rules.Types}},
		hostile{name: "negative leeway in the policy", raw: l.claims(t, `{"exp":1800000000}`), want: ReasonExpired, rules: &Rules{Algorithms: l.rules.Algorithms, Types: l.rules.Types, Leeway: -1}},
	)
}

// hostileClaims have registered claims of the wrong JSON type.
func hostileClaims(t testing.TB, l *lab) []hostile {
	values := map[string][]string{
		"iss":   {`1`, `null`, `true`, `["https://idp.acme.example"]`, `{"a":1}`},
		"sub":   {`1`, `null`, `false`, `["bob"]`, `{"a":"bob"}`, `12345678901234567890`},
		"jti":   {`1`, `null`, `["x"]`},
		"nonce": {`1`, `null`, `["x"]`, `{}`},
		"aud": {
			`1`, `null`, `true`, `{"a":"https://api.example"}`, `{}`, `[1]`, `[null]`, `[true]`, `["a",1]`, `[["https://api.example"]]`,
			`[{"a":"https://api.example"}]`, `["https://api.example",null]`,
		},
	}
	var rows []hostile
	for name, list := range values {
		for _, value := range list {
			raw := l.claims(t, fmt.Sprintf(`{"exp":1800000300,%q:%s}`, name, value))
			rows = append(rows, hostile{name: name + " is " + value + " in the claims", raw: raw, want: ReasonClaimType})
		}
	}
	return rows
}
