// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// evil is what a value must not become: markup, an attribute or a script.
const evil = `"><script>alert(1)</script>`

var (
	png    = &config.Image{MediaType: "image/png", Data: []byte("\x89PNG\r\n")}
	remote = &config.Image{URL: "https://cdn.example:8443/icon.png"}
	now    = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
)

// render asks for a page as a browser with these headers does.
func render(t *testing.T, show func(http.ResponseWriter, *http.Request), headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r, w := httptest.NewRequest(http.MethodGet, "/login", http.NoBody), httptest.NewRecorder()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	show(w, r)
	return w
}

// everyPage is each page with the values that a caller gives.
func everyPage(p *Pages, value string) map[string]func(http.ResponseWriter, *http.Request) {
	hidden := []Field{{"return_to", value}}
	return map[string]func(http.ResponseWriter, *http.Request){
		"login": func(w http.ResponseWriter, r *http.Request) {
			p.Login(w, r, http.StatusUnauthorized, LoginModel{
				Providers: []Button{{Name: value, URL: "/auth/sso/login/"}, {Name: value, URL: "/auth/b/login/", Icon: remote}},
				Password:  &PasswordForm{Action: "/login", Email: value, Hidden: hidden, CSRF: value},
				Problem:   ReasonRule, ProblemMessage: value,
			})
		},
		"login again": func(w http.ResponseWriter, r *http.Request) {
			p.Login(w, r, http.StatusOK, LoginModel{Current: value, ContinueURL: "https://app.example/?q=" + value})
		},
		"continue": func(w http.ResponseWriter, r *http.Request) {
			p.Continue(w, r, ContinueModel{URL: "https://app.example/?q=" + value})
		},
		"confirm": func(w http.ResponseWriter, r *http.Request) {
			p.ConfirmLogout(w, r, ConfirmLogoutModel{Action: "/logout", Hidden: hidden, CSRF: value, Provider: value})
		},
		"loggedOut": func(w http.ResponseWriter, r *http.Request) {
			p.LoggedOut(w, r, LoggedOutModel{Provider: value, ProviderURL: "https://idp.example/end?hint=" + value})
		},
		"account": func(w http.ResponseWriter, r *http.Request) {
			p.Account(w, r, http.StatusOK, AccountModel{
				Name: value, Username: value, Email: value, Organization: value, Provider: value, Groups: []string{value}, Now: now,
				Action: "/account", LogoutAction: "/logout", CSRF: value, Ended: 1,
				Sessions: []Session{{ID: value, Client: value, Current: true, SeenAt: now, Begun: now}, {ID: value, Client: value, SeenAt: now, Begun: now}},
			})
		},
		"problem": func(w http.ResponseWriter, r *http.Request) {
			p.Problem(w, r, http.StatusForbidden, ProblemModel{Reason: value, Provider: value, Reference: value})
		},
	}
}

// TestValuesStayText guards that nothing that a caller hands over, the title included, becomes markup.
func TestValuesStayText(t *testing.T) {
	p := New(Site{Title: evil, Icons: []*config.Image{remote}})
	for name, show := range everyPage(p, evil) {
		body := render(t, show).Body.String()
		if strings.Contains(body, "<script") || strings.Contains(body, `""`+">") {
			t.Errorf("%s: markup came through:\n%s", name, body)
		}
		if !strings.Contains(body, "script&gt;") && !strings.Contains(body, "%3Cscript") {
			t.Errorf("%s: the value is not there at all", name)
		}
	}
}

// TestHeadersOfEveryPage guards the policy of the pages, word by word: whoever loosens it has to say so here.
func TestHeadersOfEveryPage(t *testing.T) {
	p := New(Site{Logo: png, Icons: []*config.Image{remote, nil, {URL: "https://CDN.example:8443/other.png"}, {URL: "http://plain.example/x.png"}, {URL: "https://a.example;x/y"}}})
	want := map[string]string{
		"Content-Type":  "text/html; charset=utf-8",
		"Cache-Control": "no-store",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' https://cdn.example:8443; form-action 'self'; " +
			"base-uri 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "same-origin",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Permissions-Policy": permissions,
		"Vary": "Accept-Language", "Content-Language": "en",
	}
	for name, show := range everyPage(p, "x") {
		header := render(t, show).Header()
		for key, value := range want {
			if got := header.Get(key); got != value {
				t.Errorf("%s: %s is %q, want %q", name, key, got, value)
			}
		}
	}
}

