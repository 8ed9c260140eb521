// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// FuzzCompile guards, for any text and kind: compiling and evaluating end soon, without a panic, with a result of the kind
// or an error of this package.
func FuzzCompile(f *testing.F) {
	for _, text := range bombs {
		f.Add(text, int(Rule))
	}
	for _, text := range []string{
		"claims.email.split('@')[0]", "claims.realm.roles", "claims.?plan.orValue('x')", "claims.groups.map(g, g + '!')", "[claims.level, 'a']", "{'a': claims}", "claims.a ? 'x' : 1",
		"", "(", "'", "claims.", "claims[", "claims.?", "claims[?", "1.", "0x", "-", "!", "b'", "r'", "\"\"\"", "// comment", "optional.of(claims)", "type(claims)", "dyn", "true ? claims : claims",
		"claims.map(a, b, c)", "claims.all(1, 2)", "has(claims)", "has(claims.a.b)", "claims.exists(claims, claims)", "[1, 2][5]", "{1: 2}[3]", "google.protobuf.Any{}", "timestamp('x')", "\x00", "\xff", "😀",
		"claims.matches('(((((a{9}){9}){9}){9}))')", "1 / 0", "9223372036854775807 + 1", "-9223372036854775808", "18446744073709551615u + 1u", "1e999", "string(1e999)", "int(1e30)", "'\\u0000\\ud800'",
	} {
		for kind := range wants {
			f.Add(text, int(kind))
		}
	}
	c := read(f, person)
	f.Fuzz(func(t *testing.T, text string, number int) {
		kind := Kind(uint(number) % uint(len(wants)))
		start := time.Now()
		p, err := Compile(text, kind)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("compiling takes %v", took)
		}
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || len(err.Error()) > 512 || strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("%q for an author", err)
			}
			return
		}
		start = time.Now()
		if kind == Rule {
			_, err = p.Bool(Of(c))
		} else {
			var values []string
			var list bool
			if values, list, err = p.Strings(Of(c)); err == nil && (list && kind == Text || !list && len(values) != 1) {
				t.Errorf("%q of kind %d", values, kind)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("evaluating takes %v", took)
		}
		if err != nil && !errors.Is(err, ErrCost) && !errors.Is(err, ErrFailed) && !errors.Is(err, ErrResult) {
			t.Errorf("%v", err)
		}
	})
}

// FuzzValue guards that what an expression sees of a claim is what encoding/json reads.
func FuzzValue(f *testing.F) {
	for _, payload := range []string{
		person, `{}`, `{"a":[]}`, `{"a":[[],{},[[]],{"":{}}]}`, `{"a":[1,-2,3.5,1e3,"x,y","]","}",":"," "]}`, "{ \"a\" : [ 1 ,\t2\n, { \"b\" : \"c\" , \"d\" : null } ] }", `{"\u0061\"":"\\\"","b":{"\\":"\/"}}`,
	} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := token.ReadClaims(payload)
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal(payload, &want); err != nil {
			if strings.Contains(err.Error(), "into Go value of type float64") {
				return // beyond a double, which is infinite here
			}
			t.Fatalf("encoding/json refuses %q: %v", payload, err)
		}
		s := Of(c)
		got := plain(s.claims.whole())
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", payload, got, want)
		}
		for name := range want {
			one, ok := (&root{claims: c}).Find(types.String(name))
			if !ok || !reflect.DeepEqual(plain(one), want[name]) {
				t.Errorf("%q of %s is %v, %v; want %v", name, payload, one, ok, want[name])
			}
		}
	})
}

// plain turns a CEL value into what encoding/json makes of its text.
func plain(v ref.Val) any {
	switch v := v.(type) {
	case types.String:
		return string(v)
	case types.Bool:
		return bool(v)
	case types.Int:
		return float64(v)
	case types.Uint:
		return float64(v)
	case types.Double:
		return float64(v)
	case types.Null:
		return nil
	case traits.Lister:
		list := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			list = append(list, plain(it.Next()))
		}
		return list
	case traits.Mapper:
		object := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			name := it.Next()
			value, _ := v.Find(name)
			object[string(name.(types.String))] = plain(value)
		}
		return object
	}
	return v
}
