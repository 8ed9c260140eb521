// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strconv"
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
		if took := time.Since(start); took > time.Minute {
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
		if took := time.Since(start); took > time.Minute {
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
		`{"a":0.99999999999999999999,"b":[[1e400]],"c":{"d":-1e-400},"e":"1e400\\\"","f":[0.1,-1.50,1e3,-0.0,0e9999999,9007199254740991.0],"g":9007199254740992.0,"h":18446744073709551616,"i":0.10000000000000001,"j":5e-324}`,
		person, `{}`, `{"a":[]}`, `{"a":[[],{},[[]],{"":{}}]}`, `{"a":[1,-2,3.5,1e3,"x,y","]","}",":"," "]}`, "{ \"a\" : [ 1 ,\t2\n, { \"b\" : \"c\" , \"d\" : null } ] }", `{"\u0061\"":"\\\"","b":{"\\":"\/"}}`,
	} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := token.ReadClaims(payload)
		if err != nil {
			return
		}
		dec := json.NewDecoder(bytes.NewReader(payload))
		dec.UseNumber()
		var want map[string]any
		if err := dec.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", payload, err)
		}
		for name, value := range want {
			if want[name] = exact(value); want[name] == nil && value != nil {
				want[name] = inexact{}
			}
		}
		s := Of(c)
		s.meter.left = MaxCost
		got := plain(s.claims.whole())
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", payload, got, want)
		}
		for name := range want {
			one, ok := Of(c).claims.Find(types.String(name))
			if !ok || !reflect.DeepEqual(plain(one), want[name]) {
				t.Errorf("%q of %s is %v, %v; want %v", name, payload, one, ok, want[name])
			}
		}
	})
}

// inexact stands for a claim that is an error.
type inexact struct{}

// exact replaces the numbers of what encoding/json read by doubles; nil if one is not exactly a 64-bit integer or, within
// ±2⁵³, what its double is written as.
func exact(v any) any {
	switch v := v.(type) {
	case json.Number:
		return exactNumber(string(v))
	case []any:
		for i := range v {
			if element := exact(v[i]); element != nil || v[i] == nil {
				v[i] = element
				continue
			}
			return nil
		}
	case map[string]any:
		for name := range v {
			if element := exact(v[name]); element != nil || v[name] == nil {
				v[name] = element
				continue
			}
			return nil
		}
	}
	return v
}

func exactNumber(text string) any {
	f, err := strconv.ParseFloat(text, 64)
	if i, ok := new(big.Int).SetString(text, 10); ok {
		if i.IsInt64() || i.IsUint64() {
			return f
		}
		return nil
	}
	if err != nil || math.Abs(f) >= 1<<53 {
		return nil
	}
	if strings.Trim(strings.ToLower(text), "-0.") == "" || strings.HasPrefix(strings.TrimLeft(strings.ToLower(text), "-0."), "e") {
		return f // zero, whatever its exponent
	}
	written, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil // an exponent beyond all doubles
	}
	if shortest, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64)); !ok || written.Cmp(shortest) != 0 {
		return nil
	}
	return f
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
	case *types.Err:
		return inexact{}
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
