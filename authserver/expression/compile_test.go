// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"errors"
	"strings"
	"testing"
)

// TestCompileErrors guards what authors are told: where, what, and how to put it right.
func TestCompileErrors(t *testing.T) {
	for _, row := range []struct {
		name, text string
		kind       Kind
		want       string
	}{
		{"syntax", "claims.plan ==", Rule, "line 1, column 15: mismatched input '<EOF>'"},
		{"syntax on the second line", "claims.plan == 'a' &&\n  claims.", Rule, "line 2, column 10: no viable alternative"},
		{"empty", "", Rule, "line 1, column 1: mismatched input"},
		{"claim without claims.", "plan == 'gold'", Rule, "line 1, column 1: there is no variable or function plan; a claim is written claims.name"},
		{"userinfo", "userinfo.x == 1", Rule, "there is no variable or function userinfo"},
		{"unknown function", "claims.plan.shout() == ''", Rule, "column 18: there is no variable or function shout"},
		{"types that never match", "'a' + 1 == 'b'", Rule, "column 5: found no matching overload for '_+_'"},
		{"rule that is a string", "'gold'", Rule, "the result is string, but must be a bool: compare it"},
		{"rule that is optional", "claims.?admin", Rule, "add .orValue()"},
		{"username that is a bool", "claims.plan == 'gold'", Text, "the result is bool, but must be a string: convert it with string()"},
		{"username that is a list", "claims.groups.map(g, string(g))", Text, "the result is list(string), but must be a string"},
		{"username that is null", "null", Text, "the result is null, but must be a string"},
		{"username that is all claims", "claims", Text, "the result is map(string, dyn), but must be a string"},
		{"groups that are numbers", "[1, 2]", Texts, "the result is list(int), but must be a string or a list of strings: convert elements with .map(x, string(x))"},
		{"groups within groups", "[['a']]", Texts, "the result is list(list(string))"},
		{"header that is an object", "{'a': 1}", Scalars, "the result is map(string, int), but must be a string, number or bool, or a list of those"},
		{"now", "timestamp('2026-01-01T00:00:00Z') < timestamp('2027-01-01T00:00:00Z')", Rule, "the function timestamp is not available here"},
		{"duration", "duration('1h') == duration('60m')", Rule, "the function duration is not available here"},
		{"zone", "claims.x.getHours('Europe/Berlin') == 1", Rule, "the function getHours is not available here"},
		{"format", "'%s'.format([claims.plan]) == ''", Rule, "the function format is not available here"},
		{"unwrap", "optional.unwrap([optional.of(1)]) == [1]", Rule, "the function optional.unwrap is not available here"},
		{"optMap, which copies", "claims.?a.optMap(x, x + 1).hasValue()", Rule, "there is no variable or function"},
		{"bytes", "b'abc' == b'abc'", Rule, "column 1: bytes are not available here"},
		{"conversion to bytes", "bytes('abc') == bytes('x')", Rule, "the function bytes is not available here"},
		{"message", "google.protobuf.Int32Value{value: 1} == 1", Rule, "messages are not available here"},
		{"optional element", "[?claims.?a] == []", Rule, "optional entries are not available here"},
		{"optional entry", "{?'a': claims.?a} == {}", Rule, "optional entries are not available here"},
		{"pattern from a claim", "claims.a.matches(claims.b)", Rule, "column 17: the pattern of matches must be a literal string"},
		{"broken pattern", "claims.a.matches('(')", Rule, "the pattern of matches is not RE2 syntax: missing closing ): `(`"},
		{"look-ahead", "claims.a.matches('(?=x)')", Rule, "the pattern of matches is not RE2 syntax"},
		{"large pattern", "claims.a.matches('(a?){900}')", Rule, "the pattern of matches is too large"},
		{"three nested loops", "claims.a.all(x, claims.b.all(y, claims.c.all(z, x == y && y == z)))", Rule, "could cost too much"},
		{"conversion that always fails", "int(1e30) == 1", Rule, "a part of the expression always fails: integer overflow"},
		{"chain of loops", "[1]" + strings.Repeat(".map(x, [x])", 13) + " == []", Rule, "the expression has 13 loops (all, exists, filter, map); at most 12"},
		{"too long", strings.Repeat(" ", MaxLength) + "true", Rule, "longer than 1024 characters"},
		{"too deep", strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500), Rule, "recursion"},
		{"not UTF-8", "claims.plan == '\xff'", Rule, "not valid UTF-8"},
		{"assignment", "claims.hd = 'x'", Rule, "line 1, column 11: token recognition error at: '= '; to compare two values write =="},
		{"zero byte", "claims.plan == \x00", Rule, "line 1, column 16: token recognition error"},
	} {
		p, err := Compile(row.text, row.kind)
		if err == nil {
			t.Errorf("%s: %q compiles to %v", row.name, row.text, p)
			continue
		}
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: %v is no *Error", row.name, err)
		}
		if got := err.Error(); !strings.Contains(got, row.want) || len(got) > 512 || strings.ContainsAny(got, "\n\x00") {
			t.Errorf("%s: %q, want %q in it", row.name, got, row.want)
		}
	}
}

// TestCompileAccepts guards that the bounds leave room for what policies write.
func TestCompileAccepts(t *testing.T) {
	for text, kind := range map[string]Kind{
		"claims.email.split('@')[0]":                                       Text,
		"claims.realm_access.roles":                                        Texts,
		"claims.?groups.orValue([])":                                       Texts,
		"claims.groups.filter(g, g.startsWith('app-'))":                    Texts,
		"claims.groups.map(g, g.substring(4))":                             Texts,
		"claims.a ? 'x' : claims.b":                                        Text,
		"claims.level":                                                     Scalars,
		"claims.level + 1":                                                 Scalars,
		"[claims.a, 'x']":                                                  Scalars,
		"claims.groups.exists(g, claims.allowed.exists(a, a == g))":        Rule,
		"claims.groups.exists(g, g.matches('^team-[a-z]+$'))":              Rule,
		"claims.scope.split(' ').exists(s, s in ['read', 'write'])":        Rule,
		"['a', 'b'].all(r, claims.groups.exists(g, g == r))":               Rule,
		"claims.aud == 'x' && claims.azp in ['y'] && !has(claims.act)":     Rule,
		"claims.exists(name, name.startsWith('https://acme.example/'))":    Rule,
		"claims['https://acme.example/roles'].exists(r, r == 'admin')":     Rule,
		strings.Repeat("'é' != '' && ", 78) + "true":                       Rule, // 1,018 characters, more bytes
		"[1]" + strings.Repeat(".map(x, [x])", 12) + " == []":              Rule,
		"claims.groups.exists(g, g in claims.?allowed.orValue(['admin']))": Rule,
	} {
		if _, err := Compile(text, kind); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
