// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/optest"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// TestLoginAtAProvider is the way of one person: button, provider, callback, cookie, /verify, /account, /userinfo.
func TestLoginAtAProvider(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	if page := v.get("/login?return_to=/account%3Fa"); page.StatusCode != http.StatusOK || !strings.Contains(page.body, `href="/auth/sso/login/?return_to=%2Faccount%3Fa"`) || !strings.Contains(page.body, "Corporate sso") {
		t.Fatalf("login page: %d\n%s", page.StatusCode, page.body)
	}
	if v.verify() != http.StatusUnauthorized {
		t.Error("let in before the login")
	}
	callback := v.callback("sso", "?return_to=/account%3Fa")
	if !strings.HasPrefix(callback, w.origin+"/auth/sso/login/callback/?") {
		t.Fatalf("the provider leads to %s", callback)
	}
	asked := w.op.LastAuthorization()
	if asked.Get("code_challenge_method") != "S256" || len(asked.Get("code_challenge")) != 43 || len(asked.Get("state")) != 32 || len(asked.Get("nonce")) != 32 {
		t.Errorf("asked for %v", asked)
	}
	back := v.get(callback)
	if back.StatusCode != http.StatusSeeOther || v.target(back) != w.origin+"/account?a" || back.Header.Get("Cache-Control") != "no-store" || back.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("callback: %d to %s", back.StatusCode, back.Header.Get("Location"))
	}
	for _, c := range back.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %s", c)
		}
	}
	verified := v.get("/verify")
	if h := verified.Header; verified.StatusCode != http.StatusOK || h.Get("X-Auth-Request-User") != "jane" || h.Get("X-Auth-Request-Email") != "jane@corp.example" || h.Get("X-Auth-Request-Groups") != "dev,ops" || h.Get("X-Auth-Tenant") != "staff" {
		t.Errorf("/verify: %d %v", verified.StatusCode, verified.Header)
	}
	if page := v.get("/account"); page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Jane Doe") || !strings.Contains(page.body, "Corporate sso") {
		t.Errorf("/account: %d\n%s", page.StatusCode, page.body)
	}
	if info := v.get("/userinfo"); info.StatusCode != http.StatusOK || !strings.Contains(info.body, `"preferred_username":"jane"`) {
		t.Errorf("/userinfo: %d %s", info.StatusCode, info.body)
	}
	// The callback once more: neither the code nor the state work twice.
	if again := v.get(callback); again.StatusCode != http.StatusBadRequest || w.op.Calls(optest.PathToken) != 1 {
		t.Errorf("the callback again: %d, %d token requests", again.StatusCode, w.op.Calls(optest.PathToken))
	}
	log := w.log.take()
	for _, secret := range []string{v.session(), asked.Get("state"), asked.Get("nonce"), must(url.Parse(callback)).Query().Get("code")} {
		if secret == "" || strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// TestCallbacksThatAreRefused guards what a login is bound to: a page of 4xx, no session, and the token endpoint is not called.
func TestCallbacksThatAreRefused(t *testing.T) {
	w := newWorld(t, func(w *world) { w.base.Providers = append(w.base.Providers, w.provider("other", w.op)) })
	edit := func(f func(q url.Values)) func(*visitor, string) (*visitor, string) {
		return func(v *visitor, callback string) (*visitor, string) {
			u := must(url.Parse(callback))
			q := u.Query()
			f(q)
			u.RawQuery = q.Encode()
			return v, u.String()
		}
	}
	for name, spoil := range map[string]func(v *visitor, callback string) (*visitor, string){
		"state missing":   edit(func(q url.Values) { q.Del("state") }),
		"state empty":     edit(func(q url.Values) { q.Set("state", "") }),
		"state edited":    edit(func(q url.Values) { q.Set("state", q.Get("state")[:30]+"AA") }),
		"state made up":   edit(func(q url.Values) { q.Set("state", strings.Repeat("A", 32)) }),
		"state twice":     edit(func(q url.Values) { q.Add("state", q.Get("state")) }),
		"code twice":      edit(func(q url.Values) { q.Add("code", "x") }),
		"iss of another":  edit(func(q url.Values) { q.Set("iss", "https://evil.example") }),
		"iss missing":     edit(func(q url.Values) { q.Del("iss") }),
		"iss twice":       edit(func(q url.Values) { q.Add("iss", q.Get("iss")) }),
		"code missing":    edit(func(q url.Values) { q.Del("code") }),
		"error":           edit(func(q url.Values) { q.Set("error", "access_denied") }),
		"error of others": edit(func(q url.Values) { q.Set("error", "access_denied"); q.Set("iss", "https://evil.example") }),
		"another browser": func(_ *visitor, callback string) (*visitor, string) { return w.visitor(t), callback },
		"another provider": func(v *visitor, callback string) (*visitor, string) {
			return v, strings.Replace(callback, "/auth/sso/", "/auth/other/", 1)
		},
		"too late": func(v *visitor, callback string) (*visitor, string) { w.pass(session.LoginTime); return v, callback },
		"used": func(v *visitor, callback string) (*visitor, string) {
			// The browser keeps the cookie that it was told to remove.
			u := must(url.Parse(w.origin))
			kept := v.client.Jar.Cookies(u)
			v.get(strings.Replace(callback, "code=", "code=junk&gone=", 1))
			v.client.Jar.SetCookies(u, kept)
			return v, callback
		},
	} {
		t.Run(name, func(t *testing.T) {
			first := w.visitor(t)
			v, callback := spoil(first, first.callback("sso", ""))
			before := w.op.Calls(optest.PathToken)
			got := v.get(callback)
			if got.StatusCode/100 != 4 || w.op.Calls(optest.PathToken) != before || v.session() != "" || first.session() != "" {
				t.Errorf("%d, %d token requests, session %v\n%s", got.StatusCode, w.op.Calls(optest.PathToken)-before, v.session() != "", got.body)
			}
			if got.Header.Get("Content-Security-Policy") == "" || !strings.Contains(got.body, "<html") {
				t.Errorf("it is no page: %v", got.Header)
			}
		})
	}
	v := w.visitor(t) // nothing of the above is refused for another reason
	if to := v.logIn("sso", ""); to != w.origin+"/account" || v.verify() != http.StatusOK {
		t.Errorf("an honest login leads to %s", to)
	}
}

// TestMixUp guards two providers against each other, of which one is an attacker's (RFC 9700 §4.4).
func TestMixUp(t *testing.T) {
	var evil *optest.OP
	w := newWorld(t, func(w *world) {
		evil = optest.Start(t, optest.Options{Now: w.time})
		w.base.Providers = append(w.base.Providers, w.provider("evil", evil))
	})
	v := w.visitor(t)
	// The person wants to log in at evil; evil sends them on to sso, with evil's own state. sso's code must not reach evil.
	start := must(url.Parse(v.target(v.get("/auth/evil/login/"))))
	q := start.Query()
	q.Set("client_id", w.op.Client().ID)
	honest := w.op.URL(optest.PathAuthorize) + "?" + q.Encode()
	callback := v.target(v.get(honest)) // at evil's redirect URI, with a code and iss of sso
	if got := v.get(callback); got.StatusCode/100 != 4 || v.session() != "" {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	// Or to sso's redirect URI, with the state of the login at evil.
	q.Set("redirect_uri", w.origin+"/auth/sso/login/callback/")
	callback = v.target(v.get(w.op.URL(optest.PathAuthorize) + "?" + q.Encode()))
	if got := v.get(callback); got.StatusCode/100 != 4 || v.session() != "" {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	if evil.Calls(optest.PathToken) != 0 || w.op.Calls(optest.PathToken) != 0 {
		t.Errorf("token requests: %d at evil, %d at sso", evil.Calls(optest.PathToken), w.op.Calls(optest.PathToken))
	}
}

// TestTabsSideBySide guards that logins in several tabs of a browser all come to an end, in any order.
func TestTabsSideBySide(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	var tabs []string
	for _, page := range []string{"a", "b", "c"} {
		tabs = append(tabs, v.callback("sso", "?return_to=/"+page))
	}
	for i, page := range map[int]string{2: "c", 0: "a", 1: "b"} {
		if got := v.target(v.get(tabs[i])); got != w.origin+"/"+page {
			t.Errorf("tab %d leads to %s", i, got)
		}
	}
	if v.verify() != http.StatusOK {
		t.Error("the last tab's session does not count")
	}
}

// TestHostsThatRequestsName guards that no URL is built from what a request says of its host.
func TestHostsThatRequestsName(t *testing.T) {
	w := newWorld(t, nil)
	poison := []string{"Host: evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "Forwarded: host=evil.example;proto=https", "X-Original-URL: https://evil.example/", "X-Forwarded-Uri: /x"}
	for _, path := range []string{"/login", "/login?return_to=//evil.example", "/auth/sso/login/", "/auth/sso/login", "/auth/sso/logout", "/account", "/logout", "/verify", "/verify?login=redirect", "/.well-known/openid-configuration", "/auth/nobody/login", "/nothing"} {
		v := w.visitor(t)
		got := v.get(path, poison...)
		for name, values := range got.Header {
			if strings.Contains(strings.Join(values, " "), "evil.example") {
				t.Errorf("%s: %s: %q", path, name, values)
			}
		}
		if strings.Contains(got.body, "evil.example") && !strings.Contains(path, "evil.example") {
			t.Errorf("%s: the body names the host", path)
		}
	}
	v := w.visitor(t)
	to := must(url.Parse(v.target(v.get("/auth/sso/login/", poison...))))
	if got := to.Query().Get("redirect_uri"); got != w.origin+"/auth/sso/login/callback/" {
		t.Errorf("redirect_uri %s", got)
	}
}

// TestPathsWithoutTheirSlash guards the redirect to the path with it.
func TestPathsWithoutTheirSlash(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	for path, want := range map[string]string{
		"/auth/sso/login?return_to=/x":     "/auth/sso/login/?return_to=/x",
		"/auth/sso/login/callback?state=x": "/auth/sso/login/callback/?state=x",
		"/auth/sso/logout":                 "/auth/sso/logout/",
	} {
		if got := v.get(path); got.StatusCode != http.StatusPermanentRedirect || got.Header.Get("Location") != w.origin+want {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.Header.Get("Location"))
		}
	}
	for _, path := range []string{"/auth/nobody/login", "/auth/nobody/login/", "/auth/sso", "/auth/", "/auth/sso/other", "/auth/sso/login//", "/auth//login/", "/auth/%73so/login/"} {
		if got := v.get(path); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.StatusCode)
		}
	}
	if got := v.post("/auth/sso/login/", nil); got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET" {
		t.Errorf("%d, Allow %q", got.StatusCode, got.Header.Get("Allow"))
	}
}

