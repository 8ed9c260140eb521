// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"

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

// A grantFunc turns the parameters of one grant type into tokens. Each parameter is there at most once. Errors are those of
// package login, or a requestError.
type grantFunc func(ctx context.Context, snap *login.Snapshot, parameters map[string]string) (*login.Grant, error)

// requestError says which parameter is missing or wrong: 400 invalid_request.
type requestError string

func (e requestError) Error() string { return string(e) }

// newTokenHandler makes the handler with every grant type that the server knows.
func newTokenHandler(service *login.Service, snapshot func() *login.Snapshot, log *slog.Logger) *tokenHandler {
	return &tokenHandler{
		grants: map[string]grantFunc{
			"refresh_token": refreshGrant(service),
		},
		snapshot: snapshot, log: log,
	}
}

// refreshGrant is RFC 6749 §6 without client authentication: the token says enough.
func refreshGrant(service *login.Service) grantFunc {
	return func(ctx context.Context, snap *login.Snapshot, parameters map[string]string) (*login.Grant, error) {
		token := parameters["refresh_token"]
		if token == "" {
			return nil, requestError("the parameter refresh_token is missing")
		}
		return service.Refresh(ctx, snap, token)
	}
}

func (h *tokenHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	snap := h.snapshot()
	switch {
	case snap == nil:
		writeNotReady(w)
		return
	case !snap.Store():
		writeGrantError(r.Context(), w, h.log, login.ErrDisabled)
		return
	}
	body, ok := readBody(w, r, "application/x-www-form-urlencoded")
	if !ok {
		return
	}
	parameters, err := parseForm(string(body), r.URL.RawQuery)
	if err != nil {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, err.Error())
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
	answer, err := grant(r.Context(), snap, parameters)
	if wrong, ok := errors.AsType[requestError](err); ok {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, wrong.Error())
		return
	}
	if err != nil {
		writeGrantError(r.Context(), w, h.log, err)
		return
	}
	writeGrant(w, answer)
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
