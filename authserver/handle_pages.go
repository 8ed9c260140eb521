// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/clientaddr"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// Paths of the pages.
const (
	pathLogin   = "/login"
	pathLogout  = "/logout"
	pathAccount = "/account"
	pathAuth    = "/auth/"
)

// storePatience is when to come again while the store is away.
const storePatience = 5 * time.Second

// browsers serves what people meet: logins, sessions, pages. Its handlers are in handle_session.go, handle_auth.go, handle_callback.go,
// handle_logout.go, handle_backchannel.go and handle_account.go.
type browsers struct {
	service   *login.Service
	sessions  *session.Manager
	directory *directory.Directory
	uses      store.Uses
	snapshot  func() *snapshot
	now       func() time.Time
	log       *slog.Logger
	// refusals limits what is logged of refused visits, tempo and turns who may log in at a provider when.
	refusals *refusalLog
	tempo    *tempo
	turns    *turns
	// loggedIn counts logins at providers by type and result; traced makes spans.
	loggedIn func(providerType string, result login.Result)
	traced   func(name string, h http.HandlerFunc) http.HandlerFunc
}

// visit is one request of a browser and what it is answered by.
type visit struct {
	*browsers
	w    http.ResponseWriter
	r    *http.Request
	snap *snapshot
	site *site
	// query are the parameters of the URL, each there once.
	query url.Values
	// value is that of the session cookie, "" if the browser has none that can be looked up.
	value string
}

// add puts the pages that have a path of their own into the table.
func (b *browsers) add(t routes) {
	t.add(http.MethodGet, pathLogin, b.page((*visit).showLogin))
	t.add(http.MethodPost, pathLogin, b.traced(spanLogin, b.page((*visit).postLogin)))
	t.add(http.MethodGet, pathLogout, b.page((*visit).showLogout))
	t.add(http.MethodPost, pathLogout, b.page((*visit).postLogout))
	t.add(http.MethodGet, pathAccount, b.page((*visit).showAccount))
	t.add(http.MethodPost, pathAccount, b.page((*visit).postAccount))
}

// page makes a handler of one that answers visits: it owns what all pages share.
func (b *browsers) page(handle func(*visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		snap := b.snapshot()
		if snap == nil {
			writeNotReady(w)
			return
		}
		v := &visit{browsers: b, w: w, r: r, snap: snap, site: snap.site}
		w.Header()["Cache-Control"] = noStore
		switch {
		case !v.site.store:
			v.problem(http.StatusNotFound, pages.ProblemModel{Reason: pages.ReasonNotFound, Final: true}, "this server only verifies tokens (store.type None): nobody can log in")
			return
		case !v.site.cookies.Pages():
			v.problem(http.StatusBadRequest, pages.ProblemModel{Reason: pages.ReasonHTTPSRequired}, "logging in with a browser needs an https externalURL, or http on a loopback host")
			return
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			leaveBody(w, r)
		}
		var err error
		if v.query, err = url.ParseQuery(r.URL.RawQuery); err != nil || repeats(v.query) {
			v.badRequest("a parameter of the URL is there twice, or cannot be read")
			return
		}
		if v.value, err = v.site.cookies.Read(r.Header["Cookie"]); errors.Is(err, session.ErrTwice) {
			v.badRequest("the session cookie was sent twice: remove the cookies of this host in the browser")
			return
		}
		handle(v)
	}
}

func repeats(values url.Values) bool {
	for _, given := range values {
		if len(given) > 1 {
			return true
		}
	}
	return false
}

// client is the address that the request comes from.
func (v *visit) client() netip.Addr { return clientaddr.From(v.r, v.snap.login.TrustedProxies()) }

// clientText is the address that a request comes from, for logs; "" if its connection has none.
func clientText(r *http.Request, snap *snapshot) string {
	if client := clientaddr.From(r, snap.login.TrustedProxies()); client.IsValid() {
		return client.String()
	}
	return ""
}

