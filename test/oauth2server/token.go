// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const accessLifetime = 2 * time.Hour

// token is the token endpoint (RFC 6749 §3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	form, fault := s.readForm(r)
	if fault != "" {
		s.refuseToken(w, r, "invalid_request", fault)
		return
	}
	if fault := s.authenticate(r, form); fault != "" {
		s.refuseToken(w, r, "invalid_client", fault)
		return
	}
	var g *grant
	code := "invalid_grant"
	switch form.Get("grant_type") {
	case "authorization_code":
		g, fault = s.spendCode(form)
	case "refresh_token":
		g, fault = s.spendRefresh(form)
	default:
		code, fault = "unsupported_grant_type", "token: grant_type is not supported"
	}
	if fault != "" {
		s.refuseToken(w, r, code, fault)
		return
	}
	s.answerToken(w, r, s.tokens(g))
}

// readForm reads a request whose parameters are in the body, each once, and none that no grant asks for.
func (s *Server) readForm(r *http.Request) (url.Values, string) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil || mediaType != "application/x-www-form-urlencoded":
		return nil, "token: the body is not application/x-www-form-urlencoded"
	case r.URL.RawQuery != "":
		return nil, "token: parameters in the URL"
	case len(r.Cookies()) > 0:
		return nil, "token: a cookie was sent"
	case !s.options.Shape.formUnlessAsked() && !acceptsJSON(r):
		return nil, "token: Accept does not ask for application/json"
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, "token: the body ends early"
	}
	form, fault := single(string(body))
	if fault != "" {
		return nil, "token: " + fault
	}
	known := []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "client_id", "client_secret", "client_assertion", "client_assertion_type"}
	for name := range form {
		if !slices.Contains(known, name) {
			return nil, "token: the parameter " + name + " is not one of this grant"
		}
	}
	return form, ""
}

// spendCode uses a code up, whether or not the rest is right: a second use finds none, and ends what the first one gave.
func (s *Server) spendCode(form url.Values) (*grant, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.codes[form.Get("code")]
	if g == nil {
		return nil, "token: the code is unknown"
	}
	if g.spent {
		return nil, "token: the code was used before"
	}
	g.spent = true
	switch {
	case s.options.Now().After(g.until):
		return nil, "token: the code is too old"
	case form.Get("redirect_uri") != g.redirectURI:
		return nil, "token: redirect_uri is not that of the authorization request"
	case g.challenge == "" && form.Has("code_verifier"):
		return nil, "token: code_verifier without a code_challenge"
	case g.challenge != "" && !verifies(form.Get("code_verifier"), g.challenge):
		return nil, "token: code_verifier is not that of the code_challenge"
	}
	return g, ""
}

// verifies checks form (RFC 7636 §4.1) and hash of a verifier.
func verifies(verifier, challenge string) bool {
	return len(verifier) >= 43 && len(verifier) <= 128 && strings.Trim(verifier, unreserved+".~") == "" && Challenge(verifier) == challenge
}

func (s *Server) spendRefresh(form url.Values) (*grant, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.refresh[form.Get("refresh_token")]
	switch {
	case g == nil:
		return nil, "token: the refresh token is unknown or was used before"
	case form.Has("code") || form.Has("redirect_uri") || form.Has("code_verifier"):
		return nil, "token: a refresh has parameters of a code"
	}
	delete(s.refresh, form.Get("refresh_token"))
	return g, ""
}

// tokens makes the members of a successful answer.
func (s *Server) tokens(g *grant) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	access := random()
	s.access[access] = &grant{until: s.options.Now().Add(accessLifetime), scope: g.scope}
	answer := map[string]any{"access_token": access, "token_type": s.options.Shape.tokenType(), "scope": s.options.Shape.scope(g.scope)}
	if s.options.Shape.expires() {
		answer["expires_in"] = int(accessLifetime / time.Second)
	}
	if s.options.Refresh || s.options.Shape.refreshes() {
		refresh := random()
		s.refresh[refresh] = g
		answer["refresh_token"] = refresh
	}
	return answer
}

// answerToken writes JSON, or a form where the shape does so unless asked.
func (s *Server) answerToken(w http.ResponseWriter, r *http.Request, answer map[string]any) {
	s.writeToken(w, r, http.StatusOK, answer)
}

func (s *Server) refuseToken(w http.ResponseWriter, r *http.Request, code, fault string) {
	s.refuse(fault)
	status, answer := s.options.Shape.tokenError(code)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Basic")
	}
	s.writeToken(w, r, status, answer)
}

func (s *Server) writeToken(w http.ResponseWriter, r *http.Request, status int, answer map[string]any) {
	if s.options.Shape.formUnlessAsked() && !acceptsJSON(r) {
		form := url.Values{}
		for name, value := range answer {
			if text, ok := value.(string); ok {
				form.Set(name, text)
			}
		}
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, form.Encode())
		return
	}
	writeJSON(w, status, answer)
}

func acceptsJSON(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if mediaType, _, err := mime.ParseMediaType(strings.TrimSpace(part)); err == nil && mediaType == "application/json" {
			return true
		}
	}
	return false
}
