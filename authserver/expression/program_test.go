// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
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
		{"type(claims.beyond) == double", true, nil},
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
		{"claims.groups == claims.groups && claims.realm == claims.realm && claims == claims", true, nil},
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