// TestNothingRunsInPages guards that no page needs what its policy forbids: scripts, inline styles, handlers.
func TestNothingRunsInPages(t *testing.T) {
	for name, show := range everyPage(New(Site{}), "x") {
		body := strings.ToLower(render(t, show).Body.String())
		for _, forbidden := range []string{"<script", "<style", " style=", " onclick", " onload", "javascript:", "data:", "<iframe", "<base"} {
			if strings.Contains(body, forbidden) {
				t.Errorf("%s holds %q", name, forbidden)
			}
		}
	}
}

// TestLeadingOn guards where a page may send the browser by itself, and that anything else is a fault and no link.
func TestLeadingOn(t *testing.T) {
	p := New(Site{})
	for target, want := range map[string]string{
		"https://app.example/a?code=x&state=y%3B": "0; url=https://app.example/a?code=x&state=y%3B",
		"http://127.0.0.1:8123/cb?code=x":         "0; url=http://127.0.0.1:8123/cb?code=x",
		"com.example.app:/callback?code=x":        "0; url=com.example.app:/callback?code=x",
		"https://app.example/'\"<x>":              "0; url=https://app.example/%27%22%3Cx%3E",
		"javascript:alert(1)":                     "", "data:text/html,x": "", "/account": "", "//evil.example": "", "https:": "", "": "", "https://a\nb": "", "vbscript:x": "",
	} {
		for name, show := range map[string]func(http.ResponseWriter, *http.Request){
			"continue":  func(w http.ResponseWriter, r *http.Request) { p.Continue(w, r, ContinueModel{URL: target}) },
			"loggedOut": func(w http.ResponseWriter, r *http.Request) { p.LoggedOut(w, r, LoggedOutModel{ProviderURL: target}) },
		} {
			if name == "loggedOut" && target == "" {
				continue // no provider to go to
			}
			answer := render(t, show)
			if got := strings.ReplaceAll(answer.Header().Get("Refresh"), "'", "%27"); got != want {
				t.Errorf("%s %q: Refresh is %q, want %q", name, target, got, want)
			}
			if status := answer.Code; (status == http.StatusOK) != (want != "") {
				t.Errorf("%s %q: status %d", name, target, status)
			}
			if body := answer.Body.String(); strings.Contains(body, "ZgotmplZ") || want == "" && target != "" && strings.Contains(body, `href="`+target) {
				t.Errorf("%s %q: a bad link:\n%s", name, target, body)
			}
		}
	}
}

// TestPageOfEveryKind guards what each page is made of, so that a template that loses a part is noticed without a browser.
func TestPageOfEveryKind(t *testing.T) {
	p := New(Site{Title: "Acme", Icons: []*config.Image{png, remote}})
	own := p.assets.url(png)
	login := func(m LoginModel) string {
		return render(t, func(w http.ResponseWriter, r *http.Request) { p.Login(w, r, http.StatusOK, m) }).Body.String()
	}
	form := &PasswordForm{Action: "/login", Email: "bob@acme.example", Hidden: []Field{{"return_to", "/x"}}, CSRF: "c5rf"}
	for name, c := range map[string]struct {
		body        string
		has, hasNot []string
	}{
		"both": {login(LoginModel{Providers: []Button{{"SSO", "/auth/sso/login/", png}, {"élan", "/auth/e/login/", nil}, {"CDN", "/auth/c/login/", remote}}, Password: form}),
			[]string{"<title>Log in · Acme</title>", `<html lang="en" dir="ltr">`, `href="/auth/sso/login/"`, `src="` + own + `"`, ">É<", `src="https://cdn.example:8443/icon.png"`,
				"Continue with SSO", `class="divider"`, `name="return_to" value="/x"`, `name="csrf" value="c5rf"`, `autocomplete="username"`, `autocomplete="current-password"`,
				`value="bob@acme.example"`, `<label for="email">`, `<label for="password">`}, []string{"role=\"alert\"", "aria-invalid"}},
		"password only": {login(LoginModel{Password: &PasswordForm{Action: "/login"}}), []string{"autofocus"}, []string{"divider", "providers", "csrf"}},
		"buttons only":  {login(LoginModel{Providers: []Button{{"SSO", "/auth/sso/login/", nil}}}), []string{"Continue with SSO"}, []string{"<form", "divider"}},
		"nothing":       {login(LoginModel{}), []string{"Nobody can log in here yet"}, []string{"<form", "<a "}},
		"problem": {login(LoginModel{Password: form, Problem: ReasonInvalidCredentials}),
			[]string{`role="alert" id="problem"`, `aria-describedby="problem" aria-invalid="true"`, "The email address or the password is not right."}, nil},
		"problem of the form": {login(LoginModel{Providers: []Button{{"SSO", "/auth/sso/login/", nil}}, Password: form, Problem: ReasonInvalidCredentials, OfForm: true}),
			[]string{"value=\"c5rf\">\n<div class=\"notice bad\" role=\"alert\" id=\"problem\">", `aria-describedby="problem" aria-invalid="true"`}, []string{"<h1>Log in</h1>\n<div class=\"notice"}},
		"problem of a provider": {login(LoginModel{Providers: []Button{{"SSO", "/auth/sso/login/", nil}}, Password: form, Problem: ReasonLoginFailed, Reference: "4bf92f35"}),
			[]string{"</div>\n<p class=\"reference\">Reference for your administrator: <code>4bf92f35</code></p>", `role="alert" id="problem"`}, []string{"value=\"c5rf\">\n<div class=\"notice"}},
		"problem without a form": {login(LoginModel{Problem: ReasonUnavailable, OfForm: true}), []string{`role="alert" id="problem"`}, nil},
		"another problem":        {login(LoginModel{Password: form, Problem: ReasonUnavailable}), []string{`aria-describedby="problem"`}, []string{"aria-invalid"}},
		"unknown problem":        {login(LoginModel{Password: form, Problem: "surprise"}), []string{"You could not be logged in."}, []string{"surprise"}},
		"logged in": {login(LoginModel{Password: form, Current: "bob", ContinueURL: "https://app.example/x"}),
			[]string{"You are logged in as bob.", `<a href="https://app.example/x">Continue</a>`, `name="email"`}, []string{"alert"}},
		"after logout": {login(LoginModel{Password: form, LoggedOut: true}), []string{`role="status"`, "You are logged out"}, nil},
	} {
		for _, part := range c.has {
			if !strings.Contains(c.body, part) {
				t.Errorf("%s: %s is missing in\n%s", name, part, c.body)
			}
		}
		for _, part := range c.hasNot {
			if strings.Contains(c.body, part) {
				t.Errorf("%s: %s is there in\n%s", name, part, c.body)
			}
		}
	}
}

