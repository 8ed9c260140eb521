// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	callback = "https://client.example/callback"
	verifier = "a-verifier-of-at-least-forty-three-characters.~_1"
	oddID    = "client:1/+% ü"
	secret   = "s:e+c/r%e t=&ü"
)

// request is a token request as a test makes and spoils it.
type request struct {
	header http.Header
	query  string
	form   url.Values
	body   string // in place of form, if not empty
}

func (r *request) basic(id, secret string) {
	r.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
}

// good is a request that the server takes, by its method.
func good(t *testing.T, s *Server, key *ecdsa.PrivateKey) *request {
	t.Helper()
	r := &request{header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}, form: url.Values{
		"grant_type": {"authorization_code"}, "code": {s.Code(callback, Challenge(verifier))}, "redirect_uri": {callback}, "code_verifier": {verifier},
	}}
	switch s.options.Method {
	case Basic:
		r.basic(url.QueryEscape(oddID), url.QueryEscape(secret))
	case Post:
		r.form.Set("client_id", oddID)
		r.form.Set("client_secret", secret)
	case PrivateKeyJWT:
		r.form.Set("client_id", oddID)
		r.form.Set("client_assertion_type", assertionType)
		r.form.Set("client_assertion", sign(t, key, s, nil))
	case None:
		r.form.Set("client_id", oddID)
	}
	return r
}

// sign makes a client assertion whose claims a test changes; nil removes one.
func sign(t *testing.T, key *ecdsa.PrivateKey, s *Server, change jwt.MapClaims) string {
	t.Helper()
	now := time.Now()
	claims := jwt.MapClaims{"iss": oddID, "sub": oddID, "aud": s.TokenEndpoint(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": random()}
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// send posts the request and returns status, media type and the answer's text.
func send(t *testing.T, s *Server, r *request) (int, string, string) {
	t.Helper()
	body := r.body
	if body == "" {
		body = r.form.Encode()
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.TokenEndpoint()+r.query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	mediaType, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return resp.StatusCode, mediaType, string(text)
}

func startFor(t *testing.T, method Method) (*Server, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Start(t, Options{Shape: GitLab, ClientID: oddID, ClientSecret: secret, Method: method, PublicKey: &key.PublicKey, RedirectURIs: []string{callback}, PKCE: true}), key
}

// TestClientAuthentication guards the fake itself: each method is taken as the RFCs have it, and every deviation is refused with its own cause. A fake that is
// lenient proves nothing about its clients.
func TestClientAuthentication(t *testing.T) {
	type deviation struct {
		name  string
		spoil func(*testing.T, *Server, *ecdsa.PrivateKey, *request)
		cause string
	}
	set := func(name, value string) func(*testing.T, *Server, *ecdsa.PrivateKey, *request) {
		return func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) { r.form.Set(name, value) }
	}
	basic := func(id, secret string) func(*testing.T, *Server, *ecdsa.PrivateKey, *request) {
		return func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) { r.basic(id, secret) }
	}
	claims := func(change jwt.MapClaims) func(*testing.T, *Server, *ecdsa.PrivateKey, *request) {
		return func(t *testing.T, s *Server, key *ecdsa.PrivateKey, r *request) {
			r.form.Set("client_assertion", sign(t, key, s, change))
		}
	}
	remove := func(name string) func(*testing.T, *Server, *ecdsa.PrivateKey, *request) {
		return func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) { r.form.Del(name) }
	}
	id, encoded := url.QueryEscape(oddID), url.QueryEscape(secret)
	for method, deviations := range map[Method][]deviation{
		Basic: {
			{"no header", func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) { r.header.Del("Authorization") }, "goes with client_secret_basic"},
			{"two headers", func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) {
				r.header.Add("Authorization", r.header.Get("Authorization"))
			}, "twice"},
			{"not escaped", basic(oddID, secret), "wrong id"},
			{"secret not escaped", basic(id, secret), "secret is not form-encoded"},
			{"escaped as a path", basic(url.PathEscape(oddID), encoded), "wrong id"},
			{"escaped twice", basic(id, url.QueryEscape(encoded)), "wrong secret"},
			{"wrong secret", basic(id, "x"), "wrong secret"},
			{"no secret", basic(id, ""), "wrong secret"},
			{"wrong id", basic("x", encoded), "wrong id"},
			{"Bearer", func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) {
				r.header.Set("Authorization", "Bearer x")
			}, "not Basic"},
			{"not base64", func(_ *testing.T, _ *Server, _ *ecdsa.PrivateKey, r *request) {
				r.header.Set("Authorization", "Basic x:y")
			}, "not base64"},
			{"also in the body", set("client_secret", secret), "client_secret goes with"},
			{"id in the body", set("client_id", oddID), "client_id in the body"},
			{"also an assertion", set("client_assertion", "x"), "client_assertion goes with"},
		},
		Post: {
			{"also Basic", basic(id, encoded), "goes with client_secret_basic"},
			{"wrong secret", set("client_secret", "x"), "wrong client_id or client_secret"},
			{"escaped twice", set("client_secret", encoded), "wrong client_id or client_secret"},
			{"no id", remove("client_id"), "wrong client_id or client_secret"},
			{"no secret", remove("client_secret"), "client_secret goes with"},
		},
		PrivateKeyJWT: {
			{"also a secret", set("client_secret", secret), "client_secret goes with"},
			{"another type", set("client_assertion_type", "jwt"), "client_assertion_type"},
			{"another id", set("client_id", "x"), "wrong client_id"},
			{"no JWT", set("client_assertion", "x"), "not valid"},
			{"another key", func(t *testing.T, s *Server, _ *ecdsa.PrivateKey, r *request) {
				other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				r.form.Set("client_assertion", sign(t, other, s, nil))
			}, "not valid"},
			{"another iss", claims(jwt.MapClaims{"iss": "x"}), "not valid"},
			{"another sub", claims(jwt.MapClaims{"sub": "x"}), "not valid"},
			{"another aud", claims(jwt.MapClaims{"aud": "https://other.example/token"}), "aud"},
			{"aud as a list", claims(jwt.MapClaims{"aud": []string{"https://other.example/token"}}), "aud"},
			{"no exp", claims(jwt.MapClaims{"exp": nil}), "not valid"},
			{"expired", claims(jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()}), "not valid"},
			{"for a day", claims(jwt.MapClaims{"exp": time.Now().Add(24 * time.Hour).Unix()}), "ten minutes"},
			{"no jti", claims(jwt.MapClaims{"jti": nil}), "jti"},
			{"used before", func(t *testing.T, s *Server, _ *ecdsa.PrivateKey, r *request) {
				first := &request{header: r.header.Clone(), form: url.Values{}}
				for name, values := range r.form {
					first.form[name] = values
				}
				first.form.Set("code", s.Code(callback, Challenge(verifier)))
				if status, _, text := send(t, s, first); status != http.StatusOK {
					t.Fatalf("the first use: %d %s", status, text)
				}
			}, "jti"},
		},
		None: {
			{"a secret", set("client_secret", secret), "client_secret goes with"},
			{"Basic", basic(id, ""), "goes with client_secret_basic"},
			{"no id", remove("client_id"), "wrong client_id"},
		},
	} {
		t.Run(string(method), func(t *testing.T) {
			s, key := startFor(t, method)
			if status, _, text := send(t, s, good(t, s, key)); status != http.StatusOK {
				t.Fatalf("what is right is refused: %d %s %q", status, text, s.Refusals())
			}
			for _, d := range deviations {
				r := good(t, s, key)
				d.spoil(t, s, key, r)
				wantRefused(t, s, r, d.name, http.StatusUnauthorized, "invalid_client", "client: ", d.cause)
			}
		})
	}
}

