// SPDX-License-Identifier: Apache-2.0

package token

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// vector reads a file of public test vectors: GATEHOUSE_VECTORS, by default beside the
// repository. Where they are absent the test is skipped, in CI it fails.
func vector(t *testing.T, name string, into any) {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("vectors %s are absent: set GATEHOUSE_VECTORS", name)
		}
		t.Skipf("skipped: vectors %s are absent: set GATEHOUSE_VECTORS", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// verifyJWS is the intake up to the signature for payloads that are no claim sets.
func verifyJWS(raw string, r *Rules, set *jwk.Set) error {
	if segments, err := checkForm(raw); err != nil || segments != 3 {
		return cmp.Or(err, errors.New("no JWS"))
	}
	tok, _, err := open(raw)
	if err != nil {
		return err
	}
	if err := tok.header.check(r); err != nil {
		return err
	}
	key, err := tok.Select(set)
	if err != nil {
		return err
	}
	return tok.Verify(key)
}

// anyAlgorithm accepts what the key accepts, as the vectors assume.
var anyAlgorithm = &Rules{Algorithms: jwk.AlgorithmNames(), Types: []string{"", "jwt"}}

// publicHalf removes the private members of a vector's key.
func publicHalf(t *testing.T, key json.RawMessage) []byte {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(key, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi"} {
		delete(members, name)
	}
	text, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// wycheproofErrata are the cases whose result the file has wrong, by its README: what is
// right by the RFCs.
var wycheproofErrata = map[int]struct {
	accept bool
	why    string
}{
	346: {false, "the JWK is for PS256, the header says PS384"},
	350: {false, "the JWK is for PS256, the header says PS384"},
	347: {false, "the JWK's alg ES521 does not exist"},
	351: {false, "the JWK's alg ES521 does not exist"},
	367: {true, "byte for byte the valid case 357"},
	370: {true, "byte for byte the valid case 357"},
	372: {false, "the header holds a ?"},
	373: {false, "the payload holds a ?"},
}

type wycheproof struct {
	NumberOfTests int
	TestGroups    []struct {
		Comment         string
		Private, Public json.RawMessage
		Tests           []struct {
			TcID            int
			Comment, Result string
			JWS             json.RawMessage
		}
	}
}

// compact returns the case's token; a JSON serialization stays JSON text.
func compact(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

func TestWycheproofJWS(t *testing.T) {
	var file wycheproof
	vector(t, "wycheproof/json_web_signature_test.json", &file)
	seen := 0
	for _, g := range file.TestGroups {
		text := []byte(g.Public)
		if text == nil {
			text = g.Private
		}
		var set *jwk.Set
		key, keyErr := jwk.ParseKey(text)
		if keyErr == nil {
			set = jwk.NewSet(key)
		}
		for _, c := range g.Tests {
			seen++
			want := c.Result == "valid"
			if fix, ok := wycheproofErrata[c.TcID]; ok {
				want = fix.accept
			}
			err := keyErr
			if err == nil {
				err = verifyJWS(compact(c.JWS), anyAlgorithm, set)
			}
			if (err == nil) != want {
				t.Errorf("%s %d %s: accepted %v, want %v: %v", g.Comment, c.TcID, c.Comment, err == nil, want, err)
			}
		}
	}
	if seen != file.NumberOfTests || seen == 0 {
		t.Errorf("ran %d of %d cases", seen, file.NumberOfTests)
	}
}

func TestWycheproofJWK(t *testing.T) {
	var file wycheproof
	vector(t, "wycheproof/json_web_key_test.json", &file)
	seen := 0
	for _, g := range file.TestGroups {
		text := []byte(g.Public)
		if text == nil {
			text = g.Private
		}
		set, problems, err := jwk.ParseSet(text)
		if err != nil {
			t.Errorf("%s: %v", g.Comment, err)
			continue
		}
		for _, c := range g.Tests {
			seen++
			want := c.Result == "valid"
			if err := verifyJWS(compact(c.JWS), anyAlgorithm, set); (err == nil) != want {
				t.Errorf("%s %d %s: accepted %v, want %v: %v %v", g.Comment, c.TcID, c.Comment, err == nil, want, err, problems)
			}
		}
	}
	if seen != file.NumberOfTests || seen == 0 {
		t.Errorf("ran %d of %d cases", seen, file.NumberOfTests)
	}
}

func TestRFCExamples(t *testing.T) {
	var cases []struct {
		Name, Token, Expect, Kind, Why string
		Key                            json.RawMessage
	}
	vector(t, "rfc/rfc_examples.json", &cases)
	signed := 0
	for _, c := range cases {
		if c.Kind != "jws" {
			continue
		}
		signed++
		key, err := jwk.ParseKey(publicHalf(t, c.Key))
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		err = verifyJWS(c.Token, anyAlgorithm, jwk.NewSet(key))
		if (err == nil) != (c.Expect == "accept") {
			t.Errorf("%s (%s): want %s, got %v", c.Name, c.Why, c.Expect, err)
		}
	}
	if signed < 8 {
		t.Errorf("only %d signed examples", signed)
	}
}

func TestCookbookJWS(t *testing.T) {
	accepted := []string{
		"cookbook/jws/4_1.rsa_v15_signature.json",
		"cookbook/jws/4_2.rsa-pss_signature.json",
		"cookbook/jws/4_3.ecdsa_signature.json",
		"cookbook/jws/4_4.hmac-sha2_integrity_protection.json",
		"cookbook/curve25519/jws.json",
	}
	refused := []string{
		"cookbook/jws/4_5.signature_with_detached_content.json",
		"cookbook/rfc7797/hmac-sha2_b64_false.json",
	}
	for _, name := range slices.Concat(accepted, refused) {
		var c struct {
			Input  struct{ Key json.RawMessage }
			Output struct{ Compact string }
		}
		vector(t, name, &c)
		if c.Output.Compact == "" {
			t.Errorf("%s has no compact serialization", name)
			continue
		}
		key, err := jwk.ParseKey(publicHalf(t, c.Input.Key))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		err = verifyJWS(c.Output.Compact, anyAlgorithm, jwk.NewSet(key))
		if (err == nil) != slices.Contains(accepted, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
