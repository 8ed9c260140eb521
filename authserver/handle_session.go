// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/clientaddr"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/password"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// Parameters of /login, and the purpose of its form.
const (
	paramReturnTo    = "return_to"
	paramRedirectURI = "redirect_uri"
	paramState       = "state"
	paramChallenge   = "code_challenge"
	paramMethod      = "code_challenge_method"

	purposeLogin = "login"
	// stateLoggedOut comes back from a provider's logout (OpenID Connect RP-Initiated Logout 1.0 §3).
	stateLoggedOut = "logged-out"
)

// maxHandoff bounds redirect_uri and state of a handoff, in bytes together: they have to fit into a cookie.
const maxHandoff = 1024

// errHandoff says that a request for a code has parameters that do not go together.
var errHandoff = errors.New("a handoff takes redirect_uri, state, code_challenge and code_challenge_method, at most 1 KiB of them, and no return_to")

// errHandoffState says that a state could not come back as it was sent.
var errHandoffState = errors.New("state of a handoff has to be of printable ASCII characters (RFC 6749 appendix A.5): encode it, for example as base64url")

// purpose is what somebody logs in for.
type purpose struct {
	// returnTo is as sent; it is judged where it counts.
	returnTo string
	handoff  *session.Handoff
}

// readPurpose reads parameters. Whether a redirect_uri is one of the configuration's is judged before anything else of them.
func (v *visit) readPurpose(get func(name string) string) (p purpose, err error) {
	uri := get(paramRedirectURI)
	if uri == "" {
		return purpose{returnTo: get(paramReturnTo)}, nil
	}
	h := &session.Handoff{RedirectURI: uri, State: get(paramState), Challenge: get(paramChallenge)}
	if err := v.snap.login.CheckHandoff(login.Handoff{RedirectURI: uri, Challenge: h.Challenge, Method: get(paramMethod)}); err != nil {
		return purpose{}, err
	}
	if get(paramReturnTo) != "" || len(h.RedirectURI)+len(h.State) > maxHandoff {
		return purpose{}, errHandoff
	}
	for i := range len(h.State) {
		if h.State[i] < ' ' || h.State[i] > '~' {
			return purpose{}, errHandoffState
		}
	}
	return purpose{handoff: h}, nil
}

// fields hold the purpose in a form.
func (p *purpose) fields() []pages.Field {
	switch {
	case p.handoff != nil:
		return []pages.Field{
			{Name: paramRedirectURI, Value: p.handoff.RedirectURI}, {Name: paramState, Value: p.handoff.State},
			{Name: paramChallenge, Value: p.handoff.Challenge}, {Name: paramMethod, Value: login.ChallengeMethod},
		}
	case p.returnTo != "":
		return []pages.Field{{Name: paramReturnTo, Value: p.returnTo}}
	}
	return nil
}

