// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"log/slog"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// showLogout answers GET /logout.
func (v *visit) showLogout() { v.askLogout(pathLogout, nil) }

// postLogout answers POST /logout.
func (v *visit) postLogout() { v.confirmLogout(pathLogout, nil) }

// showProviderLogout answers GET /auth/{provider}/logout/.
func (v *visit) showProviderLogout(p *idp.Provider) { v.askLogout(logoutPath(p), p) }

// postProviderLogout answers POST /auth/{provider}/logout/.
func (v *visit) postProviderLogout(p *idp.Provider) { v.confirmLogout(logoutPath(p), p) }

func logoutPath(p *idp.Provider) string { return pathAuth + p.Config().Name + "/logout/" }

// askLogout logs out at once who comes from a page of this origin. Any other page could have sent the browser here, so then the person
// is asked.
func (v *visit) askLogout(action string, p *idp.Provider) {
	if v.r.Method == http.MethodGet && session.OwnNavigation(v.r.Header) {
		v.logout(p)
		return
	}
	v.questionLogout(action, p)
}

func (v *visit) questionLogout(action string, p *idp.Provider) {
	_, s, err := v.account()
	if err != nil {
		v.fault(err)
		return
	}
	if s == nil { // whatever the provider still knows of the person, nobody is logged in here
		v.site.pages.LoggedOut(v.w, v.r, pages.LoggedOutModel{})
		return
	}
	m := pages.ConfirmLogoutModel{Action: action}
	if p == nil {
		p = v.site.provider(s.Provider)
	}
	if p != nil && p.Config().SyncLogout {
		m.Provider = p.Config().DisplayName
	}
	var ok bool
	if m.CSRF, ok = v.token(purposeSession); !ok {
		return
	}
	v.site.pages.ConfirmLogout(v.w, v.r, m)
}

// confirmLogout logs out who has pressed the button; of a form that is not ours, or too old, the person is asked again.
func (v *visit) confirmLogout(action string, p *idp.Provider) {
	fields, known := v.form(purposeSession)
	switch {
	case fields == nil:
	case known:
		v.logout(p)
	case !v.site.places.SameOrigin(v.r.Header):
		v.problem(http.StatusForbidden, pages.ProblemModel{Reason: pages.ReasonFormExpired, RetryURL: action}, "the form was posted by another site")
	default:
		v.questionLogout(action, p)
	}
}

// logout ends the browser's session, with the refresh tokens that began with it, and goes on to the provider's logout where
// syncLogout is set: that of p or, where p is nil, of the provider that the session came through.
func (v *visit) logout(p *idp.Provider) {
	ctx := v.r.Context()
	var upstream idp.Upstream
	if v.value != "" {
		_, s, err := v.account()
		if err == nil && s != nil {
			if came := v.site.provider(s.Provider); p == nil || came == p {
				p = came
				upstream, err = v.sessions.Upstream(ctx, v.value)
			}
		}
		if err == nil {
			err = v.sessions.End(ctx, session.Key(v.value))
		}
		if err != nil { // the cookie stays, so that it can be tried again
			v.fault(err)
			return
		}
		if s != nil {
			v.log.LogAttrs(ctx, slog.LevelInfo, "logged out", slog.String("event", logs.EventLogout), slog.String("user", s.Owner), slog.String("provider", s.Provider), v.network())
		}
	}
	http.SetCookie(v.w, v.site.cookies.NoSession())
	m := pages.LoggedOutModel{}
	if p != nil {
		if to, ok := p.LogoutURL(ctx, upstream, v.site.origin+pathLogin, stateLoggedOut); ok {
			m.Provider, m.ProviderURL = p.Config().DisplayName, to
		}
	}
	if m.ProviderURL != "" && v.r.Method != http.MethodPost {
		v.redirect(m.ProviderURL)
		return
	}
	v.site.pages.LoggedOut(v.w, v.r, m)
}
