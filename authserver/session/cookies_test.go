// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var value = strings.Repeat("A", 43)

// TestCookieNamesAndAttributes is DESIGN §4's rule, each row of it.
func TestCookieNamesAndAttributes(t *testing.T) {
	for _, tt := range []struct {
		url, domain, want string
		pages             bool
	}{
		{"https://auth.example.com", "", "__Host-gatehouse-session=" + value + "; Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax", true},
		{"https://auth.example.com", "example.com", "__Secure-gatehouse-session=" + value + "; Path=/; Domain=example.com; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax", true},
		{"https://example.com:8443", "example.com", "__Secure-gatehouse-session=" + value + "; Path=/; Domain=example.com; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax", true},
		{"http://127.0.0.1:8080", "", "gatehouse-session=" + value + "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", true},
		{"http://[::1]:8080", "", "gatehouse-session=" + value + "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", true},
		{"http://localhost", "", "gatehouse-session=" + value + "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", true},
		{"http://a.localhost", "", "gatehouse-session=" + value + "; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", true},
		{"http://gatehouse-default.default.svc:8080", "", "", false},
		{"http://10.0.0.1", "", "", false},
		{"http://127.0.0.1.example.com", "", "", false},
	} {
		c, err := NewCookies(tt.url, tt.domain)
		if err != nil {
			t.Errorf("%s: %v", tt.url, err)
			continue
		}
		if c.Pages() != tt.pages {
			t.Errorf("%s: pages %v", tt.url, c.Pages())
		}
		if !tt.pages {
			continue
		}
		if got := c.Session(value).String(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.url, got, tt.want)
		}
		if gone := c.NoSession(); gone.MaxAge != -1 || gone.Name != c.Session(value).Name || gone.Domain != tt.domain || gone.Secure != c.secure || gone.Path != "/" {
			t.Errorf("%s: removed by %s", tt.url, gone)
		}
		other := c.of(c.login+"x", "v", time.Minute)
		if other.Domain != "" || !other.HttpOnly || other.Secure != strings.HasPrefix(tt.url, "https") || strings.HasPrefix(other.Name, hostPrefix) != other.Secure {
			t.Errorf("%s: other cookies are %s", tt.url, other)
		}
	}
}

func TestCookieDomainsThatBrowsersOrPrudenceRefuse(t *testing.T) {
	for _, tt := range []struct{ url, domain, want string }{
		{"https://auth.example.com", "com", "public suffix"},
		{"https://auth.example.co.uk", "co.uk", "public suffix"},
		{"https://acme.github.io", "github.io", "public suffix"},
		{"https://localhost", "localhost", "public suffix"},
		{"https://auth.example.com", "example.org", "does not lie under"},
		{"https://auth.example.com", "app.example.com", "does not lie under"},
		{"https://badexample.com", "example.com", "does not lie under"},
		{"https://auth.example.com", ".example.com", "no dot around it"},
		{"https://auth.example.com", "example.com.", "no dot around it"},
		{"https://auth.example.com", "Example.com", "lower case"},
		{"https://10.1.2.3", "10.1.2.3", "no address"},
	} {
		if _, err := NewCookies(tt.url, tt.domain); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "login.cookieDomain") {
			t.Errorf("%s under %s: %v, want %q", tt.url, tt.domain, err, tt.want)
		}
	}
}

