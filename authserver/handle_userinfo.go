// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
)

// userInfoHandler serves GET and POST /userinfo in the form of OpenID Connect Core §5.3: what the server's own access token
// says, sent as a bearer token, or who the browser's session belongs to now. A bearer token decides: no other is looked at.
type userInfoHandler struct {
	snapshot func() *login.Snapshot
	// session returns the account of the browser's session; nil where it has none, or one that has ended. Nil: no sessions.
	session func(*http.Request) (*login.Account, error)
	// granted tells whether the policy with that mark is still the organization's: without it a token that was exchanged is worth nothing.
	granted func(organization, mark string) bool
	now     func() time.Time
	log     *slog.Logger
}

// userInfoBody has the names of OpenID Connect Core §5.1, and the organization.
type userInfoBody struct {
	Subject           string   `json:"sub"`
	PreferredUsername string   `json:"preferred_username,omitempty"`
	Email             string   `json:"email,omitempty"`
	EmailVerified     *bool    `json:"email_verified,omitempty"` // where it is known
	Name              string   `json:"name,omitempty"`
	Groups            []string `json:"groups,omitempty"`
	Organization      string   `json:"organization,omitempty"`
}

func (h *userInfoHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	leaveBody(w, r)
	snap := h.snapshot()
	if snap == nil {
		writeNotReady(w)
		return
	}
	raw, sent := bearer(r)
	if sent {
		account, err := snap.ReadAccessToken(raw, h.now())
		if err != nil || account.Exchanged && !h.granted(account.Organization, account.GrantedBy) {
			unauthorized(w, challengeInvalid, "the token is not accepted")
			return
		}
		writeUserInfo(w, account)
		return
	}
	account, err := h.ofSession(r)
	switch {
	case err != nil:
		writeGrantError(r.Context(), w, h.log, err)
	case account == nil:
		unauthorized(w, challenge, "the request carries neither a bearer token nor a session cookie")
	default:
		writeUserInfo(w, account)
	}
}

func (h *userInfoHandler) ofSession(r *http.Request) (*login.Account, error) {
	if h.session == nil {
		return nil, nil
	}
	account, err := h.session(r)
	if errors.Is(err, login.ErrEnded) {
		return nil, nil
	}
	return account, err
}

// bearer returns what is sent as a bearer token (RFC 6750 §2.1); with several Authorization headers it is none of them.
func bearer(r *http.Request) (raw string, sent bool) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return "", len(values) > 1
	}
	scheme, raw, _ := strings.Cut(values[0], " ")
	return strings.TrimLeft(raw, " "), strings.EqualFold(scheme, "Bearer")
}

func unauthorized(w http.ResponseWriter, challenge, description string) {
	w.Header().Set("WWW-Authenticate", challenge)
	writeError(w, http.StatusUnauthorized, codeInvalidToken, description)
}

func writeUserInfo(w http.ResponseWriter, a *login.Account) {
	body := userInfoBody{
		Subject: a.Subject, PreferredUsername: a.Username, Email: a.Email, Name: a.Name, Groups: a.Groups, Organization: a.Organization,
	}
	if a.Email != "" && a.Ref.User != "" {
		body.EmailVerified = &a.EmailVerified
	}
	writeJSON(w, http.StatusOK, body)
}
