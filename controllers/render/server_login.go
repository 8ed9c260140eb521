// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"slices"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

// Defaults of login.lockout and login.theme.
const (
	defaultMaxFailures = 10
	defaultTitle       = "Gatehouse"
)

// login is spec.login but for the logo, whose bytes render reads.
func (s *serverPlan) login() config.Login {
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
	return l
}
