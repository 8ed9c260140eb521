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

// token returns the request's token. present is true also with an error, if something was sent as a token.
func (f *Facts) token() (raw string, present bool, err error) {
	raw, present, err = single("x-jwt-token", f.Token)
	if err != nil {
		return "", true, err
	}
	if len(f.Authorization) > 1 {
		return "", true, refuse(ReasonDuplicateHeader, "authorization is there twice")
	}
	if len(f.Authorization) == 0 {
		return raw, present, nil
	}
	bearer, ok := parseBearer(f.Authorization[0])
	switch {
	case !ok:
		return raw, present, nil
	case present && bearer != raw:
		return "", true, refuse(ReasonTokensDiffer, "x-jwt-token and authorization hold different tokens: send one of them")
	case bearer == "":
		return "", true, refuse(ReasonEmptyHeader, "the Bearer token is empty")
	}
	return bearer, true, nil
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

// single returns the one value of a header; sent is false if it was not sent.
func single(name string, values []string) (value string, sent bool, err error) {
	switch {
	case len(values) == 0:
		return "", false, nil
	case len(values) > 1:
		return "", true, refuse(ReasonDuplicateHeader, name+" is there twice")
	case values[0] == "":
		return "", true, refuse(ReasonEmptyHeader, name+" is empty")
	}
	return values[0], true, nil
}

func refuse(reason token.Reason, detail string) error {
	return &token.Error{Reason: reason, Detail: detail}
}
