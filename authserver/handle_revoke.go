// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"log/slog"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
)

// revokeHandler serves POST /oauth2/revoke (RFC 7009): a refresh token, used or not, takes its family with it. The browser's
// session that it began with goes on: signing out is another endpoint's. Access tokens live until they expire; they, and
// texts that are no tokens, are answered as revoked (§2.2). token_type_hint is not needed to tell them apart.
type revokeHandler struct {
	service  *login.Service
	snapshot func() *login.Snapshot
	log      *slog.Logger
}

func (h *revokeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	snap, parameters, ok := readGrantForm(w, r, h.snapshot(), h.log)
	if !ok {
		return
	}
	if parameters["token"] == "" {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, "the parameter token is missing")
		return
	}
	if err := h.service.Revoke(r.Context(), snap, parameters["token"]); err != nil {
		writeGrantError(r.Context(), w, h.log, err)
		return
	}
	w.Header()["Cache-Control"] = noStore
	w.WriteHeader(http.StatusOK)
}