// TestRelyingPartyCases runs the cases of package optest through the whole server.
func TestRelyingPartyCases(t *testing.T) {
	for _, c := range optest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			w := newWorld(t, func(w *world) {
				if c.Algorithms != nil {
					w.base.Providers[0].OIDC.Algorithms = c.Algorithms
				}
				c.Set(w.op)
			})
			v := w.visitor(t)
			got := v.get("/auth/sso/login/")
			for range 2 {
				if got.StatusCode/100 == 3 {
					got = v.follow(got)
				}
			}
			in := v.session() != ""
			if in != (c.Reason == "") || in != (v.verify() == http.StatusOK) || in != (got.StatusCode == http.StatusSeeOther) {
				t.Errorf("%d, session %v\n%s\n%s", got.StatusCode, in, got.body, w.log.take())
			}
			if !in && got.StatusCode < 400 || c.NoTokenRequest && w.op.Calls(optest.PathToken) != 0 {
				t.Errorf("%d, %d token requests", got.StatusCode, w.op.Calls(optest.PathToken))
			}
			if c.Reason != "" && !strings.Contains(w.log.take(), `"reason":"`+c.Reason+`"`) {
				t.Errorf("the log lacks the reason %s", c.Reason)
			}
		})
	}
}

// TestProviderLogsOut is OpenID Connect Back-Channel Logout 1.0: the provider ends the session, and /verify knows at once.
func TestProviderLogsOut(t *testing.T) {
	w := newWorld(t, nil)
	v, bystander := w.visitor(t), w.visitor(t)
	v.logIn("sso", "")
	if v.verify() != http.StatusOK {
		t.Fatal("not logged in")
	}
	const path = "/auth/sso/backchannel-logout"
	program := w.visitor(t)
	for name, form := range map[string]url.Values{
		"nothing":      {},
		"garbage":      {"logout_token": {"a.b.c"}},
		"twice":        {"logout_token": {"a", "b"}},
		"another jwt":  {"logout_token": {w.op.LogoutToken(func(c, _ map[string]any) { delete(c, "events") })}},
		"with a nonce": {"logout_token": {w.op.LogoutToken(func(c, _ map[string]any) { c["nonce"] = "n" })}},
		"another aud":  {"logout_token": {w.op.LogoutToken(func(c, _ map[string]any) { c["aud"] = "x" })}},
	} {
		if got := program.post(path, form); got.StatusCode != http.StatusBadRequest || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", name, got.StatusCode)
		}
	}
	if got := program.get(path); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", got.StatusCode)
	}
	if v.verify() != http.StatusOK {
		t.Fatal("a bad logout token ended the session")
	}
	token := url.Values{"logout_token": {w.op.LogoutToken(nil)}}
	if got := program.post(path, token); got.StatusCode != http.StatusOK || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	if v.verify() != http.StatusUnauthorized {
		t.Error("the session goes on")
	}
	bystander.logIn("sso", "")
	if got := program.post(path, token); got.StatusCode != http.StatusBadRequest || bystander.verify() != http.StatusOK {
		t.Errorf("the same token again: %d", got.StatusCode)
	}
}

