// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Method is how the client authenticates at the token endpoint; the values are those of RFC 8414's token_endpoint_auth_methods_supported.
type Method string

// Ways of client authentication.
const (
	Basic         Method = "client_secret_basic"
	Post          Method = "client_secret_post"
	PrivateKeyJWT Method = "private_key_jwt"
	None          Method = "none"
)

// Options say what a server expects and whose answers it gives.
type Options struct {
	Shape Shape // GitHub by default
	// URL is where the server is reached from outside; Start sets it.
	URL string

	ClientID, ClientSecret string
	// Method is the only one accepted; Basic by default.
	Method Method
	// PublicKey verifies assertions for PrivateKeyJWT.
	PublicKey crypto.PublicKey
	// RedirectURIs are compared byte by byte.
	RedirectURIs []string
	// PKCE demands a code_challenge (S256); without it none may be sent.
	PKCE bool
	// Interactive shows a login page and keeps a session in a cookie.
	Interactive bool
	// PageSize of lists; 30 by default, as GitHub's.
	PageSize int
	// Refresh also gives a refresh token, that each use replaces. GitLab's and Gitea's shapes always do.
	Refresh bool
	// Now defaults to time.Now.
	Now func() time.Time
}

// Server is the fake. Its methods may be called while it serves.
type Server struct {
	options Options
	mux     *http.ServeMux

	mu       sync.Mutex
	person   Person
	userInfo string // in place of the person's, if not empty
	replaced map[string]http.Handler
	codes    map[string]*grant
	access   map[string]*grant
	refresh  map[string]*grant
	used     map[string]bool // jti of assertions
	sessions map[string]bool
	counts   map[string]int
	refusals []string
	logouts  []string
}

// grant is what somebody agreed to.
type grant struct {
	redirectURI, challenge, scope string
	until                         time.Time
	spent                         bool
}

// New returns a server that has yet to be reached at Options.URL.
func New(o Options) *Server {
	if o.Method == "" {
		o.Method = Basic
	}
	if o.Shape == nil {
		o.Shape = GitHub
	}
	if o.PageSize == 0 {
		o.PageSize = 30
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		options: o, mux: http.NewServeMux(), person: Octocat(), replaced: map[string]http.Handler{}, codes: map[string]*grant{}, access: map[string]*grant{},
		refresh: map[string]*grant{}, used: map[string]bool{}, sessions: map[string]bool{}, counts: map[string]int{},
	}
	p := o.Shape.paths()
	s.mux.HandleFunc("GET "+p.authorize, s.authorize)
	s.mux.HandleFunc("POST "+p.authorize, s.logIn)
	s.mux.HandleFunc("POST "+p.token, s.token)
	s.mux.HandleFunc("GET "+p.logout, s.logOut)
	s.mux.HandleFunc("GET "+p.userInfo, s.resource(s.serveUserInfo))
	s.mux.HandleFunc("GET "+p.emails, s.resource(s.serveEmails))
	s.mux.HandleFunc("GET "+p.organizations, s.resource(s.serveOrganizations))
	s.mux.HandleFunc("GET "+p.teams, s.resource(s.serveTeams))
	return s
}

// Start runs a server on a loopback address until the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s := New(o)
	front := httptest.NewServer(s)
	tb.Cleanup(front.Close)
	if s.options.URL == "" {
		s.options.URL = front.URL
	}
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.counts[r.URL.Path]++
	other := s.replaced[r.URL.Path]
	s.mu.Unlock()
	if other != nil {
		other.ServeHTTP(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// URL is the server's origin.
func (s *Server) URL() string { return s.options.URL }

// AuthorizationEndpoint and the next six are the URLs to configure. Those that a shape lacks are there all the same.
func (s *Server) AuthorizationEndpoint() string { return s.URL() + s.options.Shape.paths().authorize }

// TokenEndpoint is where codes and refresh tokens are exchanged.
func (s *Server) TokenEndpoint() string { return s.URL() + s.options.Shape.paths().token }

// UserInfoEndpoint tells who somebody is.
func (s *Server) UserInfoEndpoint() string { return s.URL() + s.options.Shape.paths().userInfo }

// EmailsEndpoint lists somebody's e-mail addresses, as GitHub's /user/emails.
func (s *Server) EmailsEndpoint() string { return s.URL() + s.options.Shape.paths().emails }

// OrganizationsEndpoint lists somebody's organizations, as GitHub's /user/orgs.
func (s *Server) OrganizationsEndpoint() string {
	return s.URL() + s.options.Shape.paths().organizations
}

// TeamsEndpoint lists somebody's teams, as GitHub's /user/teams.
func (s *Server) TeamsEndpoint() string { return s.URL() + s.options.Shape.paths().teams }

// LogoutEndpoint ends the session at this server.
func (s *Server) LogoutEndpoint() string { return s.URL() + s.options.Shape.paths().logout }

// SetPerson replaces who logs in.
func (s *Server) SetPerson(p Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person = p
}

// SetUserInfo makes the userinfo endpoint answer with the text, whatever it is; "" undoes it.
func (s *Server) SetUserInfo(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.userInfo = text
}

// Replace makes the handler answer for an endpoint, one of the URLs above, in place of the server, without its checks; nil undoes it.
func (s *Server) Replace(endpoint string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replaced[pathOf(endpoint)] = h
}

// Count is how many requests an endpoint has had, refused ones included.
func (s *Server) Count(endpoint string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[pathOf(endpoint)]
}

// Refusals are the causes of all refusals, in order. A client that does everything right leaves none.
func (s *Server) Refusals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

// Logouts are the queries with which the logout endpoint was called, in order.
func (s *Server) Logouts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.logouts)
}

// RevokeAll makes every token given so far useless, as a person does who withdraws consent.
func (s *Server) RevokeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
	clear(s.refresh)
}

func (s *Server) refuse(cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusals = append(s.refusals, cause)
}

// random returns 256 random bits as text.
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // it never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