// query holds it in a URL; with its question mark, or "".
func (p *purpose) query() string {
	values := url.Values{}
	for _, f := range p.fields() {
		values.Set(f.Name, f.Value)
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// showLogin answers GET /login.
func (v *visit) showLogin() {
	p, err := v.readPurpose(v.query.Get)
	if err != nil {
		v.badRequest(err.Error())
		return
	}
	m := pages.LoginModel{LoggedOut: p.handoff == nil && v.query.Get(paramState) == stateLoggedOut}
	if p.handoff == nil {
		v.offerToGoOn(&p, &m)
	}
	// Who is logged in gets a code without a click; but only by going here, not by a frame or an image of another page.
	if p.handoff != nil && session.Navigated(v.r.Header) {
		account, s, err := v.account()
		if err != nil {
			v.fault(err)
			return
		}
		if account != nil {
			v.handOff(account, p.handoff, login.Issue{Session: s.Key}, v.value)
			return
		}
	}
	v.loginPage(http.StatusOK, &p, m, "")
}

// offerToGoOn tells who is logged in already, and shows the way on: a link, as a redirect could come straight back from an
// application that does not let this person in. The form stays, for logging in as somebody else.
func (v *visit) offerToGoOn(p *purpose, m *pages.LoginModel) {
	account, _, err := v.account()
	if err != nil || account == nil { // a store that is away shows when somebody logs in
		return
	}
	m.Current, m.ContinueURL = cmp.Or(account.Username, account.Email), v.site.places.ReturnTo(p.returnTo)
}

// loginPage shows the login page, with what m says beside buttons and form.
func (v *visit) loginPage(status int, p *purpose, m pages.LoginModel, email string) {
	token, ok := v.token(purposeLogin)
	if !ok {
		return
	}
	m.Providers = v.buttons(p.query())
	if v.snap.login.PasswordLogin() {
		m.Password = &pages.PasswordForm{Action: pathLogin, Email: email, Hidden: p.fields(), CSRF: token}
	}
	v.site.pages.Login(v.w, v.r, status, m)
}

// postLogin answers POST /login: the form with e-mail address and password.
func (v *visit) postLogin() {
	fields, known := v.form(purposeLogin)
	if fields == nil {
		return
	}
	p, err := v.readPurpose(func(name string) string { return fields[name] })
	if err != nil {
		v.badRequest(err.Error())
		return
	}
	email := fields[pages.FieldEmail]
	if !known {
		v.loginPage(http.StatusForbidden, &p, pages.LoginModel{Problem: pages.ReasonFormExpired, OfForm: true}, email)
		return
	}
	account, err := v.service.Authenticate(v.r.Context(), v.snap.login, login.Credentials{
		Email: email, Password: fields[pages.FieldPassword], Client: v.client(), Forwarded: clientaddr.Ignored(v.r, v.snap.login.TrustedProxies()),
	})
	if err != nil {
		v.refuseLogin(err, &p, email)
		return
	}
	v.begin(account, &p, session.Begin{Client: v.device()})
}

// refuseLogin shows the login page with what is wrong, in words.
func (v *visit) refuseLogin(err error, p *purpose, email string) {
	var locked *login.LockedError
	status, problem := http.StatusServiceUnavailable, pages.ReasonUnavailable
	switch {
	case errors.Is(err, login.ErrDisabled):
		v.notFound()
		return
	case errors.Is(err, login.ErrInvalidCredentials):
		v.w.Header().Set("WWW-Authenticate", challengeForm) // RFC 9110 §15.5.2
		status, problem = http.StatusUnauthorized, pages.ReasonInvalidCredentials
	case errors.As(err, &locked):
		setRetryAfter(v.w, locked.RetryAfter)
		status, problem = http.StatusTooManyRequests, pages.ReasonTooManyAttempts
	case errors.Is(err, password.ErrBusy):
		setRetryAfter(v.w, time.Second)
	default:
		v.tell(slog.LevelError, "a login could not be looked at", slog.Any("error", err))
		setRetryAfter(v.w, storePatience)
	}
	v.loginPage(status, p, pages.LoginModel{Problem: problem, OfForm: true}, email)
}

// challengeForm is a scheme that no browser asks people about by itself.
const challengeForm = `Bearer realm="gatehouse"`

// begin ends the browser's session of before, begins one for the account and sends the browser to where the login was for.
func (v *visit) begin(a *login.Account, p *purpose, b session.Begin) {
	ctx := v.r.Context()
	value, s, err := v.sessions.Begin(ctx, v.snap.login, a, b)
	if err != nil {
		v.fault(err)
		return
	}
	if v.value != "" { // only now: a login that fails leaves the one before
		if err := v.sessions.End(ctx, session.Key(v.value)); err != nil {
			v.log.WarnContext(ctx, "the session of before could not be ended", "user", a.Subject, "error", err)
		}
	}
	http.SetCookie(v.w, v.site.cookies.Session(value))
	if p.handoff == nil {
		v.lead(v.site.places.ReturnTo(p.returnTo))
		return
	}
	v.handOff(a, p.handoff, login.Issue{Session: s.Key}, value)
}

// handOff makes a code for the application that waits for one, and sends the browser there with it.
func (v *visit) handOff(a *login.Account, h *session.Handoff, i login.Issue, value string) {
	key, err := v.upstreamKey(value)
	if err != nil {
		v.fault(err)
		return
	}
	i.Upstream = key
	code, err := v.service.NewCode(v.r.Context(), v.snap.login, a, login.Handoff{RedirectURI: h.RedirectURI, Challenge: h.Challenge, Method: login.ChallengeMethod, Issue: i})
	switch {
	case errors.Is(err, login.ErrRedirectURI), errors.Is(err, login.ErrChallenge): // the configuration has changed meanwhile
		v.badRequest(err.Error())
		return
	case err != nil:
		v.fault(err)
		return
	}
	to, err := url.Parse(h.RedirectURI)
	if err != nil {
		v.badRequest("redirect_uri is not a URL")
		return
	}
	query := to.Query()
	query.Set("code", code)
	query.Set("iss", v.snap.login.Issuer()) // RFC 9207
	if h.State != "" {
		query.Set("state", h.State)
	}
	to.RawQuery = query.Encode()
	v.lead(to.String())
}

// upstreamKey opens what the session keeps of its provider, for refreshes of the application; nil where it keeps nothing.
func (v *visit) upstreamKey(value string) ([]byte, error) {
	upstream, err := v.sessions.Upstream(v.r.Context(), value)
	if err != nil || upstream.Zero() {
		return nil, err
	}
	return session.UpstreamKey(value)
}

// succeeded tells of a login at a provider.
func (v *visit) succeeded(ctx context.Context, a *login.Account) {
	v.log.LogAttrs(ctx, slog.LevelInfo, "logged in", slog.String("event", eventLoggedIn), slog.String("user", a.Subject), slog.String("provider", a.Provider), v.network())
}

// beginOf is what a session remembers of a login at a provider.
func (v *visit) beginOf(p *idp.Profile) session.Begin {
	return session.Begin{Upstream: p.Upstream, UpstreamSession: p.SessionHash, UpstreamSubject: p.SubjectHash, Client: v.device()}
}