// network is what of it is logged.
func (v *visit) network() slog.Attr {
	return slog.String("client", login.Network(v.client()).String())
}

// device is how people tell their browsers apart.
func (v *visit) device() string {
	name := pages.ClientName(v.r.UserAgent())
	if client := clientText(v.r, v.snap); client != "" {
		name += ", " + client
	}
	return name
}

// form reads the form of a POST, and makes sure that a page of ours posted it: by its origin, and by the token for that purpose.
// known is false for a form that is not ours or too old; everything else that is wrong has been answered, and fields is nil.
func (v *visit) form(purpose string) (fields map[string]string, known bool) {
	body, ok := readBody(v.w, v.r, "application/x-www-form-urlencoded")
	if !ok {
		return nil, false
	}
	fields, err := parseForm(string(body), "")
	if err != nil {
		v.badRequest("a field of the form is there twice, or cannot be read")
		return nil, false
	}
	known = v.site.places.SameOrigin(v.r.Header) && v.site.forms.Check(v.r.Header["Cookie"], purpose, v.bound(purpose), fields[pages.FieldCSRF])
	return fields, known
}

// bound is the session that a form is bound to: none for a login, which another tab may have been faster with.
func (v *visit) bound(purpose string) string {
	if purpose == purposeLogin {
		return ""
	}
	return v.value
}

// token is what a form for that purpose carries. It sets the cookie that goes with it.
func (v *visit) token(purpose string) (string, bool) {
	token, cookie, err := v.site.forms.Token(v.r.Header["Cookie"], purpose, v.bound(purpose))
	if err != nil {
		v.fault(err)
		return "", false
	}
	if cookie != nil {
		http.SetCookie(v.w, cookie)
	}
	return token, true
}

// account returns whose session the browser has; nil if it has none.
func (v *visit) account() (*login.Account, *store.Session, error) {
	if v.value == "" {
		return nil, nil, nil
	}
	account, s, err := v.sessions.Account(v.r.Context(), v.snap.login, v.value)
	if errors.Is(err, session.ErrNoSession) {
		return nil, nil, nil
	}
	return account, s, err
}

// ofRequest returns the account of a browser's session; nil where it has none.
func (b *browsers) ofRequest(r *http.Request) (*login.Account, error) {
	snap := b.snapshot()
	if snap == nil || !snap.site.open() {
		return nil, nil
	}
	value, err := snap.site.cookies.Read(r.Header["Cookie"])
	if err != nil {
		return nil, nil //nolint:nilerr // no cookie, or none that is a session's
	}
	account, _, err := b.sessions.Account(r.Context(), snap.login, value)
	if errors.Is(err, session.ErrNoSession) {
		return nil, nil
	}
	return account, err
}

// asset serves what pages are made of.
func (b *browsers) asset(w http.ResponseWriter, r *http.Request) {
	snap := b.snapshot()
	switch {
	case snap == nil:
		writeNotReady(w)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		writeError(w, http.StatusMethodNotAllowed, codeInvalidRequest, "use GET, HEAD")
	default:
		leaveBody(w, r)
		snap.site.pages.Asset(w, r)
	}
}

// buttons are the ways to the providers of the login page, each with what the login is for.
func (v *visit) buttons(forward string) (list []pages.Button) {
	for _, p := range v.site.providers.All() {
		if c := p.Config(); c.OnLoginPage {
			list = append(list, pages.Button{Name: c.DisplayName, URL: authPath(c) + forward, Icon: c.Icon})
		}
	}
	return list
}

// authPath is where a login at a provider begins.
func authPath(c *config.Provider) string { return pathAuth + c.Name + "/login/" }

// displayName is what people call the provider of "namespace/name", of any type; "" if there is none.
func (v *visit) displayName(provider string) string {
	if p := v.snap.login.Provider(provider); p != nil {
		return p.DisplayName
	}
	return ""
}
