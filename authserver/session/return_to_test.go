// SPDX-License-Identifier: Apache-2.0

package session

import (
	"net/url"
	"strings"
	"testing"
)

var places = NewPlaces("https://auth.example.com", []string{"app.example.com", "other.example.com:8443", "xn--bcher-kva.example"})

func TestReturnToLeadsToAllowedPlaces(t *testing.T) {
	const own = "https://auth.example.com"
	for raw, want := range map[string]string{
		"/":                                    own + "/",
		"/account":                             own + "/account",
		"/a/b?c=d&e=%2F%2F#f":                  own + "/a/b?c=d&e=%2F%2F#f",
		"/a?next=https://evil.example/":        own + "/a?next=https://evil.example/",
		"/proxy/https://elsewhere.example/":    own + "/proxy/https://elsewhere.example/",
		"/loginx":                              own + "/loginx",
		own:                                    own + "/",
		own + "/account?x=1":                   own + "/account?x=1",
		"https://app.example.com":              "https://app.example.com",
		"https://app.example.com/a/../b//c?d":  "https://app.example.com/a/../b//c?d",
		"https://app.example.com:443/a":        "https://app.example.com:443/a",
		"https://APP.example.com/a":            "https://APP.example.com/a",
		"https://other.example.com:8443/a":     "https://other.example.com:8443/a",
		"https://xn--bcher-kva.example/%E2%82": "https://xn--bcher-kva.example/%E2%82",
	} {
		if got := places.ReturnTo(raw); got != want {
			t.Errorf("%q leads to %q, want %q", raw, got, want)
		}
	}
}

// spellings are what turns a login page into an open redirect where return_to is not read strictly.
var spellings = []string{
	"", "account", "?a", "#a", ".", "..",
	"//evil.example", "///evil.example", "////evil.example", "//evil.example/account", "//auth.example.com",
	"/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/a\\b",
	"/\tevil.example", "/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/\r\n/evil.example", " //evil.example", "/ /evil.example", "/\x00/evil.example", "/\x7f",
	"/%2f%2fevil.example", "/%2Fevil.example", "/%5cevil.example", "/%5C%5Cevil.example", "/%09/evil.example", "/%0a%0dSet-Cookie:a=b", "/%252f%252fevil.example", "/%25252fevil.example",
	"/..//evil.example", "/.//evil.example", "/a/..//evil.example", "/a/../..//evil.example", "/%2e%2e//evil.example", "/a/%2e%2e/%2fevil.example", "/%252e%252e/a",
	"https:evil.example", "https:/evil.example", "https:///evil.example", "https:\\\\evil.example", "http://evil.example", "https://evil.example",
	"http://app.example.com/", "HTTPS://app.example.com/", "https://app.example.com.", "https://app.example.com./a", "https://app.example.com:8443/", "https://app.example.com:80/",
	"https://other.example.com/", "https://other.example.com:443/", "https://app.example.com.evil.example/", "https://evil.example/app.example.com", "https://evilapp.example.com/",
	"https://app.example.com@evil.example/", "https://app.example.com:443@evil.example/", "https://user@app.example.com/", "https://user:pass@app.example.com/", "https://@app.example.com/",
	"https://auth.example.com@evil.example/", "https://auth.example.com.evil.example/", "https://auth.example.com:8443/", "https://auth.example.com//evil.example", "https://auth.example.com/\\evil.example",
	"https://auth.example.comevil.example/", "https://auth.example.com?a", "https://auth.example.com#a",
	"https://evil.example#app.example.com", "https://evil.example?app.example.com", "https://evil.example\\app.example.com", "https://evil.example\\@app.example.com", "https://evil.example%2fapp.example.com/",
	"https://app.example.com%00.evil.example/", "https://app.example.com%2eevil.example", "https://app.example.com\t.evil.example", "https://[::1]/", "https://app.example.com:/x:y@z",
	"https://bücher.example/", "https://app。example.com/", "https://аpp.example.com/", "/bücher", "／／evil.example",
	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://app.example.com/", "blob:https://app.example.com/x", "app.example.com", "app.example.com:443",
	"/login", "/login/", "/login?redirect_uri=https://evil.example", "/logout", "/logout?x", "/%6cogout", "/auth/okta/logout/", "/auth/okta/login/", "/oauth2/token",
	"/" + strings.Repeat("a", maxReturnTo),
}

func TestReturnToIsNoOpenRedirect(t *testing.T) {
	for _, raw := range spellings {
		if got := places.ReturnTo(raw); got != "https://auth.example.com/account" {
			t.Errorf("%q leads to %q", raw, got)
		}
	}
}

func TestReturnToOnLoopback(t *testing.T) {
	p := NewPlaces("http://127.0.0.1:8080", nil)
	for raw, want := range map[string]string{
		"/x":                                  "http://127.0.0.1:8080/x",
		"http://127.0.0.1:8080/x":             "http://127.0.0.1:8080/x",
		"http://127.0.0.1:80/x":               "http://127.0.0.1:8080/account",
		"http://127.0.0.1:8080.evil.example/": "http://127.0.0.1:8080/account",
		"http://127.0.0.1:80801/":             "http://127.0.0.1:8080/account",
	} {
		if got := p.ReturnTo(raw); got != want {
			t.Errorf("%q leads to %q, want %q", raw, got, want)
		}
	}
}

// FuzzReturnTo holds what is allowed against another reading of it: that of the URL which the browser gets.
func FuzzReturnTo(f *testing.F) {
	for _, s := range spellings {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		to, ok := places.Allowed(raw)
		if !ok {
			return
		}
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "https" || u.User != nil {
			t.Fatalf("%q leads to %q", raw, to)
		}
		switch strings.ToLower(u.Host) {
		case "auth.example.com", "app.example.com", "app.example.com:443", "other.example.com:8443", "xn--bcher-kva.example", "xn--bcher-kva.example:443":
		default:
			t.Fatalf("%q leads to %q", raw, to)
		}
	})
}
