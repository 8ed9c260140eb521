// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
)

// state is one state of one page.
type state struct {
	name, language string
	show           func(p *pages.Pages, w http.ResponseWriter, r *http.Request)
}

var now = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// nowhere is where pages that lead on lead in the gallery: an answer without content, after which the browser stays.
const nowhere = "/nowhere"

func login(status int, m pages.LoginModel) func(*pages.Pages, http.ResponseWriter, *http.Request) {
	return func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "240")
		}
		p.Login(w, r, status, m)
	}
}

func account(m pages.AccountModel) func(*pages.Pages, http.ResponseWriter, *http.Request) {
	m.Action, m.LogoutAction, m.CSRF, m.Now = "/account", "/logout", "token", now
	return func(p *pages.Pages, w http.ResponseWriter, r *http.Request) { p.Account(w, r, http.StatusOK, m) }
}

func form(email string) *pages.PasswordForm {
	return &pages.PasswordForm{Action: "/login", Email: email, Hidden: []pages.Field{{Name: "return_to", Value: "/app?x=1&y=<2>"}}, CSRF: "token"}
}

// states are all that people can meet; the reasons of refusals come from the pages' own list.
func states(icons []*config.Image) []state {
	buttons := []pages.Button{{Name: "Acme SSO", URL: "/auth/sso/login/", Icon: icons[0]}, {Name: "GitHub", URL: "/auth/github/login/", Icon: icons[1]}, {Name: "Partners", URL: "/auth/partners/login/"}}
	many := append([]pages.Button{{Name: "The Very Long Name of an Organization That Nobody Ever Thought Would Have to Fit on a Button", URL: "/auth/long/login/"},
		{Name: "Øresund", URL: "/auth/o/login/"}, {Name: "شركة", URL: "/auth/a/login/"}, {Name: "東京", URL: "/auth/t/login/"}}, buttons...)
	alice := pages.AccountModel{
		Name: "Alice Archer", Username: "alice", Email: "alice@acme.example", Organization: "acme", Provider: "Acme SSO", Groups: []string{"platform", "on-call", "readers"},
		Sessions: []pages.Session{
			{ID: "1", Client: "Firefox on Linux, 203.0.113.7", Current: true, SeenAt: now, Begun: now.Add(-26 * time.Hour)},
			{ID: "2", Client: "Safari on iPhone, 2001:db8:85a3::8a2e:370:7334", SeenAt: now.Add(-5 * time.Minute), Begun: now.Add(-72 * time.Hour)},
			{ID: "3", Client: "Edge on Windows, 198.51.100.23", SeenAt: now.Add(-49 * time.Hour), Begun: now.Add(-50 * time.Hour)},
		},
	}
	single := pages.AccountModel{Username: "bob", Provider: "Staff", Sessions: alice.Sessions[:1]}
	long := alice
	long.Ended, long.Email = 2, "somebody.with.a.remarkably.long.address.that.does.not.fit@subsidiary.of.a.company.example"
	for i := range 24 {
		long.Groups = append(long.Groups, "department-with-a-long-name-"+strconv.Itoa(i))
	}
	list := []state{
		{"login", "", login(200, pages.LoginModel{Providers: buttons, Password: form("")})},
		{"login-german", "de-AT, en;q=0.5", login(401, pages.LoginModel{Providers: buttons, Password: form("a@acme.example"), Problem: pages.ReasonInvalidCredentials, OfForm: true})},
		{"login-french", "fr-CA", login(429, pages.LoginModel{Password: form("a@acme.example"), Problem: pages.ReasonTooManyAttempts, OfForm: true})},
		{"login-password", "", login(200, pages.LoginModel{Password: form("")})},
		{"login-buttons", "", login(200, pages.LoginModel{Providers: buttons})},
		{"login-many", "", login(200, pages.LoginModel{Providers: many, Password: form("")})},
		{"login-none", "", login(200, pages.LoginModel{})},
		{"login-wrong", "", login(401, pages.LoginModel{Providers: buttons[:1], Password: form("alice@acme.example"), Problem: pages.ReasonInvalidCredentials, OfForm: true})},
		{"login-locked", "", login(429, pages.LoginModel{Providers: buttons[:1], Password: form("alice@acme.example"), Problem: pages.ReasonTooManyAttempts, OfForm: true})},
		{"login-rule", "", login(403, pages.LoginModel{Providers: buttons, Password: form(""), Problem: pages.ReasonRule, ProblemMessage: "Only members of the platform team may log in.", Reference: "4bf92f3577b34da6a3ce929d0e0e4736"})},
		{"login-logged-out", "", login(200, pages.LoginModel{Providers: buttons, LoggedOut: true})},
		{"account", "", account(alice)},
		{"account-german", "de", account(alice)},
		{"account-single", "", account(single)},
		{"account-long", "", account(long)},
		{"continue", "", func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
			p.Continue(w, r, pages.ContinueModel{URL: "http://" + r.Host + nowhere})
		}},
		{"confirm-logout", "", func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
			p.ConfirmLogout(w, r, pages.ConfirmLogoutModel{Action: "/logout", CSRF: "token", Provider: "Acme SSO"})
		}},
		{"logged-out", "", func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
			p.LoggedOut(w, r, pages.LoggedOutModel{})
		}},
		{"logged-out-provider", "", func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
			p.LoggedOut(w, r, pages.LoggedOutModel{Provider: "Acme SSO", ProviderURL: "http://" + r.Host + nowhere})
		}},
		{"problem-of-a-rule", "", func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
			p.Problem(w, r, 403, pages.ProblemModel{Reason: pages.ReasonRule, Provider: "Acme SSO", Reference: "4bf92f3577b34da6a3ce929d0e0e4736"})
		}},
	}
	for _, reason := range pages.Reasons() {
		list = append(list, state{"problem-" + reason, "", func(p *pages.Pages, w http.ResponseWriter, r *http.Request) {
			p.Problem(w, r, 400, pages.ProblemModel{Reason: reason})
		}})
	}
	return list
}

