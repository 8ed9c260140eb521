// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/gatehouse-auth/gatehouse/authserver/pages"
)

// focused says what has the focus and how it is shown: its name for assistive technology, and the width of its outline.
const focused = `(() => {
	const e = document.activeElement;
	const name = e.getAttribute("aria-label") || (e.labels && e.labels.length ? e.labels[0].innerText :
		[...e.childNodes].filter(n => n.ariaHidden !== "true").map(n => n.textContent).join(""));
	return JSON.stringify({Name: name.trim(), Outline: getComputedStyle(e).outlineStyle + " " + getComputedStyle(e).outlineWidth});
})()`

// TestKeyboardOrder guards that everything is reached with the Tab key, in reading order, and that one sees where one is (WCAG 2.1.1, 2.4.3, 2.4.7).
func TestKeyboardOrder(t *testing.T) {
	browser := chromium(t)
	address, _ := gallery(t)
	tab := newTab(t, browser)
	tab.size(1280, 800, 1)
	for name, want := range map[string][]string{
		"login":          {"Continue with Acme SSO", "Continue with GitHub", "Continue with Partners", "Email address", "Password", "Log in"},
		"confirm-logout": {"Log out", "Stay logged in"},
		"account": {"Log out", "Log out all others", "Log out Safari on iPhone, 2001:db8:85a3::8a2e:370:7334",
			"Log out Edge on Windows, 198.51.100.23"},
		"problem-rule": {"Back to login"},
	} {
		t.Run(name, func(t *testing.T) {
			tab.t = t
			tab.open(address + "/" + name)
			var got []string
			for range want {
				run(tab, "pressing Tab", chromedp.KeyEvent(kb.Tab))
				var at struct{ Name, Outline string }
				if err := json.Unmarshal([]byte(tab.evaluate(focused)), &at); err != nil {
					t.Fatal(err)
				}
				if at.Outline != "solid 3px" {
					t.Errorf("%s: the outline is %q: one does not see where one is", at.Name, at.Outline)
				}
				got = append(got, at.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("the order is %q, want %q", got, want)
			}
			run(tab, "pressing Tab", chromedp.KeyEvent(kb.Tab))
			if rest := tab.evaluate(`document.activeElement.tagName`); rest != "BODY" {
				t.Errorf("one more thing can be reached: %s", tab.evaluate("document.activeElement.outerHTML"))
			}
		})
	}
}

// TestFormWithoutScripts guards that the login form works with scripts switched off: typed with the keyboard alone, sent with Enter, with every field.
func TestFormWithoutScripts(t *testing.T) {
	browser := chromium(t)
	posted := make(chan url.Values, 1)
	site := pages.New(pages.Site{})
	mux := http.NewServeMux()
	mux.HandleFunc(pages.AssetPath, site.Asset)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		site.Login(w, r, http.StatusOK, pages.LoginModel{Password: form("")})
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if site, mode := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin"); site != "same-origin" || mode != "http://"+r.Host {
			t.Errorf("the form came with Sec-Fetch-Site %q and Origin %q, by which it is to be told from a forged one", site, mode)
		}
		body, _ := io.ReadAll(r.Body)
		values, _ := url.ParseQuery(string(body))
		posted <- values
		http.Redirect(w, r, "/done", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) { site.LoggedOut(w, r, pages.LoggedOutModel{}) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	tab := newTab(t, browser)
	call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	tab.open(server.URL + "/login")
	tab.awaitFocus("email")
	for _, keys := range []string{"alice@acme.example", kb.Tab, "correct horse", kb.Enter} { // the first field has the focus
		run(tab, "typing", chromedp.KeyEvent(keys))
	}
	tab.awaitLocation(server.URL + "/done")
	want := url.Values{"email": {"alice@acme.example"}, "password": {"correct horse"}, "csrf": {"token"}, "return_to": {"/app?x=1&y=<2>"}}
	if got := <-posted; got.Encode() != want.Encode() {
		t.Errorf("posted %v, want %v", got, want)
	}
	if said := tab.heard(); len(said) > 0 {
		t.Errorf("the browser says: %s", strings.Join(said, "\n"))
	}
}

// TestLeadingOnAfterForm guards what doc.go of package pages promises: a form may end at another origin, which may redirect further, although form-action names only
// our own; and that a plain redirect would not get there, so that nobody simplifies it away.
func TestLeadingOnAfterForm(t *testing.T) {
	browser := chromium(t)
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<title>arrived</title>arrived")
	}))
	t.Cleanup(far.Close)
	hop := httptest.NewServer(http.RedirectHandler(far.URL+"/end", http.StatusFound))
	t.Cleanup(hop.Close)
	site := pages.New(pages.Site{})
	mux := http.NewServeMux()
	mux.HandleFunc(pages.AssetPath, site.Asset)
	mux.HandleFunc("GET /{how}", func(w http.ResponseWriter, r *http.Request) {
		site.ConfirmLogout(w, r, pages.ConfirmLogoutModel{Action: "/" + r.PathValue("how")})
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		site.LoggedOut(w, r, pages.LoggedOutModel{Provider: "Far", ProviderURL: hop.URL + "/logout?x=1&y=2"})
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		site.Continue(w, r, pages.ContinueModel{URL: hop.URL + "/app"})
	})
	mux.HandleFunc("POST /redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, hop.URL, http.StatusSeeOther) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	tab := newTab(t, browser)
	for _, how := range []string{"logout", "login"} {
		tab.open(server.URL + "/" + how)
		run(tab, "submitting", chromedp.Click(chromedp.CSS("button")))
		tab.awaitLocation(far.URL + "/end")
		if said := tab.heard(); len(said) > 0 {
			t.Errorf("%s: the browser says: %s", how, strings.Join(said, "\n"))
		}
	}
	tab.open(server.URL + "/redirect")
	run(tab, "submitting", chromedp.Click(chromedp.CSS("button")))
	tab.awaitComplaint("form-action")
	if where := run(tab, "asking where", chromedp.Location()); !strings.HasPrefix(where, server.URL) {
		t.Errorf("a redirect after the form got to %s: form-action does not hold", where)
	}
}
