// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const sessionCookie = "oauth2server_session"

// codeLifetime is how long a code can be exchanged.
const codeLifetime = time.Minute

// authorize is the authorization endpoint (RFC 6749 §4.1.1). What concerns the client or the redirect URI is told to the person, the rest to the client.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q, fault := single(r.URL.RawQuery)
	switch {
	case fault != "":
	case q.Get("client_id") != s.options.ClientID:
		fault = "authorize: client_id is unknown"
	case !slices.Contains(s.options.RedirectURIs, q.Get("redirect_uri")):
		fault = "authorize: redirect_uri is not registered"
	}
	if fault != "" {
		s.refuse(fault)
		http.Error(w, "this request is not valid", http.StatusBadRequest)
		return
	}
	if code, fault := s.checkAuthorize(q); fault != "" {
		s.refuse(fault)
		redirect(w, r, q, url.Values{"error": {code}})
		return
	}
	if s.options.Interactive && !s.loggedIn(r) {
		s.page(w, "Log in to the test provider", r.URL.RequestURI(), "Log in and continue")
		return
	}
	redirect(w, r, q, url.Values{"code": {s.newCode(q)}})
}

// checkAuthorize returns the error code for the client and the cause for the test.
func (s *Server) checkAuthorize(q url.Values) (code, fault string) {
	challenge := q.Get("code_challenge")
	known := []string{"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"}
	for name := range q {
		if !slices.Contains(known, name) {
			return "invalid_request", "authorize: the parameter " + name + " is not one of plain OAuth 2.0"
		}
	}
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type", "authorize: response_type is not code"
	case q.Get("state") == "":
		return "invalid_request", "authorize: state is missing"
	case s.options.PKCE && (q.Get("code_challenge_method") != "S256" || len(challenge) != 43 || strings.Trim(challenge, unreserved) != ""):
		return "invalid_request", "authorize: a code_challenge with code_challenge_method S256 is required"
	case !s.options.PKCE && (q.Has("code_challenge") || q.Has("code_challenge_method")):
		return "invalid_request", "authorize: code_challenge without PKCE"
	}
	return "", ""
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func (s *Server) newCode(q url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := random()
	s.codes[code] = &grant{redirectURI: q.Get("redirect_uri"), challenge: q.Get("code_challenge"), scope: q.Get("scope"), until: s.options.Now().Add(codeLifetime)}
	return code
}

// Code makes a code as a person's agreement does, for tests without a browser: challenge is the code_challenge, "" for none.
func (s *Server) Code(redirectURI, challenge string) string {
	return s.newCode(url.Values{"redirect_uri": {redirectURI}, "code_challenge": {challenge}})
}

// Challenge is the S256 code_challenge of a verifier (RFC 7636 §4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// redirect sends the browser back with the parameters and the request's state.
func redirect(w http.ResponseWriter, r *http.Request, q, answer url.Values) {
	if state := q.Get("state"); state != "" {
		answer.Set("state", state)
	}
	target, err := url.Parse(q.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "the registered redirect_uri is no URL", http.StatusInternalServerError)
		return
	}
	all := target.Query()
	for name := range answer {
		all.Set(name, answer.Get(name))
	}
	target.RawQuery = all.Encode()
	http.Redirect(w, r, target.String(), http.StatusFound)
}

func (s *Server) loggedIn(r *http.Request) bool {
	cookie, err := r.Cookie(sessionCookie)
	s.mu.Lock()
	defer s.mu.Unlock()
	return err == nil && s.sessions[cookie.Value]
}

// logIn is the login page's form: whoever presses the button is the person.
func (s *Server) logIn(w http.ResponseWriter, r *http.Request) {
	value := random()
	s.mu.Lock()
	s.sessions[value] = true
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, r.URL.RequestURI(), http.StatusSeeOther)
}

// logOut ends the session at this server, and shows that it has.
func (s *Server) logOut(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.logouts = append(s.logouts, r.URL.RawQuery)
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		delete(s.sessions, cookie.Value)
	}
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true})
	s.page(w, "Logged out of the test provider", "", "")
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>{{.Title}}</title><h1>{{.Title}}</h1>
{{if .Button}}<form method="post" action="{{.Action}}"><button id="continue">{{.Button}}</button></form>{{end}}</html>
`))

func (s *Server) page(w http.ResponseWriter, title, action, button string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, struct{ Title, Action, Button string }{title, action, button})
}

// single parses a query or form in which every parameter stands once (RFC 6749 §3.1).
func single(text string) (values url.Values, fault string) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return nil, "a parameter is not form-encoded"
	}
	for name, list := range values {
		if len(list) > 1 {
			return nil, "the parameter " + name + " is there twice"
		}
	}
	return values, ""
}

func pathOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		panic("an endpoint is no URL: " + endpoint)
	}
	return u.Path
}
