// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// TestPasswordForm is the form's life: errors in words, the address kept and the password never, a session that begins anew.
func TestPasswordForm(t *testing.T) {
	w := newWorld(t, (*world).withPasswords)
	v := w.visitor(t)
	form := v.get("/login?return_to=/x").fields()
	if form.Get("csrf") == "" || form.Get("return_to") != "/x" {
		t.Fatalf("the form's fields: %v", form)
	}
	wrong := v.post("/login", changed(form, "email", "alice@staff.example", "password", "hunter2"))
	if wrong.StatusCode != http.StatusUnauthorized || !strings.Contains(wrong.body, `value="alice@staff.example"`) || strings.Contains(wrong.body, "hunter2") || v.session() != "" {
		t.Fatalf("a wrong password: %d\n%s", wrong.StatusCode, wrong.body)
	}
	right := v.post("/login", changed(wrong.fields(), "email", "Alice@staff.example", "password", alicePassword), "Origin: "+w.origin)
	if right.StatusCode != http.StatusSeeOther || v.target(right) != w.origin+"/x" || v.verify() != http.StatusOK {
		t.Fatalf("the right password: %d to %s", right.StatusCode, right.Header.Get("Location"))
	}
	before := v.session()
	again := v.post("/login", changed(v.get("/login").fields(), "email", "alice@staff.example", "password", alicePassword))
	if again.StatusCode != http.StatusSeeOther || v.session() == before {
		t.Error("a second login keeps the session of the first")
	}
	if got := w.visitor(t).get("/verify", "Cookie: gatehouse-session="+before); got.StatusCode != http.StatusUnauthorized {
		t.Error("the session before a login goes on") // whoever had planted it would be logged in
	}
	if log := w.log.take(); strings.Contains(log, alicePassword) || strings.Contains(log, "hunter2") || strings.Contains(log, before) {
		t.Error("the log holds a secret")
	}
}

// TestLoginLeadsToAnotherOriginByAPage guards that a form is not answered with a redirect that form-action would stop.
func TestLoginLeadsToAnotherOriginByAPage(t *testing.T) {
	w := newWorld(t, (*world).withPasswords)
	v := w.visitor(t)
	form := changed(v.get("/login?return_to=https://app.example/x").fields(), "email", "alice@staff.example", "password", alicePassword)
	got := v.post("/login", form)
	if got.StatusCode != http.StatusOK || got.Header.Get("Refresh") != "0; url=https://app.example/x" || v.session() == "" {
		t.Errorf("%d %v", got.StatusCode, got.Header)
	}
	if to := w.visitor(t).logIn("sso", "?return_to="+url.QueryEscape("https://app.example/x")); to != "https://app.example/x" {
		t.Errorf("at a provider: to %s", to)
	}
	for _, evil := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "https://app.example@evil.example/", "/logout"} {
		if to := w.visitor(t).logIn("sso", "?return_to="+url.QueryEscape(evil)); to != w.origin+"/account" {
			t.Errorf("%s: to %s", evil, to)
		}
	}
}

