// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
)

// site is what browsers meet by one configuration. It is immutable.
type site struct {
	// origin is the external URL without a slash at its end: what every URL that we build begins with.
	origin    string
	cookies   *session.Cookies
	places    session.Places
	logins    *session.Logins
	forms     *session.Forms
	pages     *pages.Pages
	providers *idp.Set
	// origins are those whose scripts may ask the endpoints of cors.go.
	origins   []string
	directory *directory.Snapshot
	// store tells whether anybody can log in at all (store.type None: nobody), dsn where PostgreSQL is, "" for the Embedded store, and
	// caBundle whom to trust there.
	store         bool
	dsn, caBundle string
}

// siteMaker makes sites; it keeps what outlives a configuration.
type siteMaker struct {
	secret  []byte // keys of login transactions and forms are derived from it
	random  io.Reader
	now     func() time.Time
	idp     idp.Options
	current *site
}

func newSiteMaker(o *Options, secret []byte, keys idp.KeySource) *siteMaker {
	return &siteMaker{
		secret: secret, random: rand.Reader, now: o.Now,
		idp: idp.Options{
			Clients: outbound.NewClients(outbound.Options{}), Keys: keys, Now: o.Now, Random: rand.Reader,
			ExtraAllowedCIDRs: append([]netip.Prefix(nil), o.ExtraAllowedCIDRs...),
		},
	}
}

// make makes the site of a configuration. Providers that did not change keep what they know of their upstreams.
func (m *siteMaker) make(base *config.Base, logins *login.Snapshot) (*site, error) {
	s := &site{origin: strings.TrimSuffix(base.ExternalURL, "/"), store: logins.Store(), dsn: base.Store.DSN, caBundle: base.Store.CABundle}
	var err error
	if s.cookies, err = session.NewCookies(base.ExternalURL, base.Login.CookieDomain); err != nil {
		return nil, fmt.Errorf("checking %s: %w", config.FileBase, err)
	}
	if s.logins, s.forms, err = session.NewLogins(s.cookies, m.secret, m.random, m.now); err != nil {
		return nil, err
	}
	var known *idp.Set
	if m.current != nil {
		known = m.current.providers
	}
	if s.providers, err = idp.NewSet(known, base, m.idp); err != nil {
		return nil, fmt.Errorf("checking %s: %w", config.FileBase, err)
	}
	s.origins = sharedOrigins(s.origin, base.Login.RedirectURIs)
	s.places = session.NewPlaces(base.ExternalURL, base.Login.AllowedRedirectHosts)
	s.directory = directory.NewSnapshot(base, logins.SubjectOf)
	look := pages.Site{Title: base.Login.Title, Logo: base.Login.Logo}
	for i := range base.Providers {
		look.Icons = append(look.Icons, base.Providers[i].Icon)
	}
	s.pages = pages.New(look)
	m.current = s
	return s, nil
}

// open tells whether people can log in here with a browser.
func (s *site) open() bool { return s.store && s.cookies.Pages() }

// provider returns the OIDC or OAuth2 provider of "namespace/name", nil if there is none.
func (s *site) provider(name string) *idp.Provider { return s.providers.ByObject(objectOf(name)) }

// objectOf is the object of "namespace/name", providerOf the reverse.
func objectOf(name string) string { return "IdentityProvider/" + name }

func providerOf(object string) string { return strings.TrimPrefix(object, "IdentityProvider/") }
