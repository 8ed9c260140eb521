// SPDX-License-Identifier: Apache-2.0

package jwk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// document makes a JWKS of keys' texts.
func document(keys ...[]byte) []byte {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = string(k)
	}
	return []byte(`{"keys":[` + strings.Join(texts, ",") + `]}`)
}

func TestParseSet(t *testing.T) {
	l := newLab()
	jwk := func(alg, id string, change map[string]any) []byte {
		return changed(t, must(l.of(alg).With(id, "")), change)
	}
	other := must(json.Marshal(must(must(New(fakeRSA(2048, rsaExponent))).With("r", ""))))
	r, e, s := jwk("RS256", "r", nil), jwk("ES256", "e", nil), jwk("HS256", "s", nil)
	for _, row := range []struct {
		name     string
		text     []byte
		want     []string // IDs of the set
		problems []string // parts of them, in order
	}{
		{"keys of several types", document(r, e, jwk("EdDSA", "o", nil)), []string{"r", "e", "o"}, nil},
		{"no keys", document(), []string{}, nil},
		{"members beside keys", []byte(`{"x":1,"keys":[` + string(r) + `],"y":{}}`), []string{"r"}, nil},
		{"unusable keys are passed over", document(
			jwk("RS256", "a", map[string]any{"use": "enc"}), r, jwk("RS256", "b", map[string]any{"d": "AQAB"}),
			[]byte(`{"kty":"AKP","kid":"c"}`), []byte(`{}`), e, jwk("ES256", "x", map[string]any{"kid": 7})),
			[]string{"r", "e"}, []string{
				`keys[0] (kid "a"): use is "enc"`, `keys[2] (kid "b"): this is a private key`, `keys[3] (kid "c"): kty or crv is not supported`,
				`keys[4]: kty or crv is not supported`, `keys[6]: member kid is not a string`,
			}},
		{"only unusable keys", document(jwk("RS256", "a", map[string]any{"use": "enc"})), []string{}, []string{`keys[0] (kid "a")`}},
		{"symmetric keys alone", document(s, jwk("HS256", "t", map[string]any{"k": strings.Repeat("A", 86)})), []string{"s", "t"}, nil},
		{"a symmetric key beside public ones", document(s, r), []string{"r"}, []string{`keys[0] (kid "s"): a symmetric key beside public keys`}},
		{"one kid, two keys", document(r, other), []string{"r", "r"}, []string{`keys[1] (kid "r"): a token that names it also fits keys[0]`}},
		{"one kid, two algorithms", document(jwk("RS256", "r", map[string]any{"alg": "RS256"}), jwk("RS256", "r", map[string]any{"alg": "PS256"})), []string{"r", "r"}, nil},
		{"one kid, two types", document(r, jwk("ES256", "r", nil)), []string{"r", "r"}, nil},
		{"a repeated key", document(r, e, r), []string{"r", "e"}, []string{`keys[2] (kid "r"): repeats keys[0]`}},
		{"two keys without a kid", document(jwk("RS256", "", nil), changed(t, l.of("RS256"), map[string]any{"n": members(t, must(New(fakeRSA(2048, rsaExponent))))["n"]})), []string{"", ""}, []string{`keys[1]: a token that names it also fits keys[0]`}},
		{"one with and one without a kid", document(other, jwk("RS256", "", nil)), []string{"r", ""}, []string{`keys[1]: a token that names it also fits keys[0]`}},
	} {
		set, problems, err := ParseSet(row.text)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		ids := []string{}
		for _, k := range set.Keys() {
			ids = append(ids, k.ID())
		}
		ok := slices.Equal(ids, row.want) && len(problems) == len(row.problems)
		for i := range problems {
			ok = ok && strings.HasPrefix(problems[i].String(), row.problems[i])
		}
		if !ok {
			t.Errorf("%s: keys %q, problems %v, want %q, %q", row.name, ids, problems, row.want, row.problems)
		}
	}
}

