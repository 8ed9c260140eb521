// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Login is how people log in with a browser, and what slows down guessing.
type Login struct {
	// RedirectURIs are where a browser handoff may lead: GET /login?redirect_uri=… of an application that then exchanges the code at /oauth2/token. Compared
	// exactly. https URLs, http on a loopback host, or a private scheme such as com.example.app:/callback (RFC 8252). At most 32.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^https://[-A-Za-z0-9.:]+([/?][-A-Za-z0-9._~:/?@!$&()*+,;=%]*)?$') || self.matches('^http://(localhost|127[.]0[.]0[.]1|[[]::1[]])(:[0-9]{1,5})?([/?][-A-Za-z0-9._~:/?@!$&()*+,;=%]*)?$') || self.matches('^[a-z][a-z0-9+-]*([.][a-z0-9+-]+)+:/[-A-Za-z0-9._~:/?@!$&()*+,;=%]*$')",message="must be an https URL, http on localhost, 127.0.0.1 or [::1], or a private scheme such as com.example.app:/callback, without a fragment"
	// +optional
	RedirectURIs []string `json:"redirectURIs,omitempty"`

	// AllowedRedirectHosts are hosts, besides the server's own, to which return_to may lead after login, with https: a name, exactly, optionally with a port. At most 64.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*(:[0-9]{1,5})?$')",message="must be a host name in lower case such as app.example.com, without a wildcard"
	// +optional
	AllowedRedirectHosts []string `json:"allowedRedirectHosts,omitempty"`

	// CookieDomain makes the session cookie one of this domain and everything below it, so that gateways in front of app.example.com see a login at
	// auth.example.com: example.com. The external URL's host must lie in it, and it may be no public suffix such as com or github.io. Every host below it then sees the cookie. Without it the
	// cookie is the external URL's host's alone.
	//
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)+$')",message="must be a domain of your own in lower case such as example.com: not com alone, and without a leading dot"
	// +optional
	CookieDomain string `json:"cookieDomain,omitempty"`

	// TrustedProxies are addresses of proxies whose X-Forwarded-For is believed: the client is the last address in it that is not one of these. Without them the client is the
	// connection's other end. At most 32.
	//
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +optional
	TrustedProxies []CIDR `json:"trustedProxies,omitempty"`

	// Lockout slows down guessing of passwords.
	//
	// +kubebuilder:default={}
	// +optional
	Lockout Lockout `json:"lockout,omitempty"`

	// Theme is how the pages look.
	//
	// +kubebuilder:default={}
	// +optional
	Theme Theme `json:"theme,omitempty"`
}

// Lockout slows down guessing: too many failures for one name from one address (IPv4, or IPv6 /64) are answered with 429 for a while, and ten times as many for
// one name from all addresses, or from one address for all names. Who logged in from an address within 30 days is not locked out there by others' failures.
type Lockout struct {
	// MaxFailures within window that lead to a lock. 1 to 1000.
	//
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	MaxFailures *int32 `json:"maxFailures,omitempty"`

	// Window in which failures are counted. 1m to 24h.
	//
	// +kubebuilder:default="15m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('1m') && duration(self) <= duration('24h'))",message="window must be between 1m and 24h"
	// +optional
	Window Duration `json:"window,omitempty"`

	// Duration of the first lock; each further one is twice as long, up to 1h. 1s to 1h.
	//
	// +kubebuilder:default="1m"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') || (duration(self) >= duration('1s') && duration(self) <= duration('1h'))",message="duration must be between 1s and 1h"
	// +optional
	Duration Duration `json:"duration,omitempty"`
}

// Theme is how the pages look.
type Theme struct {
	// Title of the pages. Default: Gatehouse.
	//
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Title string `json:"title,omitempty"`

	// Logo above the login form.
	//
	// +optional
	Logo *Image `json:"logo,omitempty"`
}