// TestRetryAfterInWords guards that a page says how long to wait, rounded up to minutes.
func TestRetryAfterInWords(t *testing.T) {
	p := New(Site{})
	for after, want := range map[string]string{"1": "in 1 minute.", "60": "in 1 minute.", "61": "in 2 minutes.", "": "Wait a while", "soon": "Wait a while"} {
		for name, show := range map[string]func(http.ResponseWriter, *http.Request){
			"login": func(w http.ResponseWriter, r *http.Request) {
				p.Login(w, r, http.StatusTooManyRequests, LoginModel{Problem: ReasonTooManyAttempts})
			},
			"problem": func(w http.ResponseWriter, r *http.Request) {
				p.Problem(w, r, http.StatusTooManyRequests, ProblemModel{})
			},
		} {
			answer := render(t, func(w http.ResponseWriter, r *http.Request) {
				if after != "" {
					w.Header().Set("Retry-After", after)
				}
				show(w, r)
			})
			if !strings.Contains(answer.Body.String(), want) {
				t.Errorf("%s: Retry-After %q: no %q", name, after, want)
			}
		}
	}
}

// TestHeadHasNoBody guards HEAD: the headers of GET alone.
func TestHeadHasNoBody(t *testing.T) {
	w := httptest.NewRecorder()
	New(Site{}).Problem(w, httptest.NewRequest(http.MethodHead, "/login", http.NoBody), http.StatusNotFound, ProblemModel{Reason: ReasonNotFound})
	if w.Body.Len() != 0 || w.Code != http.StatusNotFound || w.Header().Get("Content-Length") == "" {
		t.Errorf("status %d, %d bytes, Content-Length %q", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

// TestThisBrowserComesFirst guards the order of sessions: this browser's, which has no button of its own, then as given; and that the caller's list stays as it is.
func TestThisBrowserComesFirst(t *testing.T) {
	given := []Session{{ID: "a", Client: "Edge"}, {ID: "b", Client: "Firefox"}, {ID: "c", Client: "Safari", Current: true}}
	body := render(t, func(w http.ResponseWriter, r *http.Request) {
		New(Site{}).Account(w, r, http.StatusOK, AccountModel{Sessions: given, Now: now})
	}).Body.String()
	safari, edge, firefox := strings.Index(body, ">Safari<"), strings.Index(body, ">Edge<"), strings.Index(body, ">Firefox<")
	if safari < 0 || edge < safari || firefox < edge {
		t.Errorf("Safari at %d, Edge at %d, Firefox at %d", safari, edge, firefox)
	}
	if strings.Contains(body, `name="session" value="c"`) || !strings.Contains(body, `name="session" value="a"`) || given[0].ID != "a" {
		t.Errorf("this browser's session has a button, another's has none, or the list was changed:\n%s", body)
	}
}