// wantRefused demands a refusal for the cause, of which the answer tells the code alone.
func wantRefused(t *testing.T, s *Server, r *request, name string, status int, code string, causes ...string) {
	t.Helper()
	before := len(s.Refusals())
	got, _, text := send(t, s, r)
	all := s.Refusals()
	if got != status || !strings.Contains(text, `"`+code+`"`) || strings.Contains(text, "access_token") || len(all) != before+1 {
		t.Errorf("%s: %d %s %q, want %d %s", name, got, text, all[before:], status, code)
		return
	}
	for _, cause := range causes {
		if !strings.Contains(all[before], cause) {
			t.Errorf("%s: refused for %q, want %q", name, all[before], cause)
		}
	}
}

// TestTokenRequest guards that everything else of a token request is looked at as well.
func TestTokenRequest(t *testing.T) {
	s, key := startFor(t, Basic)
	for _, row := range []struct {
		name  string
		spoil func(*request)
		code  string
		cause string
	}{
		{"code twice", func(r *request) { r.body = r.form.Encode() + "&code=x" }, "invalid_request", "code is there twice"},
		{"JSON", func(r *request) { r.header.Set("Content-Type", "application/json") }, "invalid_request", "x-www-form-urlencoded"},
		{"in the URL", func(r *request) { r.query = "?code=x" }, "invalid_request", "in the URL"},
		{"a cookie", func(r *request) { r.header.Set("Cookie", "a=b") }, "invalid_request", "cookie"},
		{"no Accept", func(r *request) { r.header.Del("Accept") }, "invalid_request", "Accept"},
		{"Accept of all", func(r *request) { r.header.Set("Accept", "*/*") }, "invalid_request", "Accept"},
		{"something else", func(r *request) { r.form.Set("state", "x") }, "invalid_request", "the parameter state"},
		{"another grant", func(r *request) { r.form.Set("grant_type", "password") }, "unsupported_grant_type", "grant_type"},
		{"no code", func(r *request) { r.form.Del("code") }, "invalid_grant", "code is unknown"},
		{"another redirect_uri", func(r *request) { r.form.Set("redirect_uri", callback+"/") }, "invalid_grant", "redirect_uri"},
		{"no redirect_uri", func(r *request) { r.form.Del("redirect_uri") }, "invalid_grant", "redirect_uri"},
		{"no verifier", func(r *request) { r.form.Del("code_verifier") }, "invalid_grant", "code_verifier"},
		{"the challenge as verifier", func(r *request) { r.form.Set("code_verifier", Challenge(verifier)) }, "invalid_grant", "code_verifier"},
		{"a code without PKCE", func(r *request) { r.form.Set("code", s.Code(callback, "")) }, "invalid_grant", "without a code_challenge"},
		{"an unknown refresh token", func(r *request) { r.form.Set("grant_type", "refresh_token"); r.form.Set("refresh_token", "x") }, "invalid_grant", "refresh token"},
	} {
		r := good(t, s, key)
		row.spoil(r)
		wantRefused(t, s, r, row.name, http.StatusBadRequest, row.code, row.cause)
	}
	r := good(t, s, key)
	if status, _, text := send(t, s, r); status != http.StatusOK {
		t.Fatalf("%d %s", status, text)
	}
	wantRefused(t, s, r, "a second use", http.StatusBadRequest, "invalid_grant", "used before")
	r = good(t, s, key)
	later := time.Now().Add(2 * codeLifetime)
	s.options.Now = func() time.Time { return later }
	wantRefused(t, s, r, "two minutes later", http.StatusBadRequest, "invalid_grant", "too old")
}

