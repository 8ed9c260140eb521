// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Facts are what of a request decides. Each header holds its values as sent, one per header line: two values mean that
// it was sent twice, an empty value that it was sent empty, none that it was not sent.
type Facts struct {
	// Route is the tenant segment of the route, unescaped by nobody; it counts only with ByRoute.
	Route   string
	ByRoute bool

	Authorization []string
	Token         []string // x-jwt-token
	TenantID      []string // x-jwt-tenant-id
	Issuer        []string // x-jwt-issuer
	ClientID      []string // x-jwt-client-id
	Nonce         []string // x-jwt-nonce
}

// Read takes the headers' values from h, whose names are in canonical form. It copies nothing.
func (f *Facts) Read(h http.Header) {
	f.Authorization = h["Authorization"]
	f.Token = h["X-Jwt-Token"]
	f.TenantID = h["X-Jwt-Tenant-Id"]
	f.Issuer = h["X-Jwt-Issuer"]
	f.ClientID = h["X-Jwt-Client-Id"]
	f.Nonce = h["X-Jwt-Nonce"]
}

// check demands that no header that decides is there twice, and no x-jwt-* header empty.
func (f *Facts) check() error {
	for _, h := range [...]struct {
		name   string
		values []string
	}{
		{"x-jwt-token", f.Token}, {"x-jwt-tenant-id", f.TenantID},
		{"x-jwt-issuer", f.Issuer}, {"x-jwt-client-id", f.ClientID}, {"x-jwt-nonce", f.Nonce},
	} {
		switch {
		case len(h.values) > 1:
			return refuse(ReasonDuplicateHeader, h.name+" is there twice")
		case len(h.values) == 1 && h.values[0] == "":
			return refuse(ReasonEmptyHeader, h.name+" is empty")
		}
	}
	if len(f.Authorization) > 1 {
		return refuse(ReasonDuplicateHeader, "authorization is there twice")
	}
	return nil
}

// HasToken tells whether something was sent as a token, be it one or not.
func (f *Facts) HasToken() bool {
	if len(f.Token) > 0 || len(f.Authorization) > 1 {
		return true
	}
	if len(f.Authorization) == 0 {
		return false
	}
	_, ok := parseBearer(f.Authorization[0])
	return ok
}

// token returns the request's token. The headers have been checked.
func (f *Facts) token() (string, error) {
	raw, sent := only(f.Token)
	authorization, _ := only(f.Authorization)
	bearer, isBearer := parseBearer(authorization)
	switch {
	case !sent && !isBearer:
		return "", refuse(ReasonNoToken, "neither x-jwt-token nor a Bearer token was sent")
	case !isBearer:
		return raw, nil
	case sent && bearer != raw:
		return "", refuse(ReasonTokensDiffer, "x-jwt-token and authorization hold different tokens: send one of them")
	case bearer == "":
		return "", refuse(ReasonEmptyHeader, "the Bearer token is empty")
	}
	return bearer, nil
}

// tenant returns the tenant that the request names, "" if it names none. Route and header must agree.
func (f *Facts) tenant(s *Set) (string, error) {
	header, sent := only(f.TenantID)
	switch {
	case sent && !s.isName(header):
		return "", refuse(ReasonInvalidTenant, "x-jwt-tenant-id is not a valid tenant ID")
	case !f.ByRoute:
		return header, nil
	case !s.isName(f.Route):
		return "", refuse(ReasonInvalidTenant, "the route's tenant segment is not a valid tenant ID")
	case sent && header != f.Route:
		return "", refuse(ReasonTenantsDiffer, "route and x-jwt-tenant-id name different tenants")
	}
	return f.Route, nil
}

// parseBearer takes the value of Authorization apart (RFC 9110 §11.4, RFC 6750 §2.1); ok is false for another scheme.
// What follows the scheme is taken as it is but for the spaces between them: package token judges it.
func parseBearer(value string) (raw string, ok bool) {
	const scheme = "bearer"
	if len(value) < len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", false
	}
	raw = value[len(scheme):]
	if raw != "" && isTokenChar(raw[0]) {
		return "", false // a longer scheme that begins alike
	}
	return strings.TrimLeft(raw, " "), true
}

// isTokenChar tells whether c can be part of a scheme's name (RFC 9110 §5.6.2).
func isTokenChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	default:
		return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
	}
}

// only returns the one value of a header; sent is false if there is none.
func only(values []string) (value string, sent bool) {
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

func refuse(reason token.Reason, detail string) error {
	return &token.Error{Reason: reason, Detail: detail}
}
