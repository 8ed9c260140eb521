// SPDX-License-Identifier: Apache-2.0

package token

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// decryptJWE is the intake up to decryption with one key, for plaintexts that are no tokens.
func decryptJWE(raw string, key json.RawMessage) (string, error) {
	parsed, err := jwe.ParseKey(key)
	if err != nil {
		return "", err
	}
	if segments, err := checkForm(raw); err != nil || segments != 5 {
		return "", cmp.Or(err, errors.New("no JWE"))
	}
	plaintext, _, err := unseal(raw, &Encryption{KeyAlgorithms: jwe.KeyAlgorithms(), ContentAlgorithms: jwe.ContentAlgorithms(), Keys: jwe.NewSet(parsed)})
	return string(plaintext), err
}

// Algorithms that DESIGN §2 leaves out, and why valid vectors that use them are refused.
const (
	noRSA15 = "RSA1_5 is never accepted: its padding tells who asks often enough the content key (RFC 8725 §3.2)"
	noGCMKW = "AES-GCM key wrap is not one of the accepted key algorithms"
	noA192  = "A192CBC-HS384 is not one of the accepted content algorithms"
	noZip   = "zip is never accepted: compressed content can be a bomb, and its length tells of the content"
	noPBES2 = "PBES2 is never accepted: the token would choose how much work it costs"
	noOKP   = "X25519 is not one of the accepted curves"
	noJSON  = "a JWT is in compact serialization only (RFC 7519 §3)"
)

// wycheproofLeftOut are valid cases that are refused on purpose.
var wycheproofLeftOut = map[int]string{
	31: noA192, 56: noA192, 61: noA192, 80: noA192, 86: noA192, 92: noA192,
	71: noGCMKW, 72: noGCMKW, 73: noGCMKW, 74: noGCMKW, 75: noGCMKW, 133: noGCMKW,
	100: noRSA15, 101: noRSA15, 102: noRSA15, 103: noRSA15, 104: noRSA15, 105: noRSA15, 112: noRSA15, 128: noRSA15,
	135: noZip,
}

func TestWycheproofJWE(t *testing.T) {
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			Comment string
			Private json.RawMessage
			Tests   []struct {
				TcID                int
				Comment, Result, PT string
				JWE                 json.RawMessage
			}
		}
	}
	vector(t, "wycheproof/json_web_encryption_test.json", &file)
	seen, left := 0, 0
	for _, g := range file.TestGroups {
		for _, c := range g.Tests {
			seen++
			want := c.Result == "valid"
			if why, ok := wycheproofLeftOut[c.TcID]; ok {
				left++
				if !want {
					t.Errorf("%d is refused by everybody: %s", c.TcID, why)
				}
				want = false
			}
			got, err := decryptJWE(compact(c.JWE), g.Private)
			if (err == nil) != want || (want && hex.EncodeToString([]byte(got)) != c.PT) {
				t.Errorf("%s %d %s: accepted %v, want %v: %v", g.Comment, c.TcID, c.Comment, err == nil, want, err)
			}
		}
	}
	if seen != file.NumberOfTests || seen == 0 || left != len(wycheproofLeftOut) {
		t.Errorf("ran %d of %d cases, left out %d", seen, file.NumberOfTests, left)
	}
}

// TestWycheproofCrypto runs the file that has both, single keys and sets.
func TestWycheproofCrypto(t *testing.T) {
	var file struct {
		NumberOfTests int
		TestGroups    []struct {
			Comment         string
			Private, Public json.RawMessage
			Tests           []struct {
				TcID            int
				Comment, Result string
				JWS, JWE        json.RawMessage
			}
		}
	}
	vector(t, "wycheproof/json_web_crypto_test.json", &file)
	seen := 0
	for _, g := range file.TestGroups {
		text := []byte(g.Public)
		if text == nil {
			text = g.Private
		}
		set, _, setErr := jwk.ParseSet(text)
		if setErr != nil {
			var key *jwk.Key
			if key, setErr = jwk.ParseKey(text); setErr == nil {
				set = jwk.NewSet(key)
			}
		}
		for _, c := range g.Tests {
			seen++
			var err error
			if c.JWE != nil {
				_, err = decryptJWE(compact(c.JWE), g.Private)
			} else if err = setErr; err == nil {
				err = verifyJWS(compact(c.JWS), anyAlgorithm, set)
			}
			if (err == nil) != (c.Result == "valid") {
				t.Errorf("%s %d %s: want %s: %v", g.Comment, c.TcID, c.Comment, c.Result, err)
			}
		}
	}
	if seen != file.NumberOfTests || seen == 0 {
		t.Errorf("ran %d of %d cases", seen, file.NumberOfTests)
	}
}

