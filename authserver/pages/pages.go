// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

//go:embed templates/*.html
var templateFiles embed.FS

// defaultTitle stands where the configuration gives none.
const defaultTitle = "Gatehouse"

// Site is what all pages of one configuration share.
type Site struct {
	// Title of the pages; empty: Gatehouse.
	Title string
	// Logo above the pages; nil: our own mark.
	Logo *config.Image
	// Icons are those of all providers; nil entries count for nothing. An image that is not among them is not shown.
	Icons []*config.Image
}

// Pages renders the pages of one configuration. It is immutable.
type Pages struct {
	title     string
	logo      string
	ownMark   bool
	policy    string
	assets    *assets
	languages *languages
}

// New prepares the pages. An image of another media type than PNG, JPEG and WebP, or at another URL than https, is left out.
func New(s Site) *Pages {
	images := append([]*config.Image{s.Logo}, s.Icons...)
	p := &Pages{title: s.Title, policy: contentPolicy(images), assets: newAssets(images), languages: builtIn()}
	if p.title == "" {
		p.title = defaultTitle
	}
	if p.logo = p.assets.url(s.Logo); p.logo == "" {
		p.logo, p.ownMark = p.assets.mark, true
	}
	return p
}

// Asset answers GET and HEAD below [AssetPath]: stylesheet, logo and icons.
func (p *Pages) Asset(w http.ResponseWriter, r *http.Request) { p.assets.serve(w, r) }

// Login shows the login page: 200, 401 or 403 with a Problem, 429 and 503 with a Retry-After that the caller has set, which is told in words.
func (p *Pages) Login(w http.ResponseWriter, r *http.Request, status int, m LoginModel) {
	p.write(w, r, status, "login.html", "login.title", m)
}

// Continue leads on to m.URL by itself after a form was posted.
func (p *Pages) Continue(w http.ResponseWriter, r *http.Request, m ContinueModel) {
	if !p.leadTo(w, r, m.URL) {
		return
	}
	p.write(w, r, http.StatusOK, "continue.html", "continue.title", m)
}

// ConfirmLogout asks whether to log out.
func (p *Pages) ConfirmLogout(w http.ResponseWriter, r *http.Request, m ConfirmLogoutModel) {
	if m.Cancel == "" {
		m.Cancel = "/account"
	}
	p.write(w, r, http.StatusOK, "confirm_logout.html", "logout.title", m)
}

// LoggedOut tells that this browser is logged out, and leads on to the provider's logout where there is one.
func (p *Pages) LoggedOut(w http.ResponseWriter, r *http.Request, m LoggedOutModel) {
	if m.LoginURL == "" {
		m.LoginURL = "/login"
	}
	if m.ProviderURL != "" && !p.leadTo(w, r, m.ProviderURL) {
		return
	}
	p.write(w, r, http.StatusOK, "logged_out.html", "logged_out.title", m)
}

// Account shows who one is, and one's sessions.
func (p *Pages) Account(w http.ResponseWriter, r *http.Request, status int, m AccountModel) {
	m.Sessions = slices.Clone(m.Sessions)
	slices.SortStableFunc(m.Sessions, func(a, b Session) int {
		switch {
		case a.Current == b.Current:
			return 0
		case a.Current:
			return -1
		default:
			return 1
		}
	})
	p.write(w, r, status, "account.html", "account.title", m)
}

// Problem shows why the person does not get on, in words, and a way on.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, status int, m ProblemModel) {
	if m.RetryURL == "" {
		m.RetryURL = "/login"
	}
	m.Final = m.Final || m.Reason == ReasonHTTPSRequired // which every page of this server would say again
	title := "problem." + m.Reason + ".title"
	if english := p.languages.all[0]; !english.has(title) {
		m.Reason = statusReason(status)
		title = "problem." + m.Reason + ".title"
	}
	p.write(w, r, status, "problem.html", title, m)
}

// leadTo makes the browser go to a URL after the answer, without a redirect (see doc.go). The whole of the header's value after "url=" is the URL (HTML
// Standard, shared declarative refresh steps).
func (p *Pages) leadTo(w http.ResponseWriter, r *http.Request, target string) bool {
	u, err := url.Parse(target)
	if err != nil || !leadsOn(u) {
		p.Problem(w, r, http.StatusInternalServerError, ProblemModel{Reason: ReasonServerError})
		return false
	}
	w.Header().Set("Refresh", "0; url="+u.String())
	return true
}

// leadsOn tells whether a page may send the browser there: never to a script or a local document.
func leadsOn(u *url.URL) bool {
	switch {
	case u.Scheme == "https" || u.Scheme == "http":
		return u.Host != ""
	default:
		return strings.Contains(u.Scheme, ".")
	}
}

// view is what a template gets.
type view struct {
	*Language
	Site, Logo, Stylesheet, Favicon string
	OwnMark                         bool
	PageTitle                       string
	// RetryAfter is the header that the caller has set, in seconds; 0 for none.
	RetryAfter int
	M          any
	assets     *assets
}

func (p *Pages) write(w http.ResponseWriter, r *http.Request, status int, name, title string, model any) {
	l := p.languages.match(r.Header.Get("Accept-Language"))
	h := w.Header()
	after, _ := strconv.Atoi(h.Get("Retry-After"))
	v := &view{
		Language: l, Site: p.title, Logo: p.logo, OwnMark: p.ownMark, Stylesheet: p.assets.stylesheet, Favicon: p.assets.mark,
		PageTitle: l.T(title), RetryAfter: after, M: model, assets: p.assets,
	}
	if !p.ownMark {
		v.Favicon = p.logo
	}
	var page bytes.Buffer
	if err := templates().ExecuteTemplate(&page, name, v); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	pageHeaders(h, p.policy)
	h.Set("Content-Language", l.Lang)
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.Bytes()) // a browser that is gone is no concern of ours
	}
}

// templates parses the embedded files once; the tests render every one.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"glyph": glyph, "location": location}).ParseFS(templateFiles, "templates/*.html"))
})

// location is a URL that [leadsOn] has passed, for a link: html/template itself knows no private schemes.
func location(target string) template.URL {
	if u, err := url.Parse(target); err != nil || !leadsOn(u) {
		return "#"
	}
	return template.URL(target) //nolint:gosec // scripts and local documents were refused above, and the quoting of attributes stays
}

// IconURL is where a button's icon is; "" for none.
func (v *view) IconURL(b Button) string { return v.assets.url(b.Icon) }

// Words are those of a problem, in place of which the caller may have given others.
func (v *view) Words(reason, message string) string {
	switch {
	case message != "":
		return message
	case reason == ReasonTooManyAttempts && v.RetryAfter > 0:
		return v.N("problem.too_many_attempts.wait", (v.RetryAfter+59)/60)
	case v.has("problem." + reason):
		return v.T("problem." + reason)
	default:
		return v.T("problem." + ReasonLoginFailed)
	}
}

// Stamp is a time for programs.
func (v *view) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Ago says how long before now a time was.
func (v *view) Ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case d < time.Minute:
		return v.T("time.now")
	case d < time.Hour:
		return v.N("time.minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return v.N("time.hours", int(d/time.Hour))
	default:
		return v.N("time.days", int(d/(24*time.Hour)))
	}
}
