// SPDX-License-Identifier: Apache-2.0

package crd_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	redirectMessage = "must be an https URL, http on localhost, 127.0.0.1 or [::1], or a private scheme such as com.example.app:/callback, without a fragment"
	redirectHost    = "must be a host name in lower case such as app.example.com, without a wildcard"
	domainMessage   = "must be a domain of your own in lower case such as example.com: not com alone, and without a leading dot"
	imageMessage    = "must be an https URL such as https://example.com/icon.png, without user, fragment, quotes, commas, semicolons or spaces"
)

// login is an AuthServer with this line in spec.login.
func login(line string) string { return server("login: {" + line + "}") }

// many are n items of a list, each made from its number.
func many(n int, format string) string {
	var items []string
	for i := range n {
		items = append(items, fmt.Sprintf(format, i))
	}
	return "[" + strings.Join(items, ", ") + "]"
}

var _ = DescribeTable("spec.login is refused with a message that names the fix",
	func(ctx SpecContext, manifest, want string) {
		_, err := create(ctx, manifest)
		Expect(err).To(MatchError(ContainSubstring(want)))
	},
	Entry("redirect to http", login("redirectURIs: ['http://app.example.com/cb']"), redirectMessage),
	Entry("redirect to http on a host that looks local", login("redirectURIs: ['http://localhost.example.com/cb']"), redirectMessage),
	Entry("redirect to a user before localhost", login("redirectURIs: ['http://localhost:80@evil.example/cb']"), redirectMessage),
	Entry("redirect with a fragment", login("redirectURIs: ['https://app.example.com/cb#x']"), redirectMessage),
	Entry("redirect with a user", login("redirectURIs: ['https://app@evil.example/cb']"), redirectMessage),
	Entry("redirect to a script", login("redirectURIs: ['javascript:alert(1)']"), redirectMessage),
	Entry("redirect to data", login("redirectURIs: ['data:text/html,x']"), redirectMessage),
	Entry("redirect without a scheme", login("redirectURIs: ['//app.example.com/cb']"), redirectMessage),
	Entry("redirect to a scheme of nobody's domain", login("redirectURIs: ['myapp:/cb']"), redirectMessage),
	Entry("redirect with a wildcard host", login("redirectURIs: ['https://*.example.com/cb']"), redirectMessage),
	Entry("empty redirect", login("redirectURIs: ['']"), "spec.login.redirectURIs[0] in body should be at least 1 chars long"),
	Entry("one redirect twice", login("redirectURIs: ['https://a.example/', 'https://a.example/']"), "spec.login.redirectURIs[1]: Duplicate value"),
	Entry("33 redirects", login("redirectURIs: "+many(33, "'https://a%d.example/'")), "spec.login.redirectURIs: Too many: 33: must have at most 32 items"),
	Entry("host with a wildcard", login("allowedRedirectHosts: ['*.example.com']"), redirectHost),
	Entry("host in upper case", login("allowedRedirectHosts: [App.example.com]"), redirectHost),
	Entry("host with a scheme", login("allowedRedirectHosts: ['https://app.example.com']"), redirectHost),
	Entry("65 hosts", login("allowedRedirectHosts: "+many(65, "a%d.example")), "spec.login.allowedRedirectHosts: Too many: 65: must have at most 64 items"),
	Entry("cookie domain with a leading dot", login("cookieDomain: .example.com"), domainMessage),
	Entry("cookie domain without a dot", login("cookieDomain: localhost"), domainMessage),
	Entry("cookie domain in upper case", login("cookieDomain: Example.com"), domainMessage),
	Entry("proxy that is no range", login("trustedProxies: [proxy]"), "must be an address range such as 10.96.0.0/12 or fd00::/8"),
	Entry("33 proxies", login("trustedProxies: "+many(33, "10.0.%d.0/24")), "spec.login.trustedProxies: Too many: 33: must have at most 32 items"),
	Entry("no failure allowed", login("lockout: {maxFailures: 0}"), "spec.login.lockout.maxFailures in body should be greater than or equal to 1"),
	Entry("1001 failures", login("lockout: {maxFailures: 1001}"), "spec.login.lockout.maxFailures in body should be less than or equal to 1000"),
	Entry("window of a second", login("lockout: {window: 1s}"), "window must be between 1m and 24h"),
	Entry("window of two days", login("lockout: {window: 48h}"), "window must be between 1m and 24h"),
	Entry("window as 1d", login("lockout: {window: 1d}"), durationMessage),
	Entry("lock of no time", login("lockout: {duration: 0s}"), "duration must be between 1s and 1h"),
	Entry("lock of two hours", login("lockout: {duration: 2h}"), "duration must be between 1s and 1h"),
	Entry("empty title", login("theme: {title: ''}"), "spec.login.theme.title in body should be at least 1 chars long"),
	Entry("long title", login("theme: {title: "+strings.Repeat("x", 65)+"}"), "spec.login.theme.title: Too long: may not be more than 64 bytes"),
	Entry("logo of two sources", login("theme: {logo: {url: 'https://a.example/l.png', configMapRef: {name: a, key: b}}}"), "set exactly one of url and configMapRef"),
	Entry("logo of none", login("theme: {logo: {}}"), "set exactly one of url and configMapRef"),
	Entry("logo over http", login("theme: {logo: {url: 'http://a.example/l.png'}}"), imageMessage),
	Entry("logo that ends the policy of the page", login("theme: {logo: {url: 'https://a.example/l.png; script-src *'}}"), imageMessage),
	Entry("logo without a key", login("theme: {logo: {configMapRef: {name: a}}}"), "spec.login.theme.logo.configMapRef.key: Required value"),
)

var _ = DescribeTable("spec.login accepts", func(ctx SpecContext, manifest string) {
	_, err := create(ctx, manifest)
	Expect(err).NotTo(HaveOccurred())
},
	Entry("redirects of web, local and native apps", login("redirectURIs: ['https://app.example.com/cb?x=1', 'http://localhost:8080/cb', 'http://127.0.0.1/cb', 'http://[::1]:3000/cb', 'com.example.app:/callback']")),
	Entry("hosts with a port", login("allowedRedirectHosts: [app.example.com, 'app.example.com:8443']")),
	Entry("a cookie domain", login("cookieDomain: example.co.uk")),
	Entry("proxies of both families", login("trustedProxies: [10.0.0.0/8, 'fd00::/8']")),
	Entry("the bounds of lockout", login("lockout: {maxFailures: 1000, window: 24h, duration: 1h}")),
	Entry("a title and a logo", login("theme: {title: Acme, logo: {configMapRef: {name: brand, key: logo.png}}}")),
)
