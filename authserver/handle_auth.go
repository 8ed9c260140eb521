// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

const eventLoggedIn = logs.EventLoginSucceeded

// authEndpoint is one of a provider's endpoints.
type authEndpoint struct {
	method string
	handle func(*visit, *idp.Provider)
	plain  bool   // for programs: no page, no cookie
	span   string // its name, where it is traced
}

// authEndpoints are those below /auth/{provider}/, by the rest of the path.
var authEndpoints = map[string][]authEndpoint{
	"login/":             {{method: http.MethodGet, handle: (*visit).startAuth}},
	"login/callback/":    {{method: http.MethodGet, handle: (*visit).callback, span: spanCallback}},
	"logout/":            {{method: http.MethodGet, handle: (*visit).showProviderLogout}, {method: http.MethodPost, handle: (*visit).postProviderLogout}},
	"backchannel-logout": {{method: http.MethodPost, handle: (*visit).backChannelLogout, plain: true}},
}

// serveAuth answers below /auth/. A path without its final slash redirects to the one with it.
func (b *browsers) serveAuth(w http.ResponseWriter, r *http.Request, path string) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, pathAuth), "/")
	endpoints, ok := authEndpoints[rest]
	if !ok {
		if _, slashed := authEndpoints[rest+"/"]; slashed {
			b.page(func(v *visit) { v.addSlash(name, path) })(w, r)
			return
		}
		b.page((*visit).notFound)(w, r)
		return
	}
	var allowed []string
	for _, e := range endpoints {
		if e.method == r.Method || e.method == http.MethodGet && r.Method == http.MethodHead {
			b.serveEndpoint(w, r, name, &e)
			return
		}
		allowed = append(allowed, e.method)
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	leaveBody(w, r)
	writeError(w, http.StatusMethodNotAllowed, codeInvalidRequest, "use "+strings.Join(allowed, ", "))
}

func (b *browsers) serveEndpoint(w http.ResponseWriter, r *http.Request, name string, e *authEndpoint) {
	if r.ContentLength > maxBody {
		w.Header()["Connection"] = connectionClose
		writeError(w, http.StatusRequestEntityTooLarge, codeInvalidRequest, "the body is longer than 64 KiB")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	serve := func(v *visit) {
		p := v.site.providers.Get(name)
		if p == nil {
			v.notFound()
			return
		}
		e.handle(v, p)
	}
	if !e.plain {
		h := b.page(serve)
		if e.span != "" {
			h = b.traced(e.span, h)
		}
		h(w, r)
		return
	}
	if snap := b.snapshot(); snap == nil {
		writeNotReady(w)
	} else {
		serve(&visit{browsers: b, w: w, r: r, snap: snap, site: snap.site})
	}
}

// addSlash redirects to the path with its final slash. The path is one of ours: only a known provider's name is in it.
func (v *visit) addSlash(name, path string) {
	if v.site.providers.Get(name) == nil {
		v.notFound()
		return
	}
	to := v.site.origin + path + "/"
	if v.r.URL.RawQuery != "" {
		to += "?" + v.r.URL.RawQuery
	}
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusPermanentRedirect)
}

// redirectURI is where a provider sends browsers back.
func (s *site) redirectURI(p *idp.Provider) string {
	return s.origin + authPath(p.Config()) + "callback/"
}

// startAuth answers GET /auth/{provider}/login/: it sends the browser to the provider.
func (v *visit) startAuth(p *idp.Provider) {
	if v.paced(p) {
		return
	}
	want, err := v.readPurpose(v.query.Get)
	if err != nil {
		v.badRequest(err.Error())
		return
	}
	l := &session.Login{ReturnTo: want.returnTo, Handoff: want.handoff}
	if _, ok := v.site.places.Allowed(l.ReturnTo); !ok {
		l.ReturnTo = ""
	}
	cookies, err := v.site.logins.Begin(v.r.Header["Cookie"], p.Config().Object, l)
	if errors.Is(err, session.ErrLoginTooLong) {
		v.badRequest(err.Error())
		return
	}
	if err != nil {
		v.count(p, login.Unavailable)
		v.fault(err)
		return
	}
	ask := idp.Ask{State: l.State, Nonce: l.Nonce, RedirectURI: v.site.redirectURI(p)}
	if p.PKCE() {
		ask.Challenge = l.Challenge()
	}
	to, err := p.AuthorizationURL(v.r.Context(), ask)
	if err != nil {
		v.refuseAuth(p, err, &want)
		return
	}
	for _, c := range cookies {
		http.SetCookie(v.w, c)
	}
	v.redirect(to)
}

// renewer asks providers again for sessions.
type renewer struct {
	directory *directory.Directory
	snapshot  func() *snapshot
}

// Renew implements [session.Renewer].
func (n renewer) Renew(ctx context.Context, provider, owner string, u idp.Upstream) (idp.Upstream, error) {
	snap := n.snapshot()
	p := snap.site.provider(provider)
	if p == nil {
		return u, idp.ErrUnavailable // it may come back; meanwhile the session does not count
	}
	profile, err := p.Refresh(ctx, u)
	switch {
	case err != nil && profile != nil:
		return profile.Upstream, err // the refresh token has changed all the same
	case err != nil:
		return u, err
	}
	user, _, err := n.directory.Renew(ctx, snap.site.directory, p.Config(), loginOf(profile))
	switch {
	case errors.Is(err, directory.ErrUserDisabled), errors.Is(err, directory.ErrUserNotFound), err == nil && user.ID != owner:
		return u, idp.ErrEnded
	case err != nil:
		return profile.Upstream, nil //nolint:nilerr // the provider has said yes, and its new tokens must not be lost
	}
	return profile.Upstream, nil
}
