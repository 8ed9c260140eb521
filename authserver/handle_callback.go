// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// usesOfLogins is what the scope begins with in which it is remembered which logins at a provider were used. Each provider has
// one of its own: whoever fills it shuts no other.
const usesOfLogins = "login "

// Reasons in the log for logins that were not looked at.
const (
	reasonTempo   = "too_many_requests"  // of one network in a while
	reasonNetwork = "too_many_callbacks" // of one network at once
	reasonCrowded = "no_turn"            // too many of all networks at once
)

// paced answers 429 to a network that asks too often for the beginning or the end of logins. It tells whether it has.
func (v *visit) paced(p *idp.Provider) bool {
	wait := v.tempo.allow(login.Network(v.client()))
	if wait <= 0 {
		return false
	}
	v.postponeLogin(p, http.StatusTooManyRequests, reasonTempo, login.Locked, wait)
	return true
}

// turn waits until the provider may be asked, for as long as a person is patient. done is nil where the callback was refused: the
// browser keeps its cookie, so the same callback may be good in a moment.
func (v *visit) turn(p *idp.Provider) (done func()) {
	done, err := v.turns.take(v.r.Context(), p.Config().Object, login.Network(v.client()))
	switch {
	case err == nil:
		return done
	case errors.Is(err, errCrowdedNetwork):
		v.postponeLogin(p, http.StatusTooManyRequests, reasonNetwork, login.Busy, turnsRetryAfter)
	default: // errCrowded, or a browser that is gone
		v.postponeLogin(p, http.StatusServiceUnavailable, reasonCrowded, login.Busy, turnsRetryAfter)
	}
	return nil
}

// postponeLogin asks to come again later.
func (v *visit) postponeLogin(p *idp.Provider, status int, reason string, result login.Result, wait time.Duration) {
	v.count(p, result)
	v.tell(slog.LevelWarn, "a login at a provider was not looked at", slog.String("event", logs.EventLoginRefused),
		slog.String("provider", providerOf(p.Config().Object)), slog.String("reason", reason), v.network())
	setRetryAfter(v.w, wait)
	m, description := pages.ProblemModel{Reason: pages.ReasonUnavailable, Provider: p.Config().DisplayName}, "too many logins at this provider are under way; try again"
	if status == http.StatusTooManyRequests {
		m.Reason, description = pages.ReasonTooManyAttempts, "too many logins from this network; try again later"
	}
	v.problem(status, m, description)
}

// callback answers GET /auth/{provider}/login/callback/: the browser comes back. Nothing is asked of the provider before the browser
// has shown that it began this login here, that no one else has used it, and that the answer is this provider's.
func (v *visit) callback(p *idp.Provider) {
	if v.paced(p) {
		return
	}
	l, done, err := v.site.logins.Take(v.r.Header["Cookie"], p.Config().Object, v.query.Get("state"))
	if err != nil {
		v.loginExpired(p, "state")
		return
	}
	want := purpose{returnTo: l.ReturnTo, handoff: l.Handoff}
	if code := v.query.Get("error"); code != "" {
		// No code, so nothing that could be used twice: it is enough that the browser forgets the login.
		http.SetCookie(v.w, done)
		err := p.CheckIssuer(v.r.Context(), v.query.Get("iss"), v.query.Has("iss"))
		if err == nil {
			err = idp.AuthorizationError(code)
		}
		v.refuseAuth(p, err, &want)
		return
	}
	profile, err := v.redeem(p, l, done)
	switch {
	case err != nil:
		v.refuseAuth(p, err, &want)
	case profile != nil:
		v.arrive(p, profile, &want)
	}
}

// redeem makes sure that the login is used once, and turns the callback's code into a person. With neither profile nor error the
// request has been answered.
func (v *visit) redeem(p *idp.Provider, l *session.Login, done *http.Cookie) (*idp.Profile, error) {
	ctx := v.r.Context()
	end := v.turn(p)
	if end == nil {
		return nil, nil
	}
	defer end()
	switch err := v.uses.Use(ctx, usesOfLogins+providerOf(p.Config().Object), l.ID(), v.now(), l.Expires); {
	case errors.Is(err, store.ErrReused):
		http.SetCookie(v.w, done)
		v.loginExpired(p, "state_used")
		return nil, nil
	case err != nil:
		v.count(p, login.Unavailable)
		v.fault(err) // the cookie stays: the same callback may be good in a moment
		return nil, nil
	}
	http.SetCookie(v.w, done)
	answer := idp.Answer{
		Code: v.query.Get("code"), Nonce: l.Nonce, RedirectURI: v.site.redirectURI(p), Issuer: v.query.Get("iss"), HasIssuer: v.query.Has("iss"),
	}
	if p.PKCE() {
		answer.Verifier = l.Verifier
	}
	return p.Exchange(ctx, answer)
}

// arrive begins the session of somebody whom a provider has described.
func (v *visit) arrive(p *idp.Provider, profile *idp.Profile, want *purpose) {
	ctx := v.r.Context()
	user, _, err := v.directory.For(login.Network(v.client()).String()).Provision(ctx, v.site.directory, p.Config(), loginOf(profile))
	if err != nil {
		v.refuseAuth(p, err, want)
		return
	}
	account := login.AccountOf(user, p.Config())
	v.count(p, login.Succeeded)
	v.succeeded(ctx, account)
	v.begin(account, want, v.beginOf(profile))
}

// loginOf is what the directory learns of a profile.
func loginOf(p *idp.Profile) directory.Login {
	return directory.Login{
		Issuer: p.Issuer, Subject: p.Subject, Username: p.Username, Email: p.Email, EmailVerified: p.EmailVerified, EmailDenied: p.EmailDenied,
		Name: p.Name, Phone: p.Phone, Comment: p.Comment, Groups: p.Groups, Partial: p.Partial,
	}
}