// gallery serves every state at /<its name>, once with our own mark and, at /custom/<name>, with a logo and a title of the operator's.
func gallery(t testing.TB) (url string, all []state) {
	t.Helper()
	icons := []*config.Image{picture(t, color.RGBA{0xd9, 0x5f, 0x02, 0xff}, 64, 64), picture(t, color.RGBA{0x1b, 0x1f, 0x24, 0xff}, 64, 64)}
	logo := picture(t, color.RGBA{0x40, 0x53, 0xd3, 0xff}, 240, 64)
	own := pages.New(pages.Site{Icons: icons})
	custom := pages.New(pages.Site{Title: "Acme Platform", Logo: logo, Icons: icons})
	all = states(icons)
	mux := http.NewServeMux()
	mux.HandleFunc(nowhere, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc(pages.AssetPath, custom.Asset) // its files include the other's
	for _, s := range all {
		handler := func(p *pages.Pages) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if s.language != "" {
					r.Header.Set("Accept-Language", s.language)
				}
				s.show(p, w, r)
			}
		}
		mux.Handle("/"+s.name, handler(own))
		mux.Handle("/custom/"+s.name, handler(custom))
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimSuffix(server.URL, "/"), all
}

// picture is a disc or, where it is wider than high, a bar with round ends.
func picture(t testing.TB, c color.RGBA, width, height int) *config.Image {
	t.Helper()
	canvas, radius := image.NewRGBA(image.Rect(0, 0, width, height)), height/2
	for y := range height {
		for x := range width {
			dx, dy := 0, y-radius
			switch {
			case x < radius:
				dx = radius - x
			case x > width-radius:
				dx = x - (width - radius)
			}
			if dx*dx+dy*dy <= radius*radius {
				canvas.SetRGBA(x, y, c)
			}
		}
	}
	var data bytes.Buffer
	if err := png.Encode(&data, canvas); err != nil {
		t.Fatal(err)
	}
	return &config.Image{MediaType: "image/png", Data: data.Bytes()}
}
