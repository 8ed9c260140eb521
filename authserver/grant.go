// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Error codes of logins and grants.
const (
	codeInvalidCredentials = "invalid_credentials"
	codeTooManyAttempts    = "too_many_attempts"
	codeInvalidGrant       = "invalid_grant"
	codeUnsupportedGrant   = "unsupported_grant_type"
	codeInvalidClient      = "invalid_client"
)

// grantBody is the answer to a login or a grant (RFC 6749 §5.1); times are in seconds.
type grantBody struct {
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type"`
	ExpiresIn        int64  `json:"expires_in"`
	RefreshToken     string `json:"refresh_token,omitempty"`
	RefreshExpiresIn int64  `json:"refresh_expires_in,omitempty"`
	Scope            string `json:"scope,omitempty"`
}

// grantRefusal is a refusal of a grant in the words of the grant itself (RFC 6749 §5.2).
type grantRefusal struct {
	status            int
	code, description string
	challenge         string        // of 401
	retryAfter        time.Duration // 0: do not try again
}

// Error implements error. It is not told to anybody: write is.
func (g *grantRefusal) Error() string { return g.code }

func (g *grantRefusal) write(w http.ResponseWriter) {
	w.Header().Set("Pragma", "no-cache")
	if g.challenge != "" {
		w.Header().Set("WWW-Authenticate", g.challenge)
	}
	if g.retryAfter > 0 {
		setRetryAfter(w, g.retryAfter)
	}
	writeError(w, g.status, g.code, g.description)
}

func writeGrant(w http.ResponseWriter, g *login.Grant) {
	w.Header().Set("Pragma", "no-cache") // RFC 6749 §5.1 demands both
	writeJSON(w, http.StatusOK, grantBody{
		AccessToken: g.AccessToken, TokenType: "Bearer", ExpiresIn: int64(g.ExpiresIn / time.Second),
		RefreshToken: g.RefreshToken, RefreshExpiresIn: int64(g.RefreshExpiresIn / time.Second), Scope: g.Scope,
	})
}

// writeGrantError answers an error of package login. Faults are logged and told as 503 or 500 without their text.
func writeGrantError(ctx context.Context, w http.ResponseWriter, log *slog.Logger, err error) {
	var locked *login.LockedError
	switch {
	case errors.Is(err, login.ErrDisabled):
		writeError(w, http.StatusNotFound, codeNotFound, "this server has no password login")
	case errors.Is(err, login.ErrInvalidCredentials):
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`) // RFC 9110 §15.5.2
		writeError(w, http.StatusUnauthorized, codeInvalidCredentials, "the e-mail address or the password is wrong")
	case errors.As(err, &locked):
		setRetryAfter(w, locked.RetryAfter)
		writeError(w, http.StatusTooManyRequests, codeTooManyAttempts, "too many failed attempts; try again later")
	case errors.Is(err, login.ErrInvalidGrant):
		writeError(w, http.StatusBadRequest, codeInvalidGrant, "the refresh token or code is invalid, expired, used or revoked; log in again")
	case errors.Is(err, password.ErrBusy):
		setRetryAfter(w, time.Second)
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "too many logins at this moment; try again")
	case errors.Is(err, issue.ErrTooLarge):
		log.ErrorContext(ctx, "no token issued", "error", err)
		writeError(w, http.StatusInternalServerError, codeServerError, "the user's groups do not fit into a token; tell the administrator")
	case errors.Is(err, store.ErrUnavailable): // told by what looks after the store, not for each request
		setRetryAfter(w, 5*time.Second)
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "tokens cannot be issued at this moment; try again later")
	case ctx.Err() != nil:
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "the request was given up") // nobody reads it
	default:
		log.ErrorContext(ctx, "no token issued", "error", err)
		setRetryAfter(w, 5*time.Second)
		writeError(w, http.StatusServiceUnavailable, codeUnavailable, "tokens cannot be issued at this moment; try again later")
	}
}

// writeNotReady answers while there is no configuration yet.
func writeNotReady(w http.ResponseWriter) {
	setRetryAfter(w, time.Second)
	writeError(w, http.StatusServiceUnavailable, codeUnavailable, "the server has no configuration yet; try again")
}

// setRetryAfter says in whole seconds, rounded up, when to come again (RFC 9110 §10.2.3).
func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(max(1, int64(math.Ceil(wait.Seconds()))), 10))
}
