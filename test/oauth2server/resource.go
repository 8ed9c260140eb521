// SPDX-License-Identifier: Apache-2.0

package oauth2server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// resource serves to a bearer of an access token, in the header alone (RFC 6750 §2.1).
func (s *Server) resource(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		headers := r.Header.Values("Authorization")
		fault := ""
		switch {
		case len(headers) != 1 || !strings.HasPrefix(headers[0], "Bearer "):
			fault = "resource: one Authorization header with a bearer token is required"
		case !s.holds(strings.TrimPrefix(headers[0], "Bearer ")):
			fault = "resource: the access token is unknown, ended or revoked"
		case r.URL.Query().Has("access_token"):
			fault = "resource: the access token is in the URL"
		case r.Header.Get("User-Agent") == "":
			fault = "resource: User-Agent is missing"
		case len(r.Cookies()) > 0:
			fault = "resource: a cookie was sent"
		}
		if fault != "" {
			s.refuse(fault)
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			writeJSON(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
			return
		}
		serve(w, r)
	}
}

func (s *Server) holds(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.access[access]
	return g != nil && s.options.Now().Before(g.until)
}

func (s *Server) serveUserInfo(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	person, text := s.person, s.userInfo
	s.mu.Unlock()
	if text != "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, text)
		return
	}
	writeJSON(w, http.StatusOK, s.options.Shape.userInfo(&person))
}

func (s *Server) serveEmails(w http.ResponseWriter, _ *http.Request) {
	person := s.current()
	list := []any{}
	for _, e := range person.Emails {
		visibility := any(nil)
		if e.Primary {
			visibility = "private"
		}
		list = append(list, map[string]any{"email": e.Address, "primary": e.Primary, "verified": e.Verified, "visibility": visibility})
	}
	writeJSON(w, http.StatusOK, list)
}

func (s *Server) serveOrganizations(w http.ResponseWriter, r *http.Request) {
	person := s.current()
	list := []any{}
	for i, name := range person.Organizations {
		list = append(list, map[string]any{"login": name, "id": i + 1, "description": nil, "url": s.URL() + "/orgs/" + name})
	}
	s.writePage(w, r, list)
}

func (s *Server) serveTeams(w http.ResponseWriter, r *http.Request) {
	person := s.current()
	list := []any{}
	for i, t := range person.Teams {
		list = append(list, map[string]any{
			"id": i + 1, "slug": t.Slug, "name": t.Slug, "privacy": "closed", "parent": nil,
			"organization": map[string]any{"login": t.Organization, "id": 7, "public_repos": 3},
		})
	}
	s.writePage(w, r, list)
}

func (s *Server) current() Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.person
}

// writePage writes one page of a list, with the header Link that GitHub's have (RFC 8288).
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, list []any) {
	q := r.URL.Query()
	size := s.options.PageSize
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > 0 {
		size = min(n, size)
	}
	number, err := strconv.Atoi(q.Get("page"))
	if err != nil || number < 1 {
		number = 1
	}
	last := max(1, (len(list)+size-1)/size)
	from := min(len(list), (number-1)*size)
	to := min(len(list), from+size)
	var links []string
	link := func(page int, rel string) {
		q.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, s.URL(), r.URL.Path, q.Encode(), rel))
	}
	if number > 1 {
		link(number-1, "prev")
	}
	if number < last {
		link(number+1, "next")
		link(last, "last")
	}
	if len(links) > 0 {
		w.Header().Set("Link", strings.Join(links, ", "))
	}
	writeJSON(w, http.StatusOK, list[from:to])
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
