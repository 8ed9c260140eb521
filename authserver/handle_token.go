// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
)

// tokenHandler serves POST /oauth2/token (RFC 6749 §3.2). It owns what grants share: form, duplicates, the answer.
type tokenHandler struct {
	// grants is the list of grant types. A new one is a function and a line where the handler is made.
	grants map[string]grantFunc
	// snapshot returns what grants are decided by now; nil before the first configuration.
	snapshot func() *login.Snapshot
	log      *slog.Logger
}

// A grantFunc turns a request of one grant type into tokens. Errors are those of package login, a requestError, or a *grantRefusal.
type grantFunc func(ctx context.Context, snap *login.Snapshot, r *grantRequest) (*login.Grant, error)

// grantRequest is what a client sent. Its form has been read.
type grantRequest struct {
	parameters map[string]string // each was there at most once
	http       *http.Request     // for headers and addresses
}

// requestError says which parameter is missing or wrong: 400 invalid_request.
type requestError string

func (e requestError) Error() string { return string(e) }

// Grant types.
const (
	grantRefreshToken      = "refresh_token"
	grantAuthorizationCode = "authorization_code"
)

// newTokenHandler makes the handler with every grant type that the server knows.
func newTokenHandler(service *login.Service, snapshot func() *login.Snapshot, log *slog.Logger) *tokenHandler {
	return &tokenHandler{
		grants: map[string]grantFunc{
			grantRefreshToken:      refreshGrant(service),
			grantAuthorizationCode: codeGrant(service),
		},
		snapshot: snapshot, log: log,
	}
}

// refreshGrant is RFC 6749 §6 without client authentication: the token says enough.
func refreshGrant(service *login.Service) grantFunc {
	return func(ctx context.Context, snap *login.Snapshot, r *grantRequest) (*login.Grant, error) {
		token := r.parameters["refresh_token"]
		if token == "" {
			return nil, requestError("the parameter refresh_token is missing")
		}
		return service.Refresh(ctx, snap, token)
	}
}

// Bounds of a code_verifier's length (RFC 7636 §4.1).
const (
	minVerifier = 43
	maxVerifier = 128
)

// codeGrant is RFC 6749 §4.1.3 with PKCE (RFC 7636 §4.5) and without client authentication: the verifier takes its place.
func codeGrant(service *login.Service) grantFunc {
	return func(ctx context.Context, snap *login.Snapshot, r *grantRequest) (*login.Grant, error) {
		parameters := r.parameters
		for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
			if parameters[name] == "" {
				return nil, requestError("the parameter " + name + " is missing")
			}
		}
		verifier := parameters["code_verifier"]
		if len(verifier) < minVerifier || len(verifier) > maxVerifier || strings.ContainsFunc(verifier, notUnreserved) {
			return nil, requestError("code_verifier must have 43 to 128 of the characters A-Z a-z 0-9 - . _ ~")
		}
		return service.ExchangeCode(ctx, snap, login.Exchange{
			Code: parameters["code"], RedirectURI: parameters["redirect_uri"], Verifier: verifier, ClientID: parameters["client_id"],
		})
	}
}

// notUnreserved tells characters that are not RFC 3986's unreserved ones.
func notUnreserved(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return false
	}
	return !strings.ContainsRune("-._~", c)
}

// readGrantForm reads the form of an endpoint that needs the store; where ok is false, it has answered.
func readGrantForm(w http.ResponseWriter, r *http.Request, now *login.Snapshot, log *slog.Logger) (snap *login.Snapshot, parameters map[string]string, ok bool) {
	switch {
	case now == nil:
		writeNotReady(w)
		return nil, nil, false
	case !now.Store():
		writeGrantError(r.Context(), w, log, login.ErrDisabled)
		return nil, nil, false
	}
	parameters, ok = readForm(w, r)
	return now, parameters, ok
}

func (h *tokenHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	snap, parameters, ok := readGrantForm(w, r, h.snapshot(), h.log)
	if !ok {
		return
	}
	grant, known := h.grants[parameters["grant_type"]]
	switch {
	case parameters["grant_type"] == "":
		writeError(w, http.StatusBadRequest, codeInvalidRequest, "the parameter grant_type is missing")
		return
	case !known:
		writeError(w, http.StatusBadRequest, codeUnsupportedGrant, "this grant_type is not supported")
		return
	}
	answer, err := grant(r.Context(), snap, &grantRequest{parameters, r})
	if wrong, ok := errors.AsType[requestError](err); ok {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, wrong.Error())
		return
	}
	if refused, ok := errors.AsType[*grantRefusal](err); ok {
		refused.write(w)
		return
	}
	if err != nil {
		writeGrantError(r.Context(), w, h.log, err)
		return
	}
	writeGrant(w, answer)
}

// readForm reads the parameters of a form that a program sent. What is wrong with it is answered.
func readForm(w http.ResponseWriter, r *http.Request) (parameters map[string]string, ok bool) {
	body, ok := readBody(w, r, "application/x-www-form-urlencoded")
	if !ok {
		return nil, false
	}
	parameters, err := parseForm(string(body), r.URL.RawQuery)
	if err != nil {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, err.Error())
		return nil, false
	}
	return parameters, true
}

// parseForm reads the body's parameters. A parameter without a value counts as left out, and one that is there twice is
// refused (RFC 6749 §3.2); so is anything in the query, which ends up in logs.
func parseForm(body, query string) (map[string]string, error) {
	if query != "" {
		return nil, requestError("parameters belong in the body, not in the query")
	}
	values, err := url.ParseQuery(body)
	if err != nil {
		return nil, requestError("the body is not form-encoded")
	}
	parameters := make(map[string]string, len(values))
	for name, given := range values {
		if len(given) > 1 {
			return nil, requestError("a parameter is there twice")
		}
		parameters[name] = given[0]
	}
	return parameters, nil
}