func TestParsePublicSet(t *testing.T) {
	l := newLab()
	secret, public := must(must(Symmetric(l.secret)).MarshalJSON()), must(l.of("RS256").MarshalJSON())
	set, problems, err := ParsePublicSet(document(secret, public))
	if err != nil || set.Len() != 1 || set.Keys()[0].Type() != "RSA" || len(problems) != 1 || problems[0].Index != 0 {
		t.Errorf("%v %v %v", set.Keys(), problems, err)
	}
	set, problems, err = ParsePublicSet(document(secret))
	if err != nil || set.Len() != 0 || len(problems) != 1 || !strings.Contains(problems[0].Reason, "public document") {
		t.Errorf("%v %v %v", set.Keys(), problems, err)
	}
}

func TestParseSetRefuses(t *testing.T) {
	key := string(must(newLab().of("ES256").MarshalJSON()))
	many := make([][]byte, 101)
	for i := range many {
		many[i] = fmt.Appendf(nil, `{"kty":"x","kid":"%d"}`, i)
	}
	if _, problems, err := ParseSet(document(many[:100]...)); err != nil || len(problems) != 100 {
		t.Errorf("100 keys: %d problems, %v", len(problems), err)
	}
	for name, row := range map[string]struct{ text, want string }{
		"empty":                  {"", "not a JSON object"},
		"HTML":                   {"<html>", "not a JSON object"},
		"array of keys":          {"[" + key + "]", "not a JSON object"},
		"one JWK":                {key, `this is one JWK: wrap it as {"keys":[...]}`},
		"no keys member":         {`{}`, "member keys is missing"},
		"Keys":                   {`{"Keys":[]}`, "member keys is missing"},
		"keys is null":           {`{"keys":null}`, "it is not an array"},
		"keys is an object":      {`{"keys":{}}`, "it is not an array"},
		"key is null":            {`{"keys":[` + key + `,null]}`, "keys[1] is not an object"},
		"key is a string":        {`{"keys":["x"]}`, "keys[0] is not an object"},
		"keys twice":             {`{"keys":[],"keys":[` + key + `]}`, "member name twice"},
		"keys twice, escaped":    {`{"keys":[],"k\u0065ys":[` + key + `]}`, "member name twice"},
		"duplicate inside a key": {`{"keys":[{"kty":"EC","kty":"RSA"}]}`, "member name twice"},
		"unclosed":               {`{"keys":[` + key, "not valid JSON"},
		"trailing comma":         {`{"keys":[` + key + `,]}`, "not valid JSON"},
		"garbage after":          {`{"keys":[]}x`, "something after"},
		"two documents":          {`{"keys":[]}{"keys":[]}`, "something after"},
		"invalid UTF-8":          {"{\"keys\":[],\"x\":\"\xff\"}", "not valid JSON"},
		"101 keys":               {string(document(many...)), "101 keys, at most 100"},
		"more than 512 KiB":      {`{"keys":[],"x":"` + strings.Repeat("x", 512<<10) + `"}`, "at most 524288 are allowed"},
		"deep nesting":           {`{"keys":` + strings.Repeat("[", 200_000), "not valid JSON"},
	} {
		set, _, err := ParseSet([]byte(row.text))
		if err == nil || set != nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "reading JWKS: ") {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
}

// FuzzParseSet guards that no document panics, and that each accepted key is sound: it fits
// an algorithm, is public as far as the document claims, and is read back the same.
func FuzzParseSet(f *testing.F) {
	l := newLab()
	for _, a := range algorithms {
		f.Add(document(must(must(l.public(a).With("id", a.Name)).MarshalJSON())))
	}
	f.Add(document(must(l.of("RS256").MarshalJSON()), must(l.of("HS256").MarshalJSON()), []byte(`{"kty":"EC","crv":"P-256","x":"","y":""}`)))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","use":"sig","key_ops":["verify"],"x5c":["MIIB"],"kid":"a"}]}`))
	f.Add(document(changed(f, l.of("RS256"), map[string]any{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"})))
	f.Add([]byte(`{"keys":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, _, err := ParseSet(text)
		if err != nil {
			return
		}
		for _, k := range set.Keys() {
			if k.fits == 0 {
				t.Fatalf("%v fits nothing", k)
			}
			again, err := ParseKey(must(k.MarshalJSON()))
			if err != nil || !again.Equal(k) {
				t.Fatalf("%v is read back as %v: %v", k, again, err)
			}
		}
		public, _, err := ParsePublicSet(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range public.Keys() {
			if k.Type() == "oct" {
				t.Fatal("a public set holds a secret")
			}
		}
	})
}
