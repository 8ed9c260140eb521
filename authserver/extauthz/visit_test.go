// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
)

// TestVisit guards which requests are taken for somebody who goes to a page with a browser, and to which URL, with both forms of headers.
func TestVisit(t *testing.T) {
	for name, c := range map[string]struct {
		method, scheme, host, path string
		headers                    []string
		want                       string
	}{
		"a page":            {"GET", "https", "app.example", "/x?y=z", []string{"accept", "text/html,*/*"}, "https://app.example/x?y=z"},
		"behind a proxy":    {"GET", "http", "app.example:8443", "/", []string{"accept", "text/html", "x-forwarded-proto", "https"}, "https://app.example:8443/"},
		"names in capitals": {"GET", "http", "app.example", "/", []string{"Accept", "text/html", "X-Forwarded-Proto", "https"}, "https://app.example/"},
		"a program":         {"GET", "https", "app.example", "/", []string{"accept", "application/json"}, ""},
		"no Accept":         {"GET", "https", "app.example", "/", []string{"accept-language", "text/html"}, ""},
		"a form":            {"POST", "https", "app.example", "/", []string{"accept", "text/html"}, ""},
		"a question":        {"HEAD", "https", "app.example", "/", []string{"accept", "text/html"}, ""},
		"no host":           {"GET", "https", "", "/", []string{"accept", "text/html"}, ""},
		"no path":           {"GET", "https", "app.example", "", []string{"accept", "text/html"}, ""},
		"another target":    {"GET", "https", "app.example", "*", []string{"accept", "text/html"}, ""},
	} {
		joined := map[string]string{}
		for i := 0; i < len(c.headers); i += 2 {
			joined[c.headers[i]] = c.headers[i+1]
		}
		for form, in := range map[string]*authv3.CheckRequest{"joined": joinedRequest(joined), "raw": rawRequest(c.headers...)} {
			h := in.Attributes.Request.Http
			h.Method, h.Scheme, h.Host, h.Path = c.method, c.scheme, c.host, c.path
			message := mustMarshal(t, in)
			r := new(Request)
			r.parse(message)
			clear(message) // it is not ours to keep
			if r.Visit != c.want || r.Problem != "" {
				t.Errorf("%s, %s: %q %s, want %q", name, form, r.Visit, r.Problem, c.want)
			}
		}
	}
}
