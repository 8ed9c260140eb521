// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Defaults of login.lockout and login.theme.
const (
	defaultMaxFailures = 10
	defaultTitle       = "Gatehouse"
)

// login is spec.login but for the logo, which render reads.
func (s *serverPlan) login(externalURL string) config.Login {
	spec := &s.object.Spec.Login
	l := config.Login{
		RedirectURIs:         slices.Clone(spec.RedirectURIs),
		AllowedRedirectHosts: slices.Clone(spec.AllowedRedirectHosts),
		CookieDomain:         spec.CookieDomain,
		Title:                cmp.Or(spec.Theme.Title, defaultTitle),
		Lockout: config.Lockout{
			MaxFailures: defaultMaxFailures,
			Window:      duration(spec.Lockout.Window, "15m"),
			Duration:    duration(spec.Lockout.Duration, "1m"),
		},
		TrustedProxies: s.cidrs("spec.login.trustedProxies", spec.TrustedProxies),
	}
	if n := spec.Lockout.MaxFailures; n != nil && *n > 0 {
		l.Lockout.MaxFailures = int(*n)
	}
	if l.Lockout.Window <= 0 || l.Lockout.Duration <= 0 {
		s.refuse(v1alpha1.ReasonInvalid, "spec.login.lockout", "window and duration must be positive")
	}
	for i, given := range l.RedirectURIs {
		if err := checkRedirectURI(given); err != nil {
			s.refuse(v1alpha1.ReasonInvalid, fmt.Sprintf("spec.login.redirectURIs[%d]", i), "%v", err)
		}
	}
	if l.CookieDomain != "" {
		if err := checkCookieDomain(l.CookieDomain, externalURL); err != nil {
			s.refuse(v1alpha1.ReasonInvalid, "spec.login.cookieDomain", "%v", err)
		}
	}
	if logo := spec.Theme.Logo; logo != nil {
		planImage(&s.findings, "spec.login.theme.logo", logo)
	}
	return l
}

// checkRedirectURI looks at what the schema's pattern cannot: that it is a URL. http is for programs on the person's own machine (RFC 8252 §7.3).
func checkRedirectURI(s string) error {
	u, err := url.Parse(s)
	wrong := err != nil || u.User != nil || strings.Contains(s, "#") || !validPort(u.Port())
	if !wrong {
		switch u.Scheme {
		case "https":
			wrong = u.Hostname() == ""
		case "http":
			wrong = !isLoopback(u.Hostname())
		default:
			wrong = !strings.Contains(u.Scheme, ".") // a scheme of somebody's domain, so neither javascript nor data
		}
	}
	if wrong {
		return errors.New("must be an https URL, http on localhost, 127.0.0.1 or [::1], or a private scheme such as com.example.app:/callback, without a fragment")
	}
	return nil
}

// checkCookieDomain tells whether browsers take a cookie for the domain from the external URL's host, and whether nobody else's hosts are in it.
func checkCookieDomain(domain, externalURL string) error {
	host := hostOf(externalURL)
	if _, err := netip.ParseAddr(host); err == nil {
		return fmt.Errorf("the external URL's host is an address, for which browsers take no cookie of a domain: leave it out, or give the server a name")
	}
	if !under(host, domain) {
		return fmt.Errorf("%q must be the host of the external URL or a domain that it lies in, and that is %s: write such as example.com for auth.example.com", domain, externalURL)
	}
	if suffix, _ := publicsuffix.PublicSuffix(domain); suffix == domain {
		return fmt.Errorf("%q is a public suffix, under which anybody can have a host: write your own domain below it, such as example.%s", domain, domain)
	}
	return nil
}
