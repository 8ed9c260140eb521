// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"compress/flate"
	"regexp"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-auth/gatehouse/authserver/jwe/jwetest"
)

// hostileAdvisories are one token or more for each published mistake in taking in a token, of
// the libraries and proxies that do what this package does.
func hostileAdvisories(t testing.TB, l *lab) []hostile {
	s := newSealing(l)
	good := l.claims(t, goodPayload)
	head, rest, _ := strings.Cut(good, ".")
	payload, sig, _ := strings.Cut(rest, ".")
	evil := sign(t, jwt.SigningMethodRS256, l.attacker, goodHeader, goodPayload)
	expired := sign(t, jwt.SigningMethodRS256, l.attacker, goodHeader, `{"sub":"bob","exp":1500000000}`)

	cbc := jwetest.Seal(t, jwetest.Input{Key: s.kek, Alg: "A128KW", Enc: "A128CBC-HS256", Header: `{"alg":"A128KW","enc":"A128CBC-HS256","kid":"kek"}`, Plaintext: good})
	cut, padded, oracle := cbc, cbc, cbc
	cut.Header = strings.TrimSuffix(cut.Header, "}") + `,"x":"` + strings.Repeat("x", 4096) + `"}`
	padded.Ciphertext = append(padded.Ciphertext[:len(padded.Ciphertext):len(padded.Ciphertext)], make([]byte, 16)...)
	oracle.Ciphertext = flip(oracle.Ciphertext, len(oracle.Ciphertext)-17)
	empty := jwetest.Seal(t, jwetest.Input{Key: s.kek, Alg: "A128KW", Enc: "A256GCM", Header: goodWrapped, Plaintext: good})
	empty.EncryptedKey = nil

	var deflated bytes.Buffer
	w := must(flate.NewWriter(&deflated, flate.BestCompression))
	_, _ = w.Write(bytes.Repeat([]byte("a"), 4<<20))
	_ = w.Close()
	bomb := func(header string) string { return s.dirSeal(t, header, deflated.String()).String() }
	const zipped = `{"alg":"dir","enc":"A256GCM","kid":"dek","zip":"DEF"}`
	rounds := func(count string) string {
		return s.dirSeal(t, `{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","kid":"kek","p2s":"AAAAAAAAAAAAAAAA","p2c":`+count+`}`, good).String()
	}
	zero := strings.Repeat("A", 43)
	offCurve := jwetest.Seal(t, jwetest.Input{Key: &l.p256.PublicKey, Alg: "ECDH-ES+A128KW", Enc: "A256GCM", Plaintext: good,
		Header: `{"alg":"ECDH-ES+A128KW","enc":"A256GCM","kid":"ec","epk":{"kty":"EC","crv":"P-256","x":"` + zero[:42] + `E","y":"` + zero[:42] + `E"}}`})
	signed := func(name, payload string, want Reason) hostile {
		return hostile{name: name, raw: l.claims(t, payload), want: want}
	}
	return []hostile{
		{name: "GO-2020-0009 (go-jose): a header that overruns the MAC's length", raw: cut.String(), want: ReasonDecryption, rules: s.every},
		{name: "GO-2020-0009 (go-jose): a ciphertext longer than it was", raw: padded.String(), want: ReasonDecryption, rules: s.every},
		{name: "GO-2020-0010 (go-jose): an ephemeral key off the curve", raw: offCurve.String(), want: ReasonDecryption, rules: s.every},
		signed("GO-2020-0017 (jwt-go): aud of another type than its reader expects", `{"exp":1800000300,"aud":[["https://api.example"]]}`, ReasonClaimType),
		signed("GO-2020-0017 (jwt-go): aud as an object", `{"exp":1800000300,"aud":{"0":"https://api.example"}}`, ReasonClaimType),
		{name: "GO-2022-0945 (go-jose): two signatures, of which one verifies", raw: `{"payload":"` + payload + `","signatures":[{"protected":"` + head + `","signature":"` + sig + `"},{"protected":"` + head + `","signature":"AAAA"}]}`, want: ReasonCharacters},
		{name: "GO-2022-0945 (go-jose): one token after another", raw: evil + "." + sig, want: ReasonSegments},
		{name: "GO-2023-1859 (jwx): a padding oracle under CBC", raw: oracle.String(), want: ReasonDecryption, rules: s.every},
		{name: "GO-2023-2334 (go-jose): PBES2 rounds", raw: rounds("1000000000"), want: ReasonAlgorithm, rules: s.every},
		{name: "GO-2023-2379 (jwx): PBES2 rounds", raw: rounds("2147483647"), want: ReasonAlgorithm, rules: s.every},
		{name: "GO-2023-2409 (jose2go): PBES2 rounds", raw: rounds("9223372036854775807"), want: ReasonAlgorithm, rules: s.every},
		{name: "GO-2024-2454 (jwx): a JSON serialization without a signature's header", raw: `{"payload":"` + payload + `","signatures":[{"signature":"` + sig + `"}]}`, want: ReasonCharacters},
		{name: "GO-2024-2631 (go-jose): a bomb", raw: bomb(zipped), want: ReasonZip, rules: s.every},
		{name: "GO-2024-2632 (jwx): a bomb where claims are direct", raw: bomb(`{"alg":"dir","enc":"A256GCM","kid":"dek","zip":"DEF","typ":"JWT"}`), want: ReasonZip,
			rules: &Rules{Types: l.rules.Types, Encryption: s.direct.Encryption}},
		{name: "GO-2024-3250 (golang-jwt): expired and not signed by the issuer", raw: expired, want: ReasonSignature},
		{name: "GO-2025-3485 (go-jose): a JWE of dots", raw: strings.Repeat(".", MaxLength), want: ReasonSegments, rules: s.every},
		{name: "GO-2025-3553 (golang-jwt): a JWS of dots", raw: "Bearer" + strings.Repeat(".", MaxLength-6), want: ReasonSegments},
		{name: "GO-2025-4123 (jose2go): a bomb by another name", raw: bomb(`{"alg":"dir","enc":"A256GCM","kid":"dek","zip":"def"}`), want: ReasonZip, rules: s.every},
		{name: "GO-2026-4945 (go-jose): key wrap without an encrypted key", raw: empty.String(), want: ReasonDecryption, rules: s.every},
		signed("GO-2026-5732 (zitadel): no exp", `{"sub":"bob","iat":1799999990}`, ReasonExpMissing),
		signed("GO-2026-5732 (zitadel): iat to come", `{"sub":"bob","exp":1800000300,"iat":1800000100}`, ReasonIssuedInFuture),
		signed("GO-2026-5892 (casdoor): a token that is no longer active", `{"sub":"bob","exp":1799999900}`, ReasonExpired),
		{name: "GO-2026-5953 (casdoor): a token of another's key of the same kid", raw: evil, want: ReasonSignature},
	}
}