// TestProviderIsAskedAgain guards that a session at /verify ends when the provider says no, and not when it is away.
func TestProviderIsAskedAgain(t *testing.T) {
	w := newWorld(t, nil)
	v := w.visitor(t)
	v.logIn("sso", "")
	away := func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) }
	for _, step := range []struct {
		name    string
		handler http.HandlerFunc
		ends    bool
	}{{"good", nil, false}, {"away", away, false}, {"refused", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"error":"invalid_grant"}`))
	}, true}} {
		b := optest.Behaviour{}
		if step.handler != nil {
			b.Handlers = map[string]http.HandlerFunc{optest.PathToken: step.handler}
		}
		w.op.Behave(b)
		before, kept := w.op.Calls(optest.PathToken), w.upstream(t, v)
		w.log.take()
		w.pass(15*time.Minute + time.Second)
		if got := v.verify(); got != http.StatusOK { // it is asked behind this request
			t.Fatalf("%s: %d", step.name, got)
		}
		eventually(t, "the provider is asked", func() bool { return w.op.Calls(optest.PathToken) > before })
		if step.ends {
			eventually(t, "the session ends", func() bool { return v.verify() == http.StatusUnauthorized })
			continue
		}
		// Until the answer is taken in: the clock must not move while tokens are judged.
		eventually(t, "the answer is taken in", func() bool {
			return w.upstream(t, v) != kept || step.name == "away" && strings.Contains(w.log.take(), "session.renewal_failed")
		})
		w.pass(session.CheckInterval)
		if got := v.verify(); got != http.StatusOK {
			t.Errorf("%s: %d afterwards", step.name, got)
		}
	}
}

// upstream is what the store holds of the provider's tokens for the visitor's session, sealed.
func (w *world) upstream(t testing.TB, v *visitor) string {
	t.Helper()
	s, err := w.store.Session(t.Context(), session.Key(v.session()), w.time())
	if err != nil {
		t.Fatal(err)
	}
	var data struct{ Upstream string }
	if err := json.Unmarshal(s.Data, &data); err != nil || data.Upstream == "" {
		t.Fatalf("the session keeps nothing of the provider: %v", err)
	}
	return data.Upstream
}

// TestConfigzTellsOfProviders guards the condition UpstreamReady of providers: nothing is asked until somebody logs in.
func TestConfigzTellsOfProviders(t *testing.T) {
	w := newWorld(t, nil)
	state := func() condition {
		var body configz
		if err := json.Unmarshal([]byte(httpGetOps(t, w.lab, "/configz")), &body); err != nil {
			t.Fatal(err)
		}
		return body.Objects["IdentityProvider/default/sso"]["UpstreamReady"]
	}
	if c := state(); c.Status != "Unknown" || c.Reason != "NotYetFetched" || w.op.Calls(optest.PathMetadata) != 0 {
		t.Errorf("before a login: %+v", c)
	}
	w.visitor(t).logIn("sso", "")
	if c := state(); c.Status != "True" || c.Reason != "Ready" {
		t.Errorf("after a login: %+v", c)
	}
}
