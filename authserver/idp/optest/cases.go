// SPDX-License-Identifier: Apache-2.0

package optest

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Case is one way in which a provider behaves, and what has to come of a login at it.
type Case struct {
	// Name is that of the module in the OpenID conformance suite (oidcc-client-test-…), or says what is wrong.
	Name string
	// Algorithms are what signingAlgorithms must list for the case; nil stands for RS256.
	Algorithms []string
	// Set up the provider before the login, which has not seen it yet.
	Set func(op *OP)
	// Reason is that of the refusal (the constants of package idp); "" for a login that must succeed.
	Reason string
	// NoTokenRequest says that the token endpoint must not be called.
	NoTokenRequest bool
}

// Cases returns all of them. Each is for a new provider.
func Cases() []Case {
	var all []Case
	for _, part := range [][]Case{goodCases(), claimCases(), signatureCases(), keyCases(), userInfoCases(), discoveryCases(), callbackCases(), tokenCases()} {
		all = append(all, part...)
	}
	return all
}

// as makes a case's Set from a behaviour.
func as(b Behaviour) func(*OP) { return func(op *OP) { op.Behave(b) } }

// claim makes ID tokens with a claim of another value.
func claim(name string, value any) func(*OP) {
	return as(Behaviour{IDToken: func(c map[string]any) { c[name] = value }})
}

// without makes ID tokens that lack a claim.
func without(name string) func(*OP) {
	return as(Behaviour{IDToken: func(c map[string]any) { delete(c, name) }})
}

// claims makes ID tokens that f has changed.
func claims(f func(op *OP, c map[string]any)) func(*OP) {
	return func(op *OP) { op.Behave(Behaviour{IDToken: func(c map[string]any) { f(op, c) }}) }
}

func goodCases() []Case {
	return []Case{
		{Name: "oidcc-client-test", Set: func(*OP) {}},
		{Name: "oidcc-client-test-idtoken-sig-rs256", Set: as(Behaviour{Algorithm: "RS256"})},
		{Name: "idtoken-sig-es256", Algorithms: []string{"ES256"}, Set: func(op *OP) { op.AddKey("ES256"); op.Behave(Behaviour{Algorithm: "ES256"}) }},
		{Name: "idtoken-sig-eddsa", Algorithms: []string{"EdDSA"}, Set: func(op *OP) { op.AddKey("EdDSA"); op.Behave(Behaviour{Algorithm: "EdDSA"}) }},
		{Name: "idtoken-sig-hs256", Algorithms: []string{"HS256"}, Set: as(Behaviour{Algorithm: "HS256"})},
		{Name: "oidcc-client-test-kid-absent-single-jwks", Set: as(Behaviour{IDTokenHeader: func(h map[string]any) { delete(h, "kid") }})},
		{Name: "oidcc-client-test-client-secret-basic", Set: func(*OP) {}},
		{Name: "oidcc-client-test-userinfo-bearer-header", Set: func(*OP) {}},
		{Name: "aud-array-of-one", Set: claims(func(op *OP, c map[string]any) { c["aud"] = []string{op.Client().ID} })},
		{Name: "aud-two-with-azp", Set: claims(func(op *OP, c map[string]any) { c["aud"], c["azp"] = []string{op.Client().ID, "other"}, op.Client().ID })},
		{Name: "at-hash-absent", Set: without("at_hash")},
		{Name: "callback-iss-absent-and-not-promised", Set: as(Behaviour{
			Metadata: func(m map[string]any) { delete(m, "authorization_response_iss_parameter_supported") },
			Callback: func(q url.Values) { q.Del("iss") },
		})},
		{Name: "userinfo-endpoint-absent", Set: as(Behaviour{Metadata: func(m map[string]any) { delete(m, "userinfo_endpoint") }})},
		{Name: "token-type-lower-case", Set: as(Behaviour{TokenAnswer: func(a map[string]any) { a["token_type"] = "bearer" }})},
	}
}

