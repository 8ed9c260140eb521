// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

func fetch(p *Pages, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.Asset(w, httptest.NewRequest(method, path, http.NoBody))
	return w
}

// TestAssets guards what is served of stylesheet and images, with headers under which none of them can do anything.
func TestAssets(t *testing.T) {
	svg := &config.Image{MediaType: "image/svg+xml", Data: []byte("<svg onload=alert(1)>")}
	p := New(Site{Logo: png, Icons: []*config.Image{svg, nil, remote}})
	for path, want := range map[string]string{p.assets.stylesheet: "text/css; charset=utf-8", p.assets.mark: "image/svg+xml", p.assets.url(png): "image/png"} {
		answer := fetch(p, http.MethodGet, path)
		h := answer.Header()
		if answer.Code != http.StatusOK || h.Get("Content-Type") != want || answer.Body.Len() == 0 {
			t.Errorf("%s: %d %q, %d bytes", path, answer.Code, h.Get("Content-Type"), answer.Body.Len())
		}
		if h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none';") || !strings.HasSuffix(h.Get("Content-Security-Policy"), "; sandbox") {
			t.Errorf("%s: headers %v", path, h)
		}
		if head := fetch(p, http.MethodHead, path); head.Body.Len() != 0 || head.Header().Get("Content-Length") != h.Get("Content-Length") {
			t.Errorf("%s: HEAD has %d bytes", path, head.Body.Len())
		}
	}
	if url := p.assets.url(svg); url != "" {
		t.Errorf("an SVG that we did not make is served at %s", url)
	}
	for path, status := range map[string]int{AssetPath: 404, AssetPath + "x.png": 404, AssetPath + "../pages.go": 404, assetName(svg.Data, ".svg"): 404} {
		if answer := fetch(p, http.MethodGet, path); answer.Code != status || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

// TestStylesheetOfAnotherVersion guards a rolling update: a page of one version that asks another for its stylesheet is not left bare, and the answer is not kept.
func TestStylesheetOfAnotherVersion(t *testing.T) {
	answer := fetch(New(Site{}), http.MethodGet, AssetPath+"0123456789abcdef01234567.css")
	if answer.Code != http.StatusOK || answer.Header().Get("Cache-Control") != "no-store" || !strings.Contains(answer.Body.String(), "--ground") {
		t.Errorf("%d %q", answer.Code, answer.Header().Get("Cache-Control"))
	}
}

// TestImagesThatAreLeftOut guards that an image that may not be shown leads to the mark or the name's letter, not to a broken picture.
func TestImagesThatAreLeftOut(t *testing.T) {
	for name, bad := range map[string]*config.Image{
		"svg": {MediaType: "image/svg+xml", Data: []byte("<svg>")}, "html": {MediaType: "text/html", Data: []byte("<b>")}, "http": {URL: "http://plain.example/x.png"},
		"script": {URL: "javascript:alert(1)"}, "user": {URL: "https://u:p@cdn.example/x.png"}, "policy": {URL: "https://a.example; script-src/x.png"}, "address": {URL: "https://[2001:db8::1]/x.png"}, "empty": {},
	} {
		p := New(Site{Logo: bad, Icons: []*config.Image{bad}})
		answer := render(t, func(w http.ResponseWriter, r *http.Request) {
			p.Login(w, r, http.StatusOK, LoginModel{Providers: []Button{{"Zed", "/auth/z/login/", bad}}})
		})
		images := regexp.MustCompile(`<img[^>]* src="([^"]*)"`).FindAllStringSubmatch(answer.Body.String(), -1)
		if len(images) != 1 || images[0][1] != p.assets.mark || !strings.Contains(answer.Body.String(), ">Z</span>") {
			t.Errorf("%s: images %q", name, images)
		}
		if policy := answer.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "img-src 'self';") {
			t.Errorf("%s: %s", name, policy)
		}
	}
}

// TestClientName guards that people recognize their browsers, and that nothing of a header gets through.
func TestClientName(t *testing.T) {
	const mozilla = "Mozilla/5.0 "
	for agent, want := range map[string]string{
		mozilla + "(X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0":                                                                  "Firefox on Linux",
		mozilla + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36":                         "Chrome on Windows",
		mozilla + "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0":           "Edge on Windows",
		mozilla + "(iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		mozilla + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                   "Safari on macOS",
		mozilla + "(Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":        "Samsung Internet on Android",
		mozilla + "(X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36":                          "Chrome on ChromeOS",
		mozilla + "(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 OPR/120.0.0.0":                     "Opera on Linux",
		"curl/8.16.0": "curl", "": "Browser", "<script>alert(1)</script>": "Browser",
	} {
		if got := ClientName(agent); got != want {
			t.Errorf("%s: %q, want %q", agent, got, want)
		}
	}
}
