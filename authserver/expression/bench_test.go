// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"fmt"
	"strings"
	"testing"
)

// largest are payloads of the largest token (12 KiB of JSON), each as bad as it can be for some expression.
func largest() map[string]string {
	fill := func(format, element string, n int) string {
		return fmt.Sprintf(`{"exp":4102444800,`+format+`}`, strings.TrimSuffix(strings.Repeat(element+",", n), ","))
	}
	return map[string]string{
		"numbers": fill(`"s":"x","l":[%s]`, "1", 6000),
		"halves":  fill(`"s":"`+strings.Repeat("a", 6000)+`","l":[%s]`, "1", 3000),
		"strings": fill(`"s":"x","l":[%s]`, `"`+strings.Repeat("a", 36)+`"`, 300),
		"text":    `{"exp":4102444800,"s":"` + strings.Repeat("a", 12000) + `","l":["a"]}`,
		"escaped": `{"exp":4102444800,"s":"` + strings.Repeat(`\u00e9`, 2000) + `","l":["a"]}`,
		"nested":  fill(`"s":"x","l":[%s]`, `{"a":[{"b":[1]}]}`, 650),
	}
}

// bombs are expressions made to cost more than their length.
var bombs = []string{
	"claims.l.exists(a, claims.l.exists(b, a == b && b == 2))",
	"claims.l.all(a, claims.l.all(b, true))",
	"claims.l.exists(a, a.x == 1)",
	"claims.l.exists(a, claims.l.exists(b, a.x == b.y))",
	"claims.l.map(a, claims.l.map(b, [a, b])).size() == 0",
	"claims.l.map(a, claims.l).map(b, claims.l) == []",
	"claims.l.filter(a, claims.l == claims.l).size() == 0",
	"claims.l.filter(a, claims == claims).size() == 0",
	"claims.l.filter(a, claims.s == claims.s).size() == 0",
	"claims.l.filter(a, a in claims.l).size() == 0",
	"claims.l.filter(a, claims.l in claims.l).size() == 0",
	"claims.l.filter(a, claims.s.size() == 0).size() == 0",
	"claims.l.filter(a, claims.s.lowerAscii() == 'b').size() == 0",
	"claims.l.filter(a, claims.s.reverse() == 'b').size() == 0",
	"claims.l.filter(a, claims.s.substring(1) == 'b').size() == 0",
	"claims.l.filter(a, claims.s.charAt(7) == 'b').size() == 0",
	"claims.l.filter(a, claims.s.trim() == 'b').size() == 0",
	"claims.l.filter(a, claims.s.split('').size() == 0).size() == 0",
	"claims.l.filter(a, int(claims.s) == 0 || true).size() == 0",
	"claims.l.filter(a, claims.s.indexOf('aaaaaaaaaaaaaaaaaaab') == 0).size() == 0",
	"claims.s.indexOf(claims.s.substring(0, claims.s.size() / 2) + 'b') == 0",
	"claims.s.lastIndexOf('b' + claims.s.substring(0, claims.s.size() / 2)) == 0",
	"claims.s.contains(claims.s.substring(0, claims.s.size() / 2) + 'b')",
	"claims.s.replace('a', claims.s).size() == 0",
	"claims.s.replace('', claims.s).size() == 0",
	"claims.l.map(a, claims.s).join(claims.s).size() == 0",
	"claims.s.split('').join(claims.s).size() == 0",
	"claims.s.matches('(a?){500}b')",
	"claims.s.matches('(x+x+)+y|a*a*a*a*b')",
	"claims.l.filter(a, claims.s.matches('a.{0,200}b')).size() == 0",
	"[claims.s]" + strings.Repeat(".map(x, x+x+x+x+x+x+x+x)", 11) + ".size() == 0",
	"[claims.l]" + strings.Repeat(".map(x, x+x+x+x+x+x+x+x)", 11) + ".size() == 0",
	"[claims.l]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x])", 6) + " == [claims.l]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x])", 6),
	"[claims.l]" + strings.Repeat(".map(x, {'a':x,'b':x,'c':x,'d':x,'e':x,'f':x,'g':x,'h':x,'i':x})", 6) + " == [claims.l]" + strings.Repeat(".map(x, {'a':x,'b':x,'c':x,'d':x,'e':x,'f':x,'g':x,'h':x,'i':x})", 6),
	"dyn([1]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x])", 11) + ").join() == ''",
	"[1]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x])", 6) + " in [[1]" + strings.Repeat(".map(x, [x,x,x,x,x,x,x,x,x,x,x,x,x,x])", 6) + "]",
	"sets.equivalent(claims.l, claims.l)",
	"claims.l.exists(a, sets.contains(claims.l, claims.l) && a == 7)",
	"claims.l.map(a, claims.l + claims.l).size() == 0",
	"claims.l.exists(a, claims.l.map(n, n) == [a])",
	"claims.l.exists(a, [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,a].size() == 0)",
	"claims.l.exists(a, {1:a,2:a,3:a,4:a,5:a,6:a,7:a,8:a,9:a,10:a}.size() == 0)",
	"claims.l.exists(a, claims.exists(b, claims[b] == a && false))",
	"claims.l.exists(a, string(a) == 'x' || dyn(a).b.c == 2 || type(a) == int && false)",
	"claims.l.exists(a, -9223372036854775808 - 1 == a)",
	"claims.l.exists(a, 1 / 0 == a || true && false || 1 % 0 == 1)",
}

// BenchmarkWorst says how long the most expensive evaluation takes, by expression and payload; the bounds of meter.go are
// chosen by it.
func BenchmarkWorst(b *testing.B) {
	for i, text := range bombs {
		p, err := Compile(text, Rule)
		if err != nil {
			continue // refused before it can cost anything
		}
		for name, payload := range largest() {
			c := read(b, payload)
			b.Run(fmt.Sprintf("%d/%s", i, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = p.Bool(Of(c))
				}
			})
		}
	}
}

// BenchmarkBool is what common rules cost.
func BenchmarkBool(b *testing.B) {
	c := read(b, person)
	for _, text := range []string{
		"claims.plan in ['gold', 'silver']",
		"claims.plan == 'gold' && claims.admin",
		"claims.groups.exists(g, g == 'ops')",
		"claims.email.matches('^[^@]+@acme[.]example$')",
		"claims.?realm.?roles.orValue([]).exists(r, r == 'admin')",
	} {
		p := mustCompile(b, text, Rule)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.Bool(Of(c)); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// BenchmarkCompile is what a reload pays for each new text.
func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := compile(cacheKey{text: "claims.plan in ['gold', 'silver']", kind: Rule}); err != nil {
			b.Fatal(err)
		}
	}
}