func TestReadSessionCookie(t *testing.T) {
	c, err := NewCookies("https://auth.example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	one := "__Host-gatehouse-session=" + value
	for _, tt := range []struct {
		lines []string
		err   error
	}{
		{[]string{one}, nil},
		{[]string{"a=b; " + one + "; c=d"}, nil},
		{[]string{"a=b", one}, nil},
		{[]string{"a=b;" + one + ";"}, nil},
		{nil, ErrNoCookie},
		{[]string{"a=b"}, ErrNoCookie},
		{[]string{"gatehouse-session=" + value}, ErrNoCookie}, // the prefix is what browsers enforce
		{[]string{"__Secure-gatehouse-session=" + value}, ErrNoCookie},
		{[]string{"__host-gatehouse-session=" + value}, ErrNoCookie},
		{[]string{"x__Host-gatehouse-session=" + value}, ErrNoCookie},
		{[]string{one + "; " + one}, ErrTwice},
		{[]string{one, one}, ErrTwice},
		{[]string{one + "; __Host-gatehouse-session="}, ErrTwice},
		{[]string{"__Host-gatehouse-session"}, ErrMalformed},
		{[]string{"__Host-gatehouse-session="}, ErrMalformed},
		{[]string{one + "A"}, ErrMalformed},
		{[]string{one[:len(one)-1]}, ErrMalformed},
		{[]string{`__Host-gatehouse-session="` + value + `"`}, ErrMalformed},
		{[]string{one[:len(one)-1] + "B"}, ErrMalformed}, // bits after the last byte: two texts of one value
		{[]string{one[:len(one)-1] + "+"}, ErrMalformed},
		{[]string{one + ",a=b"}, ErrMalformed}, // two headers that somebody made one of
	} {
		got, err := c.Read(tt.lines)
		if !errors.Is(err, tt.err) || (err == nil) != (got == value) {
			t.Errorf("%q: %q, %v, want %v", tt.lines, got, err, tt.err)
		}
	}
}

// clock is a time that tests set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newLogins(t *testing.T, url, secret string, c *clock) (*Logins, *Forms) {
	t.Helper()
	cookies, err := NewCookies(url, "")
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 1<<16)
	for i := range random {
		random[i] = byte(i>>8) ^ byte(i*7)
	}
	logins, forms, err := NewLogins(cookies, []byte(secret), bytes.NewReader(random), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return logins, forms
}

// browser keeps cookies as one does.
type browser map[string]string

func (b browser) take(cookies ...*http.Cookie) {
	for _, c := range cookies {
		if c == nil {
			continue
		}
		if c.MaxAge < 0 {
			delete(b, c.Name)
		} else {
			b[c.Name] = c.Value
		}
	}
}

func (b browser) lines() (lines []string) {
	for name, v := range b {
		lines = append(lines, name+"="+v)
	}
	return lines
}

const origin = "https://auth.example.com"

func TestLoginComesBackAsItWentOut(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	logins, _ := newLogins(t, origin, "secret", c)
	b := browser{}
	want := &Login{ReturnTo: "/a", Handoff: &Handoff{RedirectURI: "https://app.example.com/cb", State: "s", Challenge: "c"}}
	set, err := logins.Begin(b.lines(), "okta", want)
	if err != nil {
		t.Fatal(err)
	}
	b.take(set...)
	if len(b) != 1 || set[0].MaxAge != 600 || !set[0].HttpOnly || !set[0].Secure || set[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("set %v", set)
	}
	if len(want.State) != 32 || len(want.Nonce) != 32 || len(want.Verifier) != 43 || want.State == want.Nonce {
		t.Errorf("state %d, nonce %d and verifier %d characters", len(want.State), len(want.Nonce), len(want.Verifier))
	}
	replica, _ := newLogins(t, origin, "secret", c)
	got, done, err := replica.Take(b.lines(), "okta", want.State)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if b.take(done); len(b) != 0 {
		t.Error("the cookie stays")
	}
}

