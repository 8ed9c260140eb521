// SPDX-License-Identifier: Apache-2.0

package issue

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func generate(t testing.TB, algorithm string, activeFrom time.Time) config.SigningKey {
	t.Helper()
	k, err := Generate(algorithm, activeFrom)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signer(t testing.TB, keys ...config.SigningKey) *Signer {
	t.Helper()
	s, err := NewSigner(&config.Keys{Version: config.Version, Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func accessToken() *AccessToken {
	return &AccessToken{
		Issuer: "https://auth.example", Subject: "8a1c", Audience: []string{"https://api.example"},
		IssuedAt: now, Expiry: now.Add(15 * time.Minute), ID: "id", ClientID: ClientID,
	}
}

func TestThumbprintOfRFC7638Section31(t *testing.T) {
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	modulus, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		t.Fatal(err)
	}
	got, err := thumbprint(&rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: 65537})
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestTokensPassOurOwnIntake signs with every algorithm, publishes, and reads both as a verifier does.
func TestTokensPassOurOwnIntake(t *testing.T) {
	for algorithm := range generators {
		t.Run(algorithm, func(t *testing.T) {
			s := signer(t, generate(t, algorithm, now))
			raw, err := s.Sign(accessToken())
			if err != nil {
				t.Fatal(err)
			}
			set, problems, err := jwk.ParseSet(s.JWKS())
			if err != nil || len(problems) > 0 || set.Len() != 1 {
				t.Fatalf("the JWKS is not a clean key set: %v, %v", problems, err)
			}
			rules := &token.Rules{Algorithms: []string{algorithm}, Types: []string{Type}}
			parsed, err := token.Parse(raw, rules)
			if err != nil {
				t.Fatal(err)
			}
			kid, has := parsed.KeyID()
			key, err := set.Select(algorithm, kid, has)
			if err != nil || !has {
				t.Fatalf("kid %q, %v: %v", kid, has, err)
			}
			if err := parsed.Verify(key); err != nil {
				t.Fatal(err)
			}
			claims, err := parsed.Claims(rules, now)
			if err != nil || claims.Issuer != "https://auth.example" || claims.Subject != "8a1c" || !claims.Expiry.Equal(now.Add(15*time.Minute)) {
				t.Errorf("claims %+v, %v", claims, err)
			}
			if want, _ := thumbprint(set.Keys()[0].Material()); kid != want {
				t.Errorf("kid %q is not the thumbprint %q", kid, want)
			}
		})
	}
}

func decode(t *testing.T, segment string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestClaimsAreExactlyThoseOfTheDesign(t *testing.T) {
	key := generate(t, "EdDSA", now)
	full := accessToken()
	full.Organization, full.PreferredUsername, full.Email, full.Name, full.Groups = "acme", "bob", "bob@acme.example", "Bob <b>", []string{"a", "b"}
	required := map[string]any{
		"iss": "https://auth.example", "sub": "8a1c", "aud": []any{"https://api.example"}, "jti": "id", "client_id": "gatehouse",
		"iat": float64(now.Unix()), "exp": float64(now.Unix() + 900),
	}
	all := map[string]any{"organization": "acme", "preferred_username": "bob", "email": "bob@acme.example", "name": "Bob <b>", "groups": []any{"a", "b"}}
	for k, v := range required {
		all[k] = v
	}
	for name, tt := range map[string]struct {
		token *AccessToken
		want  map[string]any
	}{"empty ones are left out": {accessToken(), required}, "all": {full, all}} {
		t.Run(name, func(t *testing.T) {
			raw, err := signer(t, key).Sign(tt.token)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(raw, ".")
			if diff := cmp.Diff(map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": key.KeyID}, decode(t, parts[0])); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, decode(t, parts[1])); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSignRefusesWhatNoVerifierTakes(t *testing.T) {
	s := signer(t, generate(t, "ES256", now))
	for name, change := range map[string]func(*AccessToken){
		"no issuer":   func(a *AccessToken) { a.Issuer = "" },
		"no subject":  func(a *AccessToken) { a.Subject = "" },
		"no audience": func(a *AccessToken) { a.Audience = nil },
		"no ID":       func(a *AccessToken) { a.ID = "" },
		"no client":   func(a *AccessToken) { a.ClientID = "" },
		"no lifetime": func(a *AccessToken) { a.Expiry = a.IssuedAt },
	} {
		bad := accessToken()
		change(bad)
		if _, err := s.Sign(bad); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	large := accessToken()
	large.Groups = []string{strings.Repeat("g", MaxLength)}
	if _, err := s.Sign(large); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := signer(t).Sign(accessToken()); !errors.Is(err, ErrNoKey) {
		t.Errorf("no keys: %v", err)
	}
}

func TestTheKeyIsChosenByClock(t *testing.T) {
	old, current, next := generate(t, "ES256", now.Add(-time.Hour)), generate(t, "EdDSA", now), generate(t, "ES384", now.Add(time.Hour))
	s := signer(t, next, old, current)
	for at, want := range map[time.Time]string{
		now.Add(-2 * time.Hour):   old.KeyID, // nothing older is left
		now.Add(-time.Nanosecond): old.KeyID, now: current.KeyID,
		now.Add(time.Hour - 1): current.KeyID, now.Add(time.Hour): next.KeyID, now.Add(9999 * time.Hour): next.KeyID,
	} {
		if got, err := s.at(at); err != nil || got.id != want {
			t.Errorf("at %v: key %v, %v, want %s", at, got, err, want)
		}
	}
	if diff := cmp.Diff([]string{"ES256", "ES384", "EdDSA"}, s.Algorithms()); diff != "" {
		t.Error(diff)
	}
	if len(s.Keys()) != 3 || s.Keys()[0].ID() != old.KeyID {
		t.Error("Keys are not all keys, oldest first")
	}
}

func TestJWKSHasPublicMembersOnlyAndAFixedOrder(t *testing.T) {
	var keys []config.SigningKey
	for i, algorithm := range []string{"RS256", "ES384", "EdDSA", "PS256", "ES256"} {
		keys = append(keys, generate(t, algorithm, now.Add(time.Duration(i/2)*time.Hour)))
	}
	document := signer(t, keys...).JWKS()
	reversed := []config.SigningKey{keys[4], keys[3], keys[2], keys[1], keys[0]}
	if string(signer(t, reversed...).JWKS()) != string(document) {
		t.Error("the order of keys.json changes the document")
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(document, &set); err != nil || len(set.Keys) != len(keys) {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	public := map[string]bool{"kty": true, "crv": true, "x": true, "y": true, "n": true, "e": true, "kid": true, "use": true, "alg": true}
	for _, k := range set.Keys {
		if k["use"] != "sig" || k["alg"] == nil || k["kid"] == nil {
			t.Errorf("use, alg or kid is missing: %v", k["kid"])
		}
		for member := range k {
			if !public[member] {
				t.Errorf("key %v has the member %s", k["kid"], member)
			}
		}
	}
	if got := string(signer(t).JWKS()); got != `{"keys":[]}` {
		t.Errorf("without keys: %s", got)
	}
}

func TestNewSignerNamesTheBadKeyAndTellsNothingOfIt(t *testing.T) {
	good := generate(t, "ES256", now)
	for name, tt := range map[string]struct {
		change func(*config.SigningKey)
		want   string
	}{
		"no PEM":            {func(k *config.SigningKey) { k.PrivateKey = "secretsecret" }, "not one PKCS#8 PEM block"},
		"trailing data":     {func(k *config.SigningKey) { k.PrivateKey += "secretsecret" }, "not one PKCS#8 PEM block"},
		"wrong algorithm":   {func(k *config.SigningKey) { k.Algorithm = "RS256" }, "RS256"},
		"wrong curve":       {func(k *config.SigningKey) { k.Algorithm = "ES384" }, "P-384"},
		"unknown algorithm": {func(k *config.SigningKey) { k.Algorithm = "HS256" }, "alg is not ES256"},
	} {
		bad := good
		tt.change(&bad)
		_, err := NewSigner(&config.Keys{Keys: []config.SigningKey{good, bad}})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "keys[1]") || strings.Contains(err.Error(), bad.KeyID) || strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: %v, want %q and the place, not the kid", name, err, tt.want)
		}
	}
	if _, err := Generate("HS256", now); err == nil {
		t.Error("Generate made a key for HS256")
	}
}

func BenchmarkSign(b *testing.B) {
	for algorithm := range generators {
		b.Run(algorithm, func(b *testing.B) {
			s := signer(b, generate(b, algorithm, now))
			for b.Loop() {
				if _, err := s.Sign(accessToken()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
