// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// usesOfLogout is what the scope begins with in which it is remembered which of a provider's logout tokens were used.
const usesOfLogout = "logout "

// backChannelLogout answers POST /auth/{provider}/backchannel-logout (OpenID Connect Back-Channel Logout 1.0 §2.5): a provider
// says that somebody has logged out there. Its sessions end, with the refresh tokens that began with them. 400 for a token that is
// not good, 503 where it could not be done: the provider may send it again, which a token that is noted only once its sessions have
// ended allows.
func (v *visit) backChannelLogout(p *idp.Provider) {
	v.w.Header()["Cache-Control"] = noStore
	if !v.site.store {
		writeError(v.w, http.StatusNotFound, codeNotFound, "this server has no sessions (store.type None)")
		return
	}
	fields, ok := readForm(v.w, v.r)
	if !ok {
		return
	}
	token := fields["logout_token"]
	if token == "" {
		writeError(v.w, http.StatusBadRequest, codeInvalidRequest, "the parameter logout_token is missing")
		return
	}
	ctx, provider := v.r.Context(), providerOf(p.Config().Object)
	request, err := p.BackChannelLogout(ctx, token)
	switch {
	case errors.Is(err, idp.ErrUnavailable):
		v.postpone(err)
		return
	case err != nil:
		v.refuseBackChannel(provider, err)
		return
	}
	ended, err := v.endOnce(ctx, provider, &request)
	switch {
	case errors.Is(err, store.ErrReused):
		v.refuseBackChannel(provider, errors.New("the logout token was used before"))
		return
	case err != nil:
		v.postpone(err)
		return
	}
	v.log.LogAttrs(ctx, slog.LevelInfo, "a provider logged somebody out", slog.String("event", logs.EventLogout), slog.String("provider", provider), slog.Int("ended", ended), v.network())
	v.w.WriteHeader(http.StatusOK)
}

// endOnce ends the sessions that a logout token names, and then notes that it was used: ErrReused if it was before. The same token
// twice at the same time ends the same sessions, which is no harm.
func (v *visit) endOnce(ctx context.Context, provider string, request *idp.Logout) (ended int, err error) {
	scope := usesOfLogout + provider
	used, err := v.uses.Used(ctx, scope, request.ID, v.now())
	switch {
	case err != nil:
		return 0, err
	case used:
		return 0, store.ErrReused
	}
	if ended, err = v.sessions.EndUpstream(ctx, provider, request.Session, request.Subject); err != nil {
		return 0, err
	}
	err = v.uses.Use(ctx, scope, request.ID, v.now(), request.Expiry)
	if errors.Is(err, store.ErrReused) {
		err = nil // by a request beside this one
	}
	return ended, err
}

func (v *visit) refuseBackChannel(provider string, err error) {
	v.tell(slog.LevelInfo, "a provider's logout was refused", slog.String("event", logs.EventLoginRefused),
		slog.String("provider", provider), slog.String("reason", idp.ReasonLogoutToken), slog.String("detail", err.Error()), v.network())
	writeError(v.w, http.StatusBadRequest, codeInvalidRequest, "the logout token is not accepted")
}

func (v *visit) postpone(err error) {
	v.tell(slog.LevelError, "a provider's logout could not be followed", slog.Any("error", err))
	setRetryAfter(v.w, storePatience)
	writeError(v.w, http.StatusServiceUnavailable, codeUnavailable, "the server cannot do this at the moment; try again")
}