// TestLoginThatIsNotOne guards each thing that a login is bound to.
func TestLoginThatIsNotOne(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	begin := func(t *testing.T, secret string) (*Logins, *clock, browser, *Login) {
		c := &clock{start}
		logins, _ := newLogins(t, origin, secret, c)
		b, l := browser{}, &Login{}
		set, err := logins.Begin(nil, "okta", l)
		if err != nil {
			t.Fatal(err)
		}
		b.take(set...)
		return logins, c, b, l
	}
	for name, spoil := range map[string]func(c *clock, b browser, l *Login, name string) (provider, state string){
		"no state": func(*clock, browser, *Login, string) (string, string) { return "okta", "" },
		"another state": func(_ *clock, _ browser, l *Login, _ string) (string, string) {
			return "okta", l.State[:31] + flip(l.State[31])
		},
		"another cookie's state": func(_ *clock, _ browser, l *Login, _ string) (string, string) {
			return "okta", flip(l.State[0]) + l.State[1:]
		},
		"longer state":     func(_ *clock, _ browser, l *Login, _ string) (string, string) { return "okta", l.State + "AAAA" },
		"another browser":  func(_ *clock, b browser, l *Login, _ string) (string, string) { clear(b); return "okta", l.State },
		"another provider": func(_ *clock, _ browser, l *Login, _ string) (string, string) { return "entra", l.State },
		"too late": func(c *clock, _ browser, l *Login, _ string) (string, string) {
			c.t = c.t.Add(LoginTime)
			return "okta", l.State
		},
		"cookie under another name": func(_ *clock, b browser, l *Login, name string) (string, string) {
			state := flip(l.State[0]) + l.State[1:]
			b[name[:len(name)-8]+state[:8]] = b[name]
			return "okta", state
		},
		"longer life": func(c *clock, b browser, l *Login, name string) (string, string) {
			raw, _ := encoding.DecodeString(b[name])
			raw[6]++ // of the end, in seconds
			b[name] = encoding.EncodeToString(raw)
			c.t = c.t.Add(LoginTime)
			return "okta", l.State
		},
		"edited": func(_ *clock, b browser, l *Login, name string) (string, string) {
			b[name] = b[name][:20] + flip(b[name][20]) + b[name][21:]
			return "okta", l.State
		},
		"cut": func(_ *clock, b browser, l *Login, name string) (string, string) {
			b[name] = b[name][:12]
			return "okta", l.State
		},
		"empty": func(_ *clock, b browser, l *Login, name string) (string, string) {
			b[name] = ""
			return "okta", l.State
		},
	} {
		t.Run(name, func(t *testing.T) {
			logins, c, b, l := begin(t, "secret")
			provider, state := spoil(c, b, l, logins.name(l.State))
			if got, done, err := logins.Take(b.lines(), provider, state); !errors.Is(err, ErrNoLogin) || got != nil || done != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	t.Run("another server", func(t *testing.T) {
		_, c, b, l := begin(t, "secret")
		other, _ := newLogins(t, origin, "another", c)
		if _, _, err := other.Take(b.lines(), "okta", l.State); !errors.Is(err, ErrNoLogin) {
			t.Error(err)
		}
	})
	t.Run("cookie twice", func(t *testing.T) {
		logins, _, b, l := begin(t, "secret")
		if _, _, err := logins.Take(append(b.lines(), b.lines()...), "okta", l.State); !errors.Is(err, ErrNoLogin) {
			t.Error(err)
		}
	})
	t.Run("as begun", func(t *testing.T) { // so that each of the above is refused for what it spoils
		logins, c, b, l := begin(t, "secret")
		c.t = c.t.Add(LoginTime - time.Second)
		if _, _, err := logins.Take(b.lines(), "okta", l.State); err != nil {
			t.Error(err)
		}
	})
}

// flip is another character of base64url, in whose place no bit is left over.
func flip(c byte) string {
	if c == 'A' {
		return "Q"
	}
	return "A"
}

// TestTabs guards that logins in several tabs do not disturb each other, and that their number is bounded.
func TestTabs(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	logins, _ := newLogins(t, origin, "secret", c)
	b := browser{"other": "cookie", logins.cookies.login + "broken!!": "x", logins.cookies.login + "spoiled1": "x"}
	var begun []*Login
	for range 12 {
		c.t = c.t.Add(time.Second)
		l := &Login{}
		set, err := logins.Begin(b.lines(), "okta", l)
		if err != nil {
			t.Fatal(err)
		}
		b.take(set...)
		begun = append(begun, l)
	}
	for i, l := range begun {
		_, _, err := logins.Take(b.lines(), "okta", l.State)
		if (err == nil) != (i >= len(begun)-maxLogins) {
			t.Errorf("login %d: %v", i, err)
		}
	}
	if _, ok := b[logins.cookies.login+"spoiled1"]; ok || b["other"] == "" {
		t.Errorf("what is left: %d cookies", len(b))
	}
	c.t = c.t.Add(LoginTime)
	set, err := logins.Begin(b.lines(), "okta", &Login{})
	if err != nil {
		t.Fatal(err)
	}
	if b.take(set...); len(b) != 3 {
		t.Errorf("%d cookies, want the new one, the foreign one and the one whose name is none of ours", len(b))
	}
	for range maxLogins { // long ones: the header stays short enough for gateways
		l := &Login{ReturnTo: "/" + strings.Repeat("a", maxReturnTo-1)}
		if set, err = logins.Begin(b.lines(), "okta", l); err != nil {
			t.Fatal(err)
		}
		b.take(set...)
	}
	if n := len(strings.Join(b.lines(), "; ")); n > maxLoginBytes+512 {
		t.Errorf("%d bytes of cookies", n)
	}
}

// TestLoginsFitIntoACookie guards that no browser drops a login: what is too long for a cookie is refused, and what callers let pass is not too long.
func TestLoginsFitIntoACookie(t *testing.T) {
	logins, _ := newLogins(t, origin, "secret", &clock{time.Unix(1_700_000_000, 0)})
	uri := "https://app.example.com/cb"
	for name, l := range map[string]*Login{
		"ampersands":        {ReturnTo: "/?" + strings.Repeat("&", maxReturnTo-2)},
		"an escaped state":  {Handoff: &Handoff{RedirectURI: uri, State: strings.Repeat(`"`, 1024-len(uri)), Challenge: strings.Repeat("c", 43)}},
		"state and cookies": {Handoff: &Handoff{RedirectURI: uri, State: strings.Repeat("<", 1024-len(uri)), Challenge: strings.Repeat("c", 43)}},
	} {
		set, err := logins.Begin(nil, "okta", l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := len(set[0].Name) + len(set[0].Value); n > 4096 {
			t.Errorf("%s: %d bytes", name, n)
		}
		got, _, err := logins.Take([]string{set[0].Name + "=" + set[0].Value}, "okta", l.State)
		if diff := cmp.Diff(l, got); diff != "" || err != nil {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
	}
	for name, l := range map[string]*Login{
		"return_to": {ReturnTo: "/" + strings.Repeat("a", 3000)},
		"state":     {Handoff: &Handoff{State: strings.Repeat("\x01", 600)}},
	} {
		if set, err := logins.Begin(nil, "okta", l); !errors.Is(err, ErrLoginTooLong) || set != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestForms(t *testing.T) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	_, forms := newLogins(t, origin, "secret", c)
	b := browser{}
	token, set, err := forms.Token(b.lines(), "logout", "s1")
	if err != nil || set == nil || set.MaxAge != 0 || !set.HttpOnly || !set.Secure {
		t.Fatalf("cookie %v, %v", set, err)
	}
	b.take(set)
	again, set, err := forms.Token(b.lines(), "logout", "s1")
	if err != nil || set != nil || again != token {
		t.Error("a second form of the page has another token")
	}
	_, foreign := newLogins(t, origin, "another", c)
	for _, tt := range []struct {
		name  string
		forms *Forms
		lines []string
		form  [3]string
		want  bool
	}{
		{"as made", forms, b.lines(), [3]string{"logout", "s1", token}, true},
		{"another purpose", forms, b.lines(), [3]string{"account", "s1", token}, false},
		{"another session", forms, b.lines(), [3]string{"logout", "s2", token}, false},
		{"no token", forms, b.lines(), [3]string{"logout", "s1", ""}, false},
		{"another token", forms, b.lines(), [3]string{"logout", "s1", flip(token[0]) + token[1:]}, false},
		{"no cookie", forms, nil, [3]string{"logout", "s1", token}, false},
		{"another cookie", forms, []string{"__Host-gatehouse-form=AAAAAAAAAAAAAAAAAAAAAA"}, [3]string{"logout", "s1", token}, false},
		{"cookie twice", forms, append(b.lines(), b.lines()...), [3]string{"logout", "s1", token}, false},
		{"another server", foreign, b.lines(), [3]string{"logout", "s1", token}, false},
	} {
		if got := tt.forms.Check(tt.lines, tt.form[0], tt.form[1], tt.form[2]); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestSameOrigin(t *testing.T) {
	for _, tt := range []struct {
		h    http.Header
		want bool
	}{
		{http.Header{}, true}, // programs and old browsers; the form's token decides
		{http.Header{"Sec-Fetch-Site": {"same-origin"}}, true},
		{http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"null"}}, true},
		{http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {origin}}, false},
		{http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {origin}}, false},
		{http.Header{"Sec-Fetch-Site": {"none"}}, false},
		{http.Header{"Sec-Fetch-Site": {"same-origin", "same-origin"}}, false},
		{http.Header{"Origin": {origin}}, true},
		{http.Header{"Origin": {"https://evil.example"}}, false},
		{http.Header{"Origin": {"http://auth.example.com"}}, false},
		{http.Header{"Origin": {"https://auth.example.com:8443"}}, false},
		{http.Header{"Origin": {"null"}}, false},
		{http.Header{"Origin": {origin, "https://evil.example"}}, false},
	} {
		if got := places.SameOrigin(tt.h); got != tt.want {
			t.Errorf("%v: %v", tt.h, got)
		}
	}
}
