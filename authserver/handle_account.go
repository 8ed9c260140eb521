// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

const (
	// purposeSession is that of the forms of who is logged in: those of /account and of logouts.
	purposeSession = "session"
	// paramEnded says after the redirect how many sessions were ended.
	paramEnded = "ended"
)

// showAccount answers GET /account: who am I, and where am I logged in.
func (v *visit) showAccount() {
	account, s, err := v.account()
	switch {
	case err != nil:
		v.fault(err)
	case account == nil:
		v.redirect(v.site.origin + pathLogin + "?" + paramReturnTo + "=" + url.QueryEscape(pathAccount))
	default:
		v.accountPage(http.StatusOK, account, s, "")
	}
}

func (v *visit) accountPage(status int, a *login.Account, current *store.Session, problem string) {
	list, err := v.sessions.List(v.r.Context(), a.Subject)
	if err != nil {
		v.fault(err)
		return
	}
	m := pages.AccountModel{
		Name: a.Name, Username: a.Username, Email: a.Email, Organization: a.Organization, Groups: a.Groups, Provider: v.displayName(a.Provider),
		Now: v.now(), Action: pathAccount, LogoutAction: pathLogout, Problem: problem,
	}
	if n, err := strconv.Atoi(v.query.Get(paramEnded)); err == nil && n > 0 && n <= session.MaxSessions {
		m.Ended = n
	}
	for i := range list {
		m.Sessions = append(m.Sessions, pages.Session{
			ID: session.ID(list[i].Key), Client: list[i].Client, Current: list[i].Key == current.Key, Begun: list[i].CreatedAt, SeenAt: list[i].SeenAt,
		})
	}
	var ok bool
	if m.CSRF, ok = v.token(purposeSession); !ok {
		return
	}
	v.site.pages.Account(v.w, v.r, status, m)
}

// postAccount answers POST /account: it ends one of the person's sessions, or all but this browser's.
func (v *visit) postAccount() {
	fields, known := v.form(purposeSession)
	if fields == nil {
		return
	}
	account, s, err := v.account()
	switch {
	case err != nil:
		v.fault(err)
		return
	case account == nil:
		v.redirect(v.site.origin + pathLogin + "?" + paramReturnTo + "=" + url.QueryEscape(pathAccount))
		return
	case !known:
		v.accountPage(http.StatusForbidden, account, s, pages.ReasonFormExpired)
		return
	}
	id, others := fields[pages.FieldSession], false
	switch fields[pages.FieldAction] {
	case pages.ActionEnd:
	case pages.ActionEndOthers:
		id, others = session.ID(s.Key), true
	default:
		v.badRequest("the form's action is not known")
		return
	}
	ended, err := v.sessions.EndByID(v.r.Context(), account.Subject, id, others)
	if err != nil {
		v.fault(err)
		return
	}
	v.log.LogAttrs(v.r.Context(), slog.LevelInfo, "sessions ended by their owner", slog.String("event", logs.EventSessionRevoked),
		slog.String("user", account.Subject), slog.String("provider", account.Provider), slog.String("reason", "at /account"), slog.Int("ended", ended), v.network())
	if !others && id == session.ID(s.Key) {
		http.SetCookie(v.w, v.site.cookies.NoSession())
		v.redirect(v.site.origin + pathLogin)
		return
	}
	v.redirect(v.site.origin + pathAccount + "?" + paramEnded + "=" + strconv.Itoa(ended))
}
