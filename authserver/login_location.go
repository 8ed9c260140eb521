// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// headerLoginLocation says on a browser's 401 where to log in.
const headerLoginLocation = "X-Auth-Login-Location"

// loginLocation is where the browser logs in whose request for a URL was refused, with the way back if that is a place where a login
// may lead; ok is false for servers at which no browser can log in. What the request says of itself only ever becomes that way back.
func (s *site) loginLocation(visited string) (location string, ok bool) {
	if !s.open() {
		return "", false
	}
	location = s.origin + pathLogin
	if to, ok := s.places.Allowed(visited); ok && to != s.origin+session.Home {
		location += "?" + paramReturnTo + "=" + url.QueryEscape(to)
	}
	return location, true
}

// isVisit tells whether somebody goes to a page with a browser, by what the gateway passes on.
func isVisit(h http.Header, method string) bool {
	for _, name := range []string{"X-Forwarded-Method", "X-Original-Method"} {
		if values := h[name]; len(values) > 0 {
			method = values[0]
		}
	}
	if method != http.MethodGet {
		return false
	}
	for _, line := range h["Accept"] {
		if strings.Contains(line, "text/html") {
			return true
		}
	}
	return false
}

// originalURL is the URL that the gateway was asked for: nginx tells it in one header, others in three. "" if it cannot be told.
func originalURL(h http.Header) string {
	if whole := h["X-Original-Url"]; len(whole) > 0 {
		if len(whole) > 1 {
			return ""
		}
		return whole[0]
	}
	proto, host, uri := h["X-Forwarded-Proto"], h["X-Forwarded-Host"], h["X-Forwarded-Uri"]
	if len(proto) != 1 || len(host) != 1 || len(uri) != 1 || !strings.HasPrefix(uri[0], "/") {
		return ""
	}
	return proto[0] + "://" + host[0] + uri[0]
}

// wantsRedirect tells whether the gateway asked for a redirect in place of a browser's 401: /verify?login=redirect. Of /envoy no
// query is read, which is the client's.
func wantsRedirect(r *http.Request) bool {
	if !strings.HasPrefix(rawPath(r), "/verify") {
		return false
	}
	_, query, _ := strings.Cut(r.RequestURI, "?")
	values, err := url.ParseQuery(query)
	return err == nil && len(values["login"]) == 1 && values.Get("login") == "redirect"
}

// redirected is the refusal of a browser that is sent to log in.
func (r *refusal) redirected(w http.ResponseWriter, location string) {
	h := w.Header()
	for name, values := range r.header {
		h[name] = values
	}
	h.Set("Location", location)
	w.WriteHeader(http.StatusFound)
	_, _ = w.Write(r.body) // a client that is gone is no concern of ours
}
