// SPDX-License-Identifier: Apache-2.0

package config

// Login is how people log in with a browser, and what slows down guessing.
type Login struct {
	// RedirectURIs of the browser handoff, compared exactly.
	RedirectURIs []string `json:"redirectURIs,omitempty"`
	// AllowedRedirectHosts are "host" or "host:port" in lower case, to which return_to may lead with https.
	AllowedRedirectHosts []string `json:"allowedRedirectHosts,omitempty"`
	// CookieDomain is the session cookie's Domain; empty for the external URL's host alone.
	CookieDomain string `json:"cookieDomain,omitempty"`
	// TrustedProxies are prefixes such as 10.0.0.0/8.
	TrustedProxies []string `json:"trustedProxies,omitempty"`
	Lockout        Lockout  `json:"lockout"`
	// Title of the pages; empty stands for Gatehouse.
	Title string `json:"title"`
	Logo  *Image `json:"logo,omitempty"`
}

// Lockout slows down guessing of passwords. Zero values stand for the defaults: files written by an earlier version lack them.
type Lockout struct {
	MaxFailures int      `json:"maxFailures"`
	Window      Duration `json:"window"`
	Duration    Duration `json:"duration"`
}

// Image is a picture of a page: a URL that browsers fetch, or the bytes that the server serves.
type Image struct {
	URL string `json:"url,omitempty"`
	// MediaType is image/png, image/jpeg or image/webp.
	MediaType string `json:"mediaType,omitempty"`
	// Data has at most 64 KiB.
	Data []byte `json:"data,omitempty"`
}
