// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"log/slog"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/gatehouse-auth/gatehouse/authserver/clientaddr"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
)

// loginHandler serves POST /api/v1/login: an e-mail address and a password as JSON, for tokens.
type loginHandler struct {
	service *login.Service
	// snapshot returns what logins are decided by now; nil before the first configuration.
	snapshot func() *login.Snapshot
	log      *slog.Logger
}

type loginBody struct {
	Email    *string `json:"email"`
	Password *string `json:"password"`
}

func (h *loginHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	snap := h.snapshot()
	switch {
	case snap == nil:
		writeNotReady(w)
		return
	case !snap.PasswordLogin():
		writeGrantError(r.Context(), w, h.log, login.ErrDisabled)
		return
	}
	body, ok := readBody(w, r, "application/json")
	if !ok {
		return
	}
	credentials, ok := parseLogin(body)
	if !ok {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, `the body must be a JSON object with the strings "email" and "password", and nothing else`)
		return
	}
	credentials.Client, credentials.Forwarded = clientaddr.From(r, snap.TrustedProxies()), clientaddr.Ignored(r, snap.TrustedProxies())
	grant, err := h.service.Login(r.Context(), snap, credentials)
	if err != nil {
		writeGrantError(r.Context(), w, h.log, err)
		return
	}
	writeGrant(w, grant)
}

// parseLogin is strict: exact names, each once and not empty, valid UTF-8, nothing else and nothing after it.
func parseLogin(body []byte) (login.Credentials, bool) {
	var b loginBody
	err := json.Unmarshal(body, &b, json.RejectUnknownMembers(true))
	if err != nil || b.Email == nil || b.Password == nil || *b.Email == "" || *b.Password == "" {
		return login.Credentials{}, false
	}
	return login.Credentials{Email: *b.Email, Password: *b.Password}, true
}
