// SPDX-License-Identifier: Apache-2.0

package pages

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// permissions switches off what no page uses and no injected content shall.
const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()"

// pageHeaders sets what every page has. Referrer-Policy is same-origin and not no-referrer: under the latter browsers send "Origin: null" with our own
// forms, and the origin could not be checked.
func pageHeaders(h http.Header, policy string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Add("Vary", "Accept-Language")
}

// contentPolicy is the Content-Security-Policy of the pages: our stylesheet, our images and those of the configured origins, forms to ourselves.
func contentPolicy(images []*config.Image) string {
	sources := []string{"'self'"}
	for _, image := range images {
		if origin := remoteOrigin(image); origin != "" && !slices.Contains(sources, origin) {
			sources = append(sources, origin)
		}
	}
	return "default-src 'none'; style-src 'self'; img-src " + strings.Join(sources, " ") +
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// sourceHost is a host of CSP's grammar (CSP Level 3 §2.3.1), which knows no IPv6 address.
var sourceHost = regexp.MustCompile(`^[A-Za-z0-9]([-.A-Za-z0-9]*[A-Za-z0-9])?(:[0-9]{1,5})?$`)

// remoteOrigin is the https origin of an image that browsers fetch elsewhere; "" for any other image, and for a URL that a policy cannot name.
func remoteOrigin(image *config.Image) string {
	if image == nil || image.URL == "" {
		return ""
	}
	u, err := url.Parse(image.URL)
	if err != nil || u.Scheme != "https" || u.User != nil || !sourceHost.MatchString(u.Host) {
		return ""
	}
	return "https://" + strings.ToLower(u.Host)
}