// TestRFC7516 decrypts the appendix's examples, and refuses its JSON serializations.
func TestRFC7516(t *testing.T) {
	var cases []struct {
		Name, Token, Expect, Kind, Why string
		Key                            json.RawMessage
	}
	vector(t, "rfc/rfc_examples.json", &cases)
	seen := 0
	for _, c := range cases {
		if c.Kind != "jwe" {
			continue
		}
		seen++
		got, err := decryptJWE(c.Token, c.Key)
		if (err == nil) != (c.Expect == "accept") || (err == nil && got == "") {
			t.Errorf("%s (%s): want %s, got %q %v", c.Name, c.Why, c.Expect, got, err)
		}
	}
	if seen < 3 {
		t.Errorf("only %d examples", seen)
	}
}

// TestCookbookJWE decrypts RFC 7520 §5 and refuses what is left out.
func TestCookbookJWE(t *testing.T) {
	for name, why := range map[string]string{
		"5_1.key_encryption_using_rsa_v15_and_aes-hmac-sha2":                             noRSA15,
		"5_2.key_encryption_using_rsa-oaep_with_aes-gcm":                                 "",
		"5_3.key_wrap_using_pbes2-aes-keywrap_with-aes-cbc-hmac-sha2":                    noPBES2,
		"5_4.key_agreement_with_key_wrapping_using_ecdh-es_and_aes-keywrap_with_aes-gcm": "",
		"5_5.key_agreement_using_ecdh-es_with_aes-cbc-hmac-sha2":                         "",
		"5_6.direct_encryption_using_aes-gcm":                                            "",
		"5_7.key_wrap_using_aes-gcm_keywrap_with_aes-cbc-hmac-sha2":                      noGCMKW,
		"5_8.key_wrap_using_aes-keywrap_with_aes-gcm":                                    "",
		"5_9.compressed_content":                                                         noZip,
		"5_10.including_additional_authentication_data":                                  noJSON,
		"5_11.protecting_specific_header_fields":                                         noJSON,
		"5_12.protecting_content_only":                                                   noJSON,
		"5_13.encrypting_to_multiple_recipients":                                         noJSON,
		"../curve25519/ecdh-es":                                                          noOKP,
	} {
		var c struct {
			Input struct {
				Plaintext string
				Key       json.RawMessage
			}
			Output struct {
				Compact  string
				JSON     json.RawMessage
				JSONFlat json.RawMessage `json:"json_flat"`
			}
		}
		vector(t, "cookbook/jwe/"+name+".json", &c)
		raw := c.Output.Compact
		if raw == "" {
			raw = string(c.Output.JSON)
		}
		key := c.Input.Key
		if len(key) == 0 || key[0] == '[' { // a password, several recipients
			key = json.RawMessage(`{"kty":"oct","k":"GZy6sIZ6wl9NJOKB-jnmVQ"}`)
		}
		got, err := decryptJWE(raw, key)
		if (err == nil) != (why == "") || (why == "" && got != c.Input.Plaintext) {
			t.Errorf("%s (%s): %q %v", name, why, got, err)
		}
		if _, err := decryptJWE(string(c.Output.JSONFlat), key); err == nil {
			t.Errorf("%s: the flattened serialization is accepted", name)
		}
	}
}

// TestCookbookNested takes in RFC 7520 §6: a JWS inside a JWE, all steps but its time.
func TestCookbookNested(t *testing.T) {
	var c struct {
		Sign, Encrypt struct {
			Input  struct{ Key json.RawMessage }
			Output struct{ Compact string }
		}
	}
	vector(t, "cookbook/6.nesting_signatures_and_encryption.json", &c)
	key, err := jwe.ParseKey(c.Encrypt.Input.Key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jwk.ParseKey(publicHalf(t, c.Sign.Input.Key))
	if err != nil {
		t.Fatal(err)
	}
	rules := &Rules{Algorithms: []string{"PS256"}, Types: []string{"jwt"}, Encryption: &Encryption{
		KeyAlgorithms: []string{"RSA-OAEP"}, ContentAlgorithms: []string{"A128GCM"}, Required: true, Keys: jwe.NewSet(key),
	}}
	claims, err := intake(c.Encrypt.Output.Compact, rules, jwk.NewSet(signer), time.Unix(1300819380, 0).Add(-time.Second))
	if err != nil || claims.Issuer != "hobbiton.example" {
		t.Errorf("%+v %v", claims, err)
	}
	if _, err := intake(c.Encrypt.Output.Compact, rules, jwk.NewSet(signer), labNow); reasonOf(err) != ReasonExpired {
		t.Errorf("today: %v", err)
	}
	if _, err := Parse(c.Sign.Output.Compact, rules); reasonOf(err) != ReasonJWERequired {
		t.Errorf("the JWS alone: %v", err)
	}
}