func claimCases() []Case {
	return []Case{
		{Name: "oidcc-client-test-invalid-iss", Reason: "id_token_issuer", Set: claim("iss", "https://evil.example")},
		{Name: "iss-with-slash", Reason: "id_token_issuer", Set: claims(func(op *OP, c map[string]any) { c["iss"] = op.Issuer() + "/" })},
		{Name: "iss-missing", Reason: "id_token_issuer", Set: without("iss")},
		{Name: "oidcc-client-test-missing-sub", Reason: "id_token_subject", Set: without("sub")},
		{Name: "sub-with-control-character", Reason: "id_token_subject", Set: claim("sub", "a\nb")},
		{Name: "sub-empty", Reason: "id_token_subject", Set: claim("sub", "")},
		{Name: "sub-number", Reason: "id_token", Set: claim("sub", 7)},
		{Name: "sub-too-long", Reason: "id_token_subject", Set: claim("sub", strings.Repeat("a", 256))},
		{Name: "oidcc-client-test-invalid-aud", Reason: "id_token_audience", Set: claim("aud", "another-client")},
		{Name: "aud-missing", Reason: "id_token_audience", Set: without("aud")},
		{Name: "aud-two-without-azp", Reason: "id_token_audience", Set: claims(func(op *OP, c map[string]any) { c["aud"] = []string{op.Client().ID, "other"} })},
		{Name: "azp-of-another", Reason: "id_token_audience", Set: claim("azp", "other")},
		{Name: "azp-number", Reason: "id_token_audience", Set: claim("azp", 7)},
		{Name: "oidcc-client-test-missing-iat", Reason: "id_token_time", Set: without("iat")},
		{Name: "exp-missing", Reason: "id_token_time", Set: without("exp")},
		{Name: "exp-passed", Reason: "id_token_time", Set: claims(func(op *OP, c map[string]any) { c["exp"] = op.options.Now().Add(-time.Minute).Unix() })},
		{Name: "iat-in-future", Reason: "id_token_time", Set: claims(func(op *OP, c map[string]any) { c["iat"] = op.options.Now().Add(time.Hour).Unix() })},
		{Name: "nbf-in-future", Reason: "id_token_time", Set: claims(func(op *OP, c map[string]any) { c["nbf"] = op.options.Now().Add(time.Hour).Unix() })},
		{Name: "oidcc-client-test-nonce-invalid", Reason: "nonce", Set: claim("nonce", "another login's")},
		{Name: "nonce-missing", Reason: "nonce", Set: without("nonce")},
		{Name: "nonce-empty", Reason: "nonce", Set: claim("nonce", "")},
		{Name: "at-hash-wrong", Reason: "id_token_hash", Set: claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		{Name: "at-hash-empty", Reason: "id_token_hash", Set: claim("at_hash", "")},
	}
}

// flip spoils a signature.
func flip(_ string, good []byte) []byte {
	good[len(good)/2] ^= 1
	return good
}

func signatureCases() []Case {
	header := func(name string, value any) func(*OP) {
		return as(Behaviour{IDTokenHeader: func(h map[string]any) { h[name] = value }})
	}
	none := Behaviour{IDTokenHeader: func(h map[string]any) { h["alg"] = "none"; delete(h, "kid") }, Signature: func(string, []byte) []byte { return nil }}
	return []Case{
		{Name: "oidcc-client-test-idtoken-sig-none", Reason: "id_token", Set: as(none)},
		{Name: "alg-none-with-signature", Reason: "id_token", Set: header("alg", "none")},
		{Name: "oidcc-client-test-invalid-sig-rs256", Reason: "id_token", Set: as(Behaviour{Signature: flip})},
		{Name: "oidcc-client-test-invalid-sig-es256", Reason: "id_token", Algorithms: []string{"ES256"}, Set: func(op *OP) {
			op.AddKey("ES256")
			op.Behave(Behaviour{Algorithm: "ES256", Signature: flip})
		}},
		{Name: "oidcc-client-test-invalid-sig-hs256", Reason: "id_token", Algorithms: []string{"HS256"}, Set: as(Behaviour{Algorithm: "HS256", Signature: flip})},
		{Name: "hs256-not-listed", Reason: "id_token", Set: as(Behaviour{Algorithm: "HS256"})},
		{Name: "es256-not-listed", Reason: "id_token", Set: func(op *OP) { op.AddKey("ES256"); op.Behave(Behaviour{Algorithm: "ES256"}) }},
		{Name: "typ-of-an-access-token", Reason: "id_token", Set: header("typ", "at+jwt")},
		{Name: "typ-of-a-logout-token", Reason: "id_token", Set: header("typ", "logout+jwt")},
		{Name: "crit", Reason: "id_token", Set: header("crit", []string{"exp"})},
	}
}

func keyCases() []Case {
	return []Case{
		{Name: "oidcc-client-test-kid-absent-multiple-jwks", Reason: "id_token", Set: func(op *OP) {
			op.AddKey("RS256")
			op.Behave(Behaviour{IDTokenHeader: func(h map[string]any) { delete(h, "kid") }})
		}},
		{Name: "kid-unknown", Reason: "id_token", Set: as(Behaviour{IDTokenHeader: func(h map[string]any) { h["kid"] = "never published" }})},
		{Name: "oidcc-client-test-signing-key-rotation-just-before-signing", Set: as(Behaviour{BeforeSigning: func(op *OP) { op.Rotate() }})},
		{Name: "jwks-away", Reason: "provider_unavailable", Set: as(Behaviour{Handlers: map[string]http.HandlerFunc{PathJWKS: status(http.StatusInternalServerError)}})},
		{Name: "jwks-empty", Reason: "id_token", Set: as(Behaviour{Handlers: map[string]http.HandlerFunc{PathJWKS: body("application/json", `{"keys":[]}`)}})},
		{Name: "jwks-with-the-client-secret", Reason: "id_token", Set: func(op *OP) {
			op.Behave(Behaviour{Algorithm: "HS256", Handlers: map[string]http.HandlerFunc{PathJWKS: body("application/json", `{"keys":[{"kty":"oct","k":"AAAA"}]}`)}})
		}},
	}
}

func userInfoCases() []Case {
	edit := func(f func(map[string]any)) func(*OP) { return as(Behaviour{UserInfo: f}) }
	instead := func(h http.HandlerFunc) func(*OP) {
		return as(Behaviour{Handlers: map[string]http.HandlerFunc{PathUserInfo: h}})
	}
	return []Case{
		{Name: "oidcc-client-test-userinfo-invalid-sub", Reason: "userinfo_subject", Set: edit(func(c map[string]any) { c["sub"] = "somebody else" })},
		{Name: "userinfo-sub-missing", Reason: "userinfo_subject", Set: edit(func(c map[string]any) { delete(c, "sub") })},
		{Name: "userinfo-sub-number", Reason: "userinfo_subject", Set: edit(func(c map[string]any) { c["sub"] = 248289761001 })},
		{Name: "oidcc-client-test-userinfo-signed", Reason: "userinfo", Set: instead(body("application/jwt", "e30.e30.AA"))},
		{Name: "userinfo-html", Reason: "userinfo", Set: instead(body("text/html", "<p>hello</p>"))},
		{Name: "userinfo-duplicate-member", Reason: "userinfo", Set: instead(body("application/json", `{"sub":"somebody else","sub":"248289761001"}`))},
		{Name: "userinfo-forbidden", Reason: "userinfo", Set: instead(status(http.StatusForbidden))},
		{Name: "userinfo-redirects", Reason: "userinfo", Set: instead(redirect("https://evil.example/userinfo"))},
		{Name: "userinfo-away", Reason: "provider_unavailable", Set: instead(status(http.StatusBadGateway))},
		{Name: "userinfo-too-large", Reason: "provider_unavailable", Set: instead(body("application/json", `{"sub":"`+strings.Repeat("a", 128<<10)+`"}`))},
	}
}

func discoveryCases() []Case {
	edit := func(f func(map[string]any)) func(*OP) { return as(Behaviour{Metadata: f}) }
	instead := func(h http.HandlerFunc) func(*OP) {
		return as(Behaviour{Handlers: map[string]http.HandlerFunc{PathMetadata: h}})
	}
	cases := []Case{
		{Name: "oidcc-client-test-discovery-issuer-mismatch", Set: edit(func(m map[string]any) { m["issuer"] = "https://evil.example" })},
		{Name: "discovery-issuer-with-slash", Set: edit(func(m map[string]any) { m["issuer"] = m["issuer"].(string) + "/" })},
		{Name: "discovery-issuer-missing", Set: edit(func(m map[string]any) { delete(m, "issuer") })},
		{Name: "discovery-endpoint-downgraded", Set: edit(func(m map[string]any) { m["token_endpoint"] = "http://127.0.0.1/token" })},
		{Name: "discovery-endpoint-script", Set: edit(func(m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)" })},
		{Name: "discovery-not-found", Set: instead(status(http.StatusNotFound))},
		{Name: "discovery-duplicate-member", Set: instead(body("application/json", `{"issuer":"a","issuer":"b"}`))},
		{Name: "discovery-no-object", Set: instead(body("application/json", `[]`))},
		{Name: "discovery-too-large", Set: instead(body("application/json", `{"a":"`+strings.Repeat("a", 64<<10)+`"}`))},
	}
	for i := range cases {
		cases[i].Reason, cases[i].NoTokenRequest = "provider_unavailable", true
	}
	return cases
}

func callbackCases() []Case {
	edit := func(f func(url.Values)) func(*OP) { return as(Behaviour{Callback: f}) }
	return []Case{
		{Name: "callback-iss-of-another", NoTokenRequest: true, Reason: "issuer_mismatch", Set: edit(func(q url.Values) { q.Set("iss", "https://evil.example") })},
		{Name: "callback-iss-absent-although-promised", NoTokenRequest: true, Reason: "issuer_mismatch", Set: edit(func(q url.Values) { q.Del("iss") })},
		{Name: "callback-iss-empty", NoTokenRequest: true, Reason: "issuer_mismatch", Set: edit(func(q url.Values) { q.Set("iss", "") })},
		{Name: "callback-without-code", NoTokenRequest: true, Reason: "no_code", Set: edit(func(q url.Values) { q.Del("code") })},
		{Name: "callback-code-of-nobody", Reason: "token_endpoint", Set: edit(func(q url.Values) { q.Set("code", "guessed") })},
	}
}

func tokenCases() []Case {
	edit := func(f func(map[string]any)) func(*OP) { return as(Behaviour{TokenAnswer: f}) }
	instead := func(h http.HandlerFunc) func(*OP) {
		return as(Behaviour{Handlers: map[string]http.HandlerFunc{PathToken: h}})
	}
	refuse := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, map[string]any{"error": code}) }
	}
	return []Case{
		{Name: "token-without-id-token", Reason: "id_token_missing", Set: edit(func(a map[string]any) { delete(a, "id_token") })},
		{Name: "token-without-access-token", Reason: "token_endpoint", Set: edit(func(a map[string]any) { delete(a, "access_token") })},
		{Name: "token-type-mac", Reason: "token_endpoint", Set: edit(func(a map[string]any) { a["token_type"] = "mac" })},
		{Name: "token-type-absent", Reason: "token_endpoint", Set: edit(func(a map[string]any) { delete(a, "token_type") })},
		{Name: "access-token-with-line-break", Reason: "token_endpoint", Set: edit(func(a map[string]any) { a["access_token"] = "a\r\nX-Evil: 1" })},
		{Name: "id-token-number", Reason: "token_endpoint", Set: edit(func(a map[string]any) { a["id_token"] = 7 })},
		{Name: "id-token-garbage", Reason: "id_token", Set: edit(func(a map[string]any) { a["id_token"] = "garbage" })},
		{Name: "token-endpoint-redirects", Reason: "token_endpoint", Set: instead(redirect("https://evil.example/token"))},
		{Name: "token-endpoint-html", Reason: "token_endpoint", Set: instead(body("text/html", "<p>hello</p>"))},
		{Name: "token-endpoint-form", Reason: "token_endpoint", Set: instead(body("application/x-www-form-urlencoded", "access_token=a&token_type=bearer"))},
		{Name: "token-endpoint-away", Reason: "provider_unavailable", Set: instead(status(http.StatusServiceUnavailable))},
		{Name: "token-endpoint-too-large", Reason: "provider_unavailable", Set: instead(body("application/json", `{"a":"`+strings.Repeat("a", 128<<10)+`"}`))},
		{Name: "token-endpoint-invalid-client", Reason: "client_refused", Set: instead(refuse(http.StatusUnauthorized, "invalid_client"))},
		{Name: "token-endpoint-error-with-200", Reason: "token_endpoint", Set: instead(refuse(http.StatusOK, "invalid_grant"))},
		{Name: "token-endpoint-error-of-its-own", Reason: "token_endpoint", Set: instead(refuse(http.StatusBadRequest, "<script>secret</script>"))},
	}
}

// status answers with a status and no body.
func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// body answers 200 with a text.
func body(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte(text)) // the client may hang up
	}
}

// redirect answers with a redirect that keeps method and body, which no client should follow with a secret.
func redirect(target string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	}
}