// elsewhere are the advisories about tokens whose mistake this package cannot make, and where
// it is guarded against.
var elsewhere = map[string]string{
	"GO-2022-0406": "a cached decision that forgets a rule: packages policy and decisions",
	"GO-2026-4799": "a cached decision under a key that is too narrow: packages policy and decisions",
	"GO-2026-5314": "an e-mail address in a claim: package claims hands it on encoded and decides nothing by it",
	"GO-2026-5391": "a policy without audience: the author's choice, which the CRD documents",
	"GO-2026-5423": "a policy without audience: the author's choice, which the CRD documents",
	"GO-2022-0783": "a token sent to another origin: no redirect carries one",
	"GO-2022-0827": "a proxy's own signature: there is none",
	"GO-2024-2664": "claims that a user's script adds: there is none",
	"GO-2026-5768": "an authorization code: no token",
	"GO-2026-5894": "SAML",
}

// TestAdvisoriesHaveRows guards that no published advisory about tokens is without a hostile
// token here or a word on where else it is guarded against.
func TestAdvisoriesHaveRows(t *testing.T) {
	var file struct {
		Records []struct {
			ID, Summary string
			Packages    []string
		}
	}
	vector(t, "advisories.json", &file)
	about := regexp.MustCompile(`(?i)jw[tsekx]\b|jwx|jose|openid|oidc|\bclaim|audience|signature`)
	rows := map[string]bool{}
	for _, row := range hostileAdvisories(t, newLab()) {
		id, _, _ := strings.Cut(row.name, " ")
		rows[id] = true
	}
	known := map[string]bool{}
	for _, r := range file.Records {
		known[r.ID] = true
		if text := r.Summary + " " + strings.Join(r.Packages, " "); about.MatchString(text) && !rows[r.ID] && elsewhere[r.ID] == "" {
			t.Errorf("%s has no row: %s", r.ID, r.Summary)
		}
	}
	for id := range rows {
		if !known[id] {
			t.Errorf("%s is no advisory of the file", id)
		}
	}
	for id := range elsewhere {
		if !known[id] || rows[id] {
			t.Errorf("%s is no advisory of the file, or has a row", id)
		}
	}
}
