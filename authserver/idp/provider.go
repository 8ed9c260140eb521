// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// Provider is one OIDC or OAuth2 provider. Its methods may be called from several goroutines; their errors are [*Error].
type Provider struct {
	config    *config.Provider
	reach     outbound.Profile
	connector connector
}

// Config returns what the provider was made from. It must not be changed.
func (p *Provider) Config() *config.Provider { return p.config }

// PKCE tells whether logins at this provider use a code challenge (RFC 7636).
func (p *Provider) PKCE() bool {
	switch {
	case p.config.OIDC != nil:
		return p.config.OIDC.Client.PKCE
	case p.config.OAuth2 != nil:
		return p.config.OAuth2.Client.PKCE
	}
	return true
}

// AuthorizationURL returns where the browser is sent to log in (RFC 6749 §4.1.1).
func (p *Provider) AuthorizationURL(ctx context.Context, a Ask) (string, error) {
	if a.State == "" || a.Nonce == "" || a.RedirectURI == "" || (a.Challenge != "") != p.PKCE() {
		return "", refuse(ReasonMisconfigured, "a fault of Gatehouse: an authorization request lacks state, nonce, redirect_uri or code_challenge")
	}
	return p.connector.authorizationURL(ctx, a)
}

// CheckIssuer tells whether a callback can be this provider's, by its parameter iss (RFC 9207 §2.4). It is for callbacks that tell of an
// error, too; Exchange calls it by itself.
func (p *Provider) CheckIssuer(ctx context.Context, iss string, has bool) error {
	if c, ok := p.connector.(issuerChecker); ok {
		return c.checkIssuer(ctx, iss, has)
	}
	return nil
}

// Exchange turns the code of a callback into a person. The token endpoint is not called where the callback is another issuer's.
func (p *Provider) Exchange(ctx context.Context, a Answer) (*Profile, error) {
	if err := p.CheckIssuer(ctx, a.Issuer, a.HasIssuer); err != nil {
		return nil, err
	}
	switch {
	case a.Code == "":
		return nil, refuse(ReasonNoCode, "the callback has no code")
	case a.Nonce == "" || a.RedirectURI == "" || (a.Verifier != "") != p.PKCE():
		return nil, refuse(ReasonMisconfigured, "a fault of Gatehouse: a login has lost its nonce, redirect_uri or code_verifier")
	}
	return p.connector.exchange(ctx, a)
}

// Refresh renews a login: the person as they are now, and what to keep in place of u. The error wraps [ErrNoRefresh] where
// there is nothing to renew with, [ErrEnded] where the provider or a rule says no or the provider has become another (nothing is sent then), and [ErrUnavailable] where nobody can tell. A Profile beside an error, which
// is never ErrEnded, holds an Upstream and nothing else: keep it in place of u, since the provider took its refresh token and gave another before it failed.
func (p *Provider) Refresh(ctx context.Context, u Upstream) (*Profile, error) {
	c, ok := p.connector.(refresher)
	if !ok || u.RefreshToken == "" {
		return nil, &Error{Reason: ReasonEnded, Detail: "the provider gave no refresh token", cause: ErrNoRefresh}
	}
	if !p.gave(u) {
		return nil, &Error{Reason: ReasonEnded, Detail: "the login was at another issuer than the provider's of today: its tokens are not sent there", cause: ErrEnded}
	}
	return c.refresh(ctx, u)
}

// LogoutURL returns where the browser is sent to log out at the provider; false without syncLogout or an endpoint for it. postLogout is where
// the provider sends it afterwards, with state. A provider that has become another is not sent the ID token of the one before.
func (p *Provider) LogoutURL(ctx context.Context, u Upstream, postLogout, state string) (string, bool) {
	c, ok := p.connector.(leaver)
	if !ok || !p.config.SyncLogout {
		return "", false
	}
	if !p.gave(u) {
		u = Upstream{}
	}
	return c.logoutURL(ctx, u, postLogout, state)
}

// gave tells whether what was kept is of this provider as it is configured now: a refresh token or an ID token is for nobody but who issued it. Of what was kept
// without an issuer nobody can tell, and the provider decides.
func (p *Provider) gave(u Upstream) bool {
	return u.Issuer == "" || u.Issuer == p.config.IdentityIssuer()
}

// BackChannelLogout checks a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6). Whether its ID was used before is left to the caller.
func (p *Provider) BackChannelLogout(ctx context.Context, token string) (Logout, error) {
	c, ok := p.connector.(backChannel)
	if !ok {
		return Logout{}, refuse(ReasonLogoutToken, "only OIDC providers can send logout tokens")
	}
	return c.backChannelLogout(ctx, token)
}

// Status reports on the provider for /configz. It fetches nothing.
func (p *Provider) Status() Status { return p.connector.status() }
