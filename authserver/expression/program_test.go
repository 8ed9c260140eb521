// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// read reads a payload as that of a verified token.
func read(t testing.TB, payload string) *token.Claims {
	t.Helper()
	c, err := token.ReadClaims([]byte(payload))
	if err != nil {
		t.Fatalf("reading %.100s: %v", payload, err)
	}
	return c
}

func mustCompile(t testing.TB, text string, kind Kind) *Program {
	t.Helper()
	p, err := Compile(text, kind)
	if err != nil {
		t.Fatalf("compiling %q: %v", text, err)
	}
	return p
}

const person = `{"iss":"https://idp.example","sub":"u-1","exp":4102444800,"plan":"gold","email":"bob@acme.example","admin":true,
 "level":7,"big":9223372036854775807,"huge":18446744073709551615,"beyond":184467440737095516150,"ratio":0.5,"nothing":null,"scope":"read write",
 "groups":["dev","ops","dev/eu"],"mixed":["a",1,true],"realm":{"roles":["admin","user"],"deep":{"x":[1,2]}},"empty":"","none":[],"esc":"a\u002fb\n\"c\""}`

// TestBool guards what CEL makes of each JSON type, and that everything that is not a true bool is an error.
func TestBool(t *testing.T) {
	for _, row := range []struct {
		text string
		want bool
		err  error
	}{
		{"true", true, nil},
		{"claims.plan in ['gold', 'silver']", true, nil},
		{"claims.plan in ['bronze']", false, nil},
		{"claims.plan == 'gold' && claims.admin", true, nil},
		{"claims.admin", true, nil},
		{"claims.plan", false, ErrResult},
		{"claims.level == 7 && claims.level > 6 && claims.level < 7.5", true, nil},
		{"claims.level + 1 == 8", true, nil},
		{"claims.big == 9223372036854775807", true, nil},
		{"claims.big + 1 > 0", false, ErrFailed}, // overflow
		{"claims.huge == 18446744073709551615u", true, nil},
		{"type(claims.beyond) == double || type(claims.beyond) != double", false, ErrFailed},
		{"type(claims.level) == int && type(claims.ratio) == double && type(claims.nothing) == null_type", true, nil},
		{"claims.nothing == null", true, nil},
		{"type(claims.realm) == map && type(claims.groups) == list", true, nil},
		{"has(claims.plan) && !has(claims.absent)", true, nil},
		{"has(claims.realm.roles) && !has(claims.realm.absent)", true, nil},
		{"claims.absent == 'x'", false, ErrFailed},
		{"claims.absent == 'x' || true", true, nil},
		{"claims.?absent.orValue('x') == 'x'", true, nil},
		{"claims.?plan.orValue('x') == 'gold'", true, nil},
		{"claims.?realm.?roles.orValue([]).exists(r, r == 'admin')", true, nil},
		{"claims.?absent.?roles.hasValue()", false, nil},
		{"claims.?absent.or(claims.?plan).value() == 'gold'", true, nil},
		{"claims[?'plan'].orValue('') == 'gold'", true, nil},
		{"'dev' in claims.groups", true, nil},
		{"'plan' in claims && !('absent' in claims)", true, nil},
		{"claims.groups.exists(g, g.startsWith('dev/'))", true, nil},
		{"claims.groups.all(g, g != 'root') && claims.groups.exists_one(g, g == 'ops')", true, nil},
		{"claims.groups.filter(g, g.contains('dev')).size() == 2", true, nil},
		{"claims.groups.map(g, g + '!') == ['dev!', 'ops!', 'dev/eu!']", true, nil},
		{"claims.groups.map(g, g == 'ops', g.upperAscii()) == ['OPS']", true, nil},
		{"claims.groups + ['x'] == ['dev', 'ops', 'dev/eu', 'x']", true, nil},
		{"claims.groups == claims.groups && claims.realm == claims.realm", true, nil},
		{"claims == claims", false, ErrFailed}, // one of them cannot be held
		{"claims.realm != claims.groups && claims.realm == {'roles': ['admin', 'user'], 'deep': {'x': [1, 2]}}", true, nil},
		{"claims.realm.deep.x[1] == 2 && claims.groups[0] == 'dev'", true, nil},
		{"claims.groups[9] == 'dev'", false, ErrFailed},
		{"claims[claims.plan] == 1", false, ErrFailed},
		{"claims['pl' + 'an'] == 'gold'", true, nil},
		{"claims.esc == 'a/b\\n\"c\"'", true, nil},
		{"claims.email.matches('^[^@]+@acme[.]example$')", true, nil},
		{"matches(claims.email, '@')", true, nil},
		{"claims.level.matches('7')", false, ErrFailed},
		{"claims.email.split('@')[1] == 'acme.example'", true, nil},
		{"claims.scope.split(' ').exists(s, s == 'write')", true, nil},
		{"claims.email.indexOf('@') == 3 && claims.email.lastIndexOf('e') == 15", true, nil},
		{"claims.email.substring(0, 3) == 'bob' && ' x '.trim() == 'x' && 'ab'.reverse() == 'ba'", true, nil},
		{"claims.groups.join(',') == 'dev,ops,dev/eu' && claims.none.join() == ''", true, nil},
		{"claims.mixed.join(',') == ''", false, ErrFailed},
		{"claims.plan.replace('g', 'b') == 'bold' && claims.plan.replace('', '-') == '-g-o-l-d-'", true, nil},
		{"sets.contains(claims.groups, ['ops']) && sets.intersects(claims.groups, ['x', 'dev'])", true, nil},
		{"sets.equivalent(claims.groups, ['dev'])", false, nil},
		{"claims.map(name, name)[0] == 'iss' && claims.size() > 10", true, nil},
		{"claims.exists(name, name == 'plan')", true, nil},
		{"string(claims.level) == '7' && int('7') == claims.level && double(claims.level) == 7.0", true, nil},
		{"claims.admin ? claims.plan == 'gold' : false", true, nil},
		{"(claims.level / 0) == 1", false, ErrFailed},
		{"size(claims.plan) == 4 && -claims.level < 0", true, nil},
	} {
		got, err := mustCompile(t, row.text, Rule).Bool(Of(read(t, person)))
		if got != row.want || !errors.Is(err, row.err) {
			t.Errorf("%s = %v, %v; want %v, %v", row.text, got, err, row.want, row.err)
		}
	}
}