// TestLoginPageOfWhoIsLoggedIn guards that it leads on only by a click and only to where logins lead, and that the form stays.
func TestLoginPageOfWhoIsLoggedIn(t *testing.T) {
	w := newWorld(t, (*world).withPasswords)
	v := w.visitor(t)
	v.logIn("sso", "")
	for query, to := range map[string]string{
		"":                                    w.origin + "/account",
		"?return_to=https://app.example/a":    "https://app.example/a",
		"?return_to=https://evil.example/":    w.origin + "/account",
		"?return_to=/login":                   w.origin + "/account",
		"?return_to=javascript:alert(1)":      w.origin + "/account",
		"?return_to=/reports%3Fa%3D1%26b%3D2": w.origin + "/reports?a=1&amp;b=2",
	} {
		got := v.get("/login"+query, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
		if got.StatusCode != http.StatusOK || got.Header.Get("Location")+got.Header.Get("Refresh") != "" || !strings.Contains(got.body, "You are logged in as jane.") ||
			!strings.Contains(got.body, `<a href="`+to+`">`) || !strings.Contains(got.body, `name="password"`) {
			t.Errorf("%s: %d\n%s", query, got.StatusCode, got.body)
		}
	}
	if got := w.visitor(t).get("/login"); strings.Contains(got.body, "You are logged in") {
		t.Error("somebody without a session is told to be logged in")
	}
}

// TestFormsOfOtherSites guards every form against being posted by another site, the login's included.
func TestFormsOfOtherSites(t *testing.T) {
	w := newWorld(t, (*world).withPasswords)
	v := w.visitor(t)
	login := changed(v.get("/login").fields(), "email", "alice@staff.example", "password", alicePassword)
	for name, tt := range map[string]struct {
		form    url.Values
		headers []string
	}{
		"no token":        {changed(login, "csrf", ""), nil},
		"another token":   {changed(login, "csrf", strings.Repeat("A", 43)), nil},
		"another's token": {changed(login, "csrf", w.visitor(t).get("/login").fields().Get("csrf")), nil},
		"another origin":  {login, []string{"Origin: https://evil.example"}},
		"null origin":     {login, []string{"Origin: null"}},
		"cross-site":      {login, []string{"Sec-Fetch-Site: cross-site", "Origin: " + w.origin}},
		"same-site":       {login, []string{"Sec-Fetch-Site: same-site"}},
	} {
		got := v.post("/login", tt.form, tt.headers...)
		if got.StatusCode != http.StatusForbidden || v.session() != "" || !strings.Contains(got.body, `value="alice@staff.example"`) {
			t.Errorf("%s: %d, session %v", name, got.StatusCode, v.session() != "")
		}
	}
	if got := v.post("/login", login); got.StatusCode != http.StatusSeeOther || v.session() == "" {
		t.Fatalf("our own form: %d", got.StatusCode)
	}
	account := v.get("/account").fields()
	for _, path := range []string{"/account", "/logout", "/auth/sso/logout/"} {
		for name, headers := range map[string][]string{"cross-site": {"Sec-Fetch-Site: cross-site"}, "another origin": {"Origin: https://evil.example"}, "no token": nil} {
			form := changed(account, "action", "end_others")
			if headers == nil {
				form.Del("csrf")
			}
			v.post(path, form, headers...)
			if v.session() == "" || v.verify() != http.StatusOK {
				t.Fatalf("%s: %s ended the session", path, name)
			}
		}
	}
	if got := v.get("/logout", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"); got.StatusCode != http.StatusOK || v.verify() != http.StatusOK || got.fields().Get("csrf") == "" {
		t.Errorf("GET /logout from another site: %d, /verify %d", got.StatusCode, v.verify())
	}
}

// TestHandoff is an application's way to tokens: a code by redirect, exchanged once with its verifier.
func TestHandoff(t *testing.T) {
	w := newWorld(t, (*world).withPasswords)
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	ask := url.Values{
		"redirect_uri": {"https://app.example/cb?x=1"}, "state": {"s&t"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	v := w.visitor(t)
	for name, bad := range map[string]url.Values{
		"another host":    changed(ask, "redirect_uri", "https://evil.example/cb"),
		"prefix":          changed(ask, "redirect_uri", "https://app.example/cb?x=1&y"),
		"another case":    changed(ask, "redirect_uri", "https://APP.example/cb?x=1"),
		"no challenge":    changed(ask, "code_challenge", ""),
		"plain":           changed(ask, "code_challenge_method", "plain"),
		"no method":       changed(ask, "code_challenge_method", ""),
		"short challenge": changed(ask, "code_challenge", "abc"),
		"long state":      changed(ask, "state", strings.Repeat("s", maxHandoff)),
		"and return_to":   changed(ask, "return_to", "/x"),
		"state not ASCII": changed(ask, "state", "é"),
		"state no text":   changed(ask, "state", "\xff"),
		"state controls":  changed(ask, "state", "a\nb"),
	} {
		for _, path := range []string{"/login?", "/auth/sso/login/?"} {
			if got := v.get(path + bad.Encode()); got.StatusCode != http.StatusBadRequest || got.Header.Get("Location") != "" {
				t.Errorf("%s at %s: %d to %q", name, path, got.StatusCode, got.Header.Get("Location"))
			}
		}
	}
	exchange := func(to string) (tokens grantBody) {
		t.Helper()
		u := must(url.Parse(to))
		q := u.Query()
		if u.Host != "app.example" || q.Get("x") != "1" || q.Get("state") != "s&t" || q.Get("iss") != w.origin || q.Get("code") == "" {
			t.Fatalf("led to %s", to)
		}
		form := url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": ask["redirect_uri"], "code_verifier": {verifier}}
		got := w.visitor(t).post("/oauth2/token", form)
		if err := json.Unmarshal([]byte(got.body), &tokens); err != nil || tokens.AccessToken == "" || tokens.RefreshToken == "" {
			t.Fatalf("exchange: %d %s", got.StatusCode, got.body)
		}
		return tokens
	}
	page := v.get("/login?" + ask.Encode())
	got := v.post("/login", changed(page.fields(), "email", "alice@staff.example", "password", alicePassword))
	_, to, _ := strings.Cut(got.Header.Get("Refresh"), "url=")
	tokens := exchange(to)
	if got := w.visitor(t).get("/verify", "Authorization: Bearer "+tokens.AccessToken); got.StatusCode != http.StatusOK {
		t.Errorf("its access token: %d", got.StatusCode)
	}
	exchange(w.visitor(t).logIn("sso", "?"+ask.Encode()))

	// Who is logged in gets a code without a click, but only by going there.
	navigation := []string{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site"}
	exchange(v.target(v.get("/login?"+ask.Encode(), navigation...)))
	for _, headers := range [][]string{nil, {"Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, {"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}} {
		if got := v.get("/login?"+ask.Encode(), headers...); got.StatusCode != http.StatusOK {
			t.Errorf("%v: %d to %s", headers, got.StatusCode, got.Header.Get("Location"))
		}
	}
	// The tokens end with the browser's session.
	v.post("/logout", v.get("/account").fields())
	if got := w.visitor(t).post("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}}); got.StatusCode != http.StatusBadRequest {
		t.Errorf("a refresh after the logout: %d %s", got.StatusCode, got.body)
	}
}

// TestLogout guards who is logged out without being asked, and what ends.
func TestLogout(t *testing.T) {
	w := newWorld(t, func(w *world) { w.base.Providers[0].SyncLogout = true; w.withPasswords() })
	own := []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}
	for _, path := range []string{"/logout", "/auth/sso/logout/"} {
		v := w.visitor(t)
		v.logIn("sso", "")
		value := v.session()
		asked := v.get(path)
		if asked.StatusCode != http.StatusOK || v.verify() != http.StatusOK || !strings.Contains(asked.body, "Corporate sso") {
			t.Errorf("%s: %d\n%s", path, asked.StatusCode, asked.body)
		}
		got := v.get(path, own...)
		to := must(url.Parse(v.target(got)))
		q := to.Query()
		if !strings.HasPrefix(to.String(), w.op.URL("/logout")) || q.Get("post_logout_redirect_uri") != w.origin+"/login" || q.Get("id_token_hint") == "" || q.Get("state") == "" {
			t.Errorf("%s leads to %s", path, to)
		}
		if v.session() != "" || w.visitor(t).get("/verify", "Cookie: gatehouse-session="+value).StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: the session goes on", path)
		}
		if back := v.follow(v.follow(got)); back.StatusCode != http.StatusOK { // the provider sends the browser to /login
			t.Errorf("after the provider: %d", back.StatusCode)
		}
		v.logIn("sso", "")
		if got := v.post(path, v.get(path).fields()); got.StatusCode != http.StatusOK || !strings.Contains(got.Header.Get("Refresh"), w.op.URL("/logout")) || v.session() != "" {
			t.Errorf("POST %s: %d %v", path, got.StatusCode, got.Header)
		}
	}
	v := w.visitor(t)
	v.post("/login", changed(v.get("/login").fields(), "email", "alice@staff.example", "password", alicePassword))
	if got := v.get("/logout", own...); got.StatusCode != http.StatusOK || v.session() != "" || got.Header.Get("Refresh") != "" {
		t.Errorf("without a provider to log out of: %d %v", got.StatusCode, got.Header)
	}
	if got := v.get("/logout", own...); got.StatusCode != http.StatusOK {
		t.Errorf("nobody logs out: %d", got.StatusCode)
	}
	for _, path := range []string{"/logout", "/auth/sso/logout/"} { // nobody is logged in, and nobody is asked
		if got := v.get(path); got.StatusCode != http.StatusOK || strings.Contains(got.body, "<form") || !strings.Contains(got.body, "You are logged out") {
			t.Errorf("%s without a session: %d\n%s", path, got.StatusCode, got.body)
		}
	}
}

// TestAccountEndsSessions guards that people end their own sessions, and nobody else's.
func TestAccountEndsSessions(t *testing.T) {
	w := newWorld(t, (*world).withPasswords)
	logIn := func() *visitor {
		v := w.visitor(t)
		v.post("/login", changed(v.get("/login").fields(), "email", "alice@staff.example", "password", alicePassword))
		return v
	}
	a, b, c, jane := logIn(), logIn(), logIn(), w.visitor(t)
	jane.logIn("sso", "")
	hers := jane.get("/account")
	form := hers.fields()
	page := a.get("/account")
	for name, said := range map[string]webPage{"Passwords": page, "Corporate sso": hers} {
		if !strings.Contains(said.body, `<dd dir="auto">`+name+`</dd>`) {
			t.Errorf("the page does not say that the login came through %s:\n%s", name, said.body)
		}
	}
	if strings.Count(page.body, `value="end"`) != 2 || strings.Contains(page.body, a.session()) || strings.Contains(page.body, b.session()) {
		t.Fatalf("the account page:\n%s", page.body)
	}
	// jane posts the ID of one of alice's sessions.
	if got := jane.post("/account", changed(form, "action", "end", "session", page.fields().Get("session"))); got.StatusCode != http.StatusSeeOther || b.verify()+c.verify() != 2*http.StatusOK {
		t.Errorf("another's session: %d", got.StatusCode)
	}
	got := a.post("/account", changed(page.fields(), "action", "end"))
	if left := []int{a.verify(), b.verify(), c.verify(), jane.verify()}; got.StatusCode != http.StatusSeeOther || left[0] != 200 || left[3] != 200 || left[1]+left[2] != 200+401 {
		t.Errorf("end one: %d, left %v", got.StatusCode, left)
	}
	a.post("/account", changed(a.get("/account").fields(), "action", "end_others"))
	if left := []int{a.verify(), b.verify(), c.verify(), jane.verify()}; left[0] != 200 || left[1] != 401 || left[2] != 401 || left[3] != 200 {
		t.Errorf("end the others: left %v", left)
	}
	if got := w.visitor(t).get("/account"); w.visitor(t).target(got) != w.origin+"/login?return_to=%2Faccount" {
		t.Errorf("nobody's account leads to %s", got.Header.Get("Location"))
	}
}

// TestPagesNeedTLSOrLoopback guards DESIGN's rule for http, and servers that only verify.
func TestPagesNeedTLSOrLoopback(t *testing.T) {
	for _, tt := range []struct {
		change func(b *config.Base)
		status int
		code   string
	}{
		{func(b *config.Base) { b.ExternalURL = "http://gatehouse-default.default.svc:8080" }, http.StatusBadRequest, "https_required"},
		{func(b *config.Base) { b.Store.Type = config.StoreNone }, http.StatusNotFound, "not_found"},
	} {
		l := newLab(t, render(t, baseOf(tt.change), 1))
		for _, path := range []string{"/login", "/logout", "/account", "/auth/sso/login/", "/auth/sso/login/callback/", "/auth/sso/logout/"} {
			for _, accept := range []string{"text/html", "*/*"} {
				resp := l.send(t, "GET "+path+" HTTP/1.1\r\nHost: x\r\nAccept: "+accept+"\r\n\r\n")
				if resp.StatusCode != tt.status || resp.Header.Get("Location") != "" || len(resp.Cookies()) != 0 {
					t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
				}
				if accept == "text/html" {
					if page := string(must(io.ReadAll(resp.Body))); !strings.Contains(page, "<h1>") || strings.Contains(page, "<a ") {
						t.Errorf("%s leads on to a page that says the same:\n%s", path, page)
					}
					continue
				}
				var body errorBody
				if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || body.Error != tt.code {
					t.Errorf("%s: %+v %v", path, body, err)
				}
			}
		}
		resp := l.send(t, "GET /verify HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n")
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("X-Auth-Login-Location") != "" {
			t.Errorf("/verify: %d %v", resp.StatusCode, resp.Header)
		}
	}
}
