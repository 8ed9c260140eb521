// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticate says what is wrong with how a client proves who it is at the token endpoint, "" if nothing is. Only the registered method
// may leave a trace in the request (RFC 6749 §2.3).
func (s *Server) authenticate(r *http.Request, form url.Values) string {
	method := s.options.Method
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1:
		return "client: Authorization is there twice"
	case (len(headers) == 1) != (method == Basic):
		return "client: an Authorization header goes with client_secret_basic and nothing else"
	case form.Has("client_secret") != (method == Post):
		return "client: client_secret goes with client_secret_post and nothing else"
	case (form.Has("client_assertion") || form.Has("client_assertion_type")) != (method == PrivateKeyJWT):
		return "client: client_assertion goes with private_key_jwt and nothing else"
	}
	switch method {
	case Basic:
		if form.Has("client_id") {
			return "client: client_id in the body beside client_secret_basic"
		}
		return s.checkBasic(headers[0])
	case Post:
		if form.Get("client_id") != s.options.ClientID || form.Get("client_secret") != s.options.ClientSecret {
			return "client: wrong client_id or client_secret"
		}
	case PrivateKeyJWT:
		if form.Has("client_id") && form.Get("client_id") != s.options.ClientID {
			return "client: wrong client_id"
		}
		return s.checkAssertion(form)
	case None:
		if form.Get("client_id") != s.options.ClientID {
			return "client: wrong client_id"
		}
	}
	return ""
}

// checkBasic reads ID and secret as RFC 6749 §2.3.1 has them written: each form-encoded, then joined and base64-encoded.
func (s *Server) checkBasic(header string) string {
	scheme, encoded, _ := strings.Cut(header, " ")
	if scheme != "Basic" {
		return "client: the Authorization header is not Basic"
	}
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "client: the Authorization header is not base64"
	}
	id, secret, ok := strings.Cut(string(pair), ":")
	if !ok {
		return "client: the Authorization header has no colon"
	}
	for _, part := range []struct{ name, encoded, want string }{{"id", id, s.options.ClientID}, {"secret", secret, s.options.ClientSecret}} {
		plain, err := url.QueryUnescape(part.encoded)
		switch {
		case err != nil || strings.Trim(part.encoded, unreserved+".~*+%") != "":
			return "client: the " + part.name + " is not form-encoded"
		case plain != part.want:
			return "client: wrong " + part.name
		}
	}
	return ""
}

// checkAssertion demands what OpenID Connect Core 1.0 §9 and RFC 7523 §3 do, with aud the token endpoint alone.
func (s *Server) checkAssertion(form url.Values) string {
	if form.Get("client_assertion_type") != assertionType {
		return "client: wrong client_assertion_type"
	}
	algorithms := []string{"RS256", "PS256"}
	switch s.options.PublicKey.(type) {
	case *ecdsa.PublicKey:
		algorithms = []string{"ES256", "ES384"}
	case *rsa.PublicKey:
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(form.Get("client_assertion"), claims, func(*jwt.Token) (any, error) { return s.options.PublicKey, nil },
		jwt.WithValidMethods(algorithms), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.options.Now), jwt.WithIssuer(s.options.ClientID), jwt.WithSubject(s.options.ClientID))
	if err != nil {
		return "client: the assertion is not valid: " + err.Error()
	}
	if aud, ok := claims["aud"].(string); !ok || aud != s.TokenEndpoint() {
		return "client: aud of the assertion is not the token endpoint, as a string"
	}
	expiry, err := claims.GetExpirationTime()
	if err != nil || expiry.After(s.options.Now().Add(10*time.Minute)) {
		return "client: the assertion lives longer than ten minutes"
	}
	id, ok := claims["jti"].(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok || id == "" || s.used[id] {
		return "client: jti of the assertion is missing or was used"
	}
	s.used[id] = true
	return ""
}