// TestNumbers guards that a number is held exactly or not at all: two that differ never become one name, and a claim with
// one that cannot be held fails wherever the expression looks into it, negated or not.
func TestNumbers(t *testing.T) {
	for number, want := range map[string]string{
		"7": "7", "-0": "0", "9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808", "18446744073709551615": "18446744073709551615",
		"18446744073709551616": "", "-9223372036854775809": "", "123456789012345678901234567890": "", "123456789012345678901234567891": "",
		"1.0": "1", "1e0": "1", "1.50": "1.5", "100E-2": "1", "0.1": "0.1", "-0.25": "-0.25", "0e99999999": "0", "0.30000000000000004": "0.30000000000000004",
		"0.99999999999999999999": "", "3.0000000000000000001": "", "0.10000000000000001": "", "1e-400": "", "4.9406564584124654e-324": "", "5e-324": "5e-324",
		"9007199254740991.0": "9.007199254740991e+15", "9007199254740992.0": "", "9007199254740993.0": "", "-9007199254740992e0": "", "1e20": "",
		"1e400": "", "-1e400": "", "1e-99999999999999999999999": "",
	} {
		for _, row := range []struct{ text, in string }{
			{"string(claims.n)", "%"}, {"string(claims.n[0])", "[%]"}, {"string(claims.n.a[1])", `{"a":["\"9",%]}`},
			{"claims.map(k, string(claims[k]))[1]", "%"},
		} {
			c := read(t, `{"exp":1,"n":`+strings.ReplaceAll(row.in, "%", number)+`}`)
			got, _, err := mustCompile(t, row.text, Text).Strings(Of(c))
			if want == "" && !errors.Is(err, ErrFailed) || want != "" && (err != nil || got[0] != want) {
				t.Errorf("%s of %s = %q, %v; want %q", row.text, number, got, err, want)
			}
		}
	}
	c := read(t, `{"exp":1,"n":1e400,"l":["a",[18446744073709551616]],"o":{"a":"b","c":{"d":0.99999999999999999999}},"s":"x"}`)
	for _, text := range []string{
		"claims.n > 3", "claims.n != 1", "!(claims.n in [1])", "claims.n < 0 || claims.n > 3", "claims.l != ['a']", "claims.l[0] == 'a'", "!('b' in claims.l)", "claims.l.size() > 1",
		"claims.o != {}", "claims.o.a == 'b'", "!('z' in claims.o)", "has(claims.n)", "claims != {'exp': 1, 'n': 1, 'l': 1, 'o': 1, 's': 1}", "!(claims in [{'exp': 1, 'n': 1, 'l': 1, 'o': 1, 's': 1}])", "!sets.contains([1], [claims.n])",
		"claims.?n.orValue(5) == 5", "[claims] == [claims]", "claims.exists(k, claims[k] == 1 && false) || claims.n == claims.n",
	} {
		if ok, err := mustCompile(t, text, Rule).Bool(Of(c)); ok || !errors.Is(err, ErrFailed) {
			t.Errorf("%s = %v, %v; want ErrFailed", text, ok, err)
		}
	}
	for _, text := range []string{"claims.s == 'x'", "!has(claims.absent)", "claims != {}", "'n' in claims", "claims.exists(k, k == 's')", "claims.size() == 5", "claims.n == 1 || claims.s == 'x'"} {
		if ok, err := mustCompile(t, text, Rule).Bool(Of(c)); !ok || err != nil {
			t.Errorf("%s = %v, %v; want true", text, ok, err)
		}
	}
}