// TestAuthorize guards that a faulty authorization request goes back to the client only where the client is known.
func TestAuthorize(t *testing.T) {
	s, _ := startFor(t, Basic)
	right := url.Values{"response_type": {"code"}, "client_id": {oddID}, "redirect_uri": {callback}, "state": {"s"}, "code_challenge": {Challenge(verifier)}, "code_challenge_method": {"S256"}}
	for _, row := range []struct {
		name, add string
		change    url.Values
		status    int
		code      string
	}{
		{"right", "", nil, 302, ""},
		{"another client", "", url.Values{"client_id": {"x"}}, 400, ""},
		{"another redirect_uri", "", url.Values{"redirect_uri": {callback + "/"}}, 400, ""},
		{"state twice", "&state=t", nil, 400, ""},
		{"no state", "", url.Values{"state": {""}}, 302, "invalid_request"},
		{"token", "", url.Values{"response_type": {"token"}}, 302, "unsupported_response_type"},
		{"plain", "", url.Values{"code_challenge_method": {"plain"}}, 302, "invalid_request"},
		{"short", "", url.Values{"code_challenge": {"x"}}, 302, "invalid_request"},
		{"nonce", "&nonce=n", nil, 302, "invalid_request"},
	} {
		q := url.Values{}
		for name := range right {
			q[name] = right[name]
		}
		for name := range row.change {
			q[name] = row.change[name]
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.AuthorizationEndpoint()+"?"+q.Encode()+row.add, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		back, _ := url.Parse(resp.Header.Get("Location"))
		got := back.Query()
		if resp.StatusCode != row.status || got.Get("error") != row.code || got.Has("code") != (row.name == "right") {
			t.Errorf("%s: %d %s", row.name, resp.StatusCode, back)
		}
	}
}

// TestGitHub guards the quirks of GitHub's token endpoint, and that lists have its header Link.
func TestGitHub(t *testing.T) {
	s := Start(t, Options{ClientID: oddID, ClientSecret: secret, RedirectURIs: []string{callback}, PKCE: true, PageSize: 1})
	r := good(t, s, nil)
	r.header.Del("Accept")
	status, mediaType, text := send(t, s, r)
	form, err := url.ParseQuery(text)
	if status != 200 || mediaType != "application/x-www-form-urlencoded" || err != nil || form.Get("access_token") == "" || form.Get("token_type") != "bearer" {
		t.Errorf("without Accept: %d %s", status, mediaType)
	}
	status, mediaType, text = send(t, s, good(t, s, nil))
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(text), &answer); status != 200 || mediaType != "application/json" || err != nil || answer.AccessToken == "" {
		t.Errorf("with Accept: %d %s %v", status, mediaType, err)
	}
	r = good(t, s, nil)
	r.form.Set("code", "x")
	if status, _, text := send(t, s, r); status != 200 || !strings.Contains(text, `"error":"bad_verification_code"`) {
		t.Errorf("a bad code: %d %s", status, text)
	}
	for _, row := range []struct {
		token, query string
		status       int
		link         string
	}{
		{answer.AccessToken, "", 200, `<` + s.TeamsEndpoint() + `?page=2>; rel="next", <` + s.TeamsEndpoint() + `?page=2>; rel="last"`},
		{answer.AccessToken, "?page=2", 200, `<` + s.TeamsEndpoint() + `?page=1>; rel="prev"`},
		{"x", "", 401, ""},
		{answer.AccessToken, "?access_token=x", 401, ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.TeamsEndpoint()+row.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+row.token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != row.status || resp.Header.Get("Link") != row.link {
			t.Errorf("%s: %d %s", row.query, resp.StatusCode, resp.Header.Get("Link"))
		}
	}
}
