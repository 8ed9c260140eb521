// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// oidcTimeout bounds one login's or refresh's requests, all together.
const oidcTimeout = 20 * time.Second

// oidc is an OpenID provider (OpenID Connect Core 1.0, the authorization code flow).
//
// Endpoints that the administrator gave win over the metadata's, which tell the others. With authorizationEndpoint and tokenEndpoint given a login can do
// without metadata: while they are away userinfo is not asked, no iss is demanded of a callback, and there is no logout at the provider. What would have to be
// decided by userinfo then fails as a provider that is away does (lacking). With all five given, or without an issuer, nothing is discovered.
type oidc struct {
	deps
	config    *config.OIDC
	client    *client
	issuer    string // of identities
	mapper    *profile.Mapper
	discovery *discovery  // nil where nothing is discovered
	optional  bool        // a login can do without metadata
	source    keys.Source // of the keys of ID tokens
	secret    *jwk.Set    // for HS256, HS384 and HS512: the client secret; nil where it cannot be
	asks      asks
}

func newOIDC(c *config.Provider, d deps) (connector, error) {
	o := &oidc{deps: d, config: c.OIDC, issuer: c.IdentityIssuer()}
	var err error
	if o.mapper, err = profile.Compile(c.Mappings, c.Rules); err != nil {
		return nil, err
	}
	audience := c.OIDC.Issuer
	if c.OIDC.TokenEndpoint != "" { // then it is the name by which the provider is known here
		audience = c.OIDC.TokenEndpoint
	}
	if o.client, err = newClient(&c.OIDC.Client, audience); err != nil {
		return nil, err
	}
	if err := o.checkEndpoints(); err != nil {
		return nil, err
	}
	if o.asks, err = readAsks(c.OIDC.Parameters); err != nil {
		return nil, err
	}
	if o.secret, err = secretKeys(c.OIDC); err != nil {
		return nil, err
	}
	if err := o.planDiscovery(); err != nil {
		return nil, err
	}
	o.source = keys.Source{URL: c.OIDC.JWKSEndpoint, AllowedCIDRs: d.reach.AllowedCIDRs, CABundle: d.reach.CABundle}
	if o.source.URL == "" {
		o.source.URL, o.source.Discovery, o.source.Issuer = c.OIDC.Discovery, true, c.OIDC.Issuer
	}
	return o, nil
}

// secretKeys makes a key of the client secret where signingAlgorithms ask for one (OpenID Connect Core 1.0 §10.1).
func secretKeys(c *config.OIDC) (*jwk.Set, error) {
	if !slices.ContainsFunc(c.Algorithms, symmetric) {
		return nil, nil
	}
	if a := c.Client.Authentication; a != config.ClientSecretBasic && a != config.ClientSecretPost {
		return nil, errors.New("signingAlgorithms: HS256, HS384 and HS512 need a client secret: leave them out, or use ClientSecretBasic or ClientSecretPost")
	}
	key, err := jwk.New([]byte(c.Client.Secret))
	if err != nil {
		return nil, fmt.Errorf("signingAlgorithms: the client secret is no key for HS256, HS384 or HS512: %w", err)
	}
	return jwk.NewSet(key), nil
}

func symmetric(algorithm string) bool { return strings.HasPrefix(algorithm, "HS") }

// reserved are the parameters of an authorization request that a login sets itself.
var reserved = []string{
	"client_id", "client_secret", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri",
}

// authorizationForm is what OIDC and OAuth2 ask alike (RFC 6749 §4.1.1, RFC 7636 §4.3).
func authorizationForm(c *config.Client, a Ask, scopes []string) url.Values {
	q := url.Values{"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {a.RedirectURI}, "state": {a.State}}
	if len(scopes) > 0 {
		q.Set("scope", strings.Join(scopes, " "))
	}
	if a.Challenge != "" {
		q.Set("code_challenge", a.Challenge)
		q.Set("code_challenge_method", "S256")
	}
	return q
}

func (o *oidc) authorizationURL(ctx context.Context, a Ask) (string, error) {
	endpoint, err := o.authorizationEndpoint(ctx)
	if err != nil {
		return "", err
	}
	u, err := checkURL("authorizationEndpoint", endpoint)
	if err != nil {
		return "", refuse(ReasonMisconfigured, err.Error())
	}
	scopes := o.client.Scopes
	if !slices.Contains(scopes, "openid") {
		scopes = slices.Concat([]string{"openid"}, scopes)
	}
	q := authorizationForm(o.client.Client, a, scopes)
	q.Set("nonce", a.Nonce)
	for _, p := range o.config.Parameters {
		q.Set(p.Name, p.Value)
	}
	return withQuery(u, q), nil
}

// checkIssuer compares a callback's iss with the issuer, and demands one where the metadata promise it (RFC 9207 §2.4). Where no issuer is known,
// there is nothing to compare it with.
func (o *oidc) checkIssuer(ctx context.Context, iss string, has bool) error {
	if has {
		if o.config.Issuer != "" && iss != o.config.Issuer {
			return refuse(ReasonIssuerMismatch, "iss of the callback is not the provider's issuer: the answer of another provider, or oidc.issuer is not what the provider calls itself")
		}
		return nil
	}
	e, err := o.endpoints(ctx)
	if err != nil {
		return err
	}
	if e.sendsIssuer {
		return refuse(ReasonIssuerMismatch, "the callback has no iss although the provider's metadata promise one (authorization_response_iss_parameter_supported)")
	}
	return nil
}

func (o *oidc) exchange(ctx context.Context, a Answer) (*Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, oidcTimeout)
	defer cancel()
	e, err := o.endpoints(ctx)
	if err != nil {
		return nil, err
	}
	t, err := o.requestTokens(ctx, o.client, e.token, codeForm(a))
	if err != nil {
		return nil, err
	}
	if t.IDToken == "" {
		return nil, refuse(ReasonIDTokenMissing, "tokenEndpoint: its answer has no id_token: the provider must know this client as one of OpenID Connect; for plain OAuth 2.0 use type OAuth2")
	}
	id, err := o.readIDToken(ctx, t.IDToken, t.AccessToken)
	if err != nil {
		return nil, err
	}
	if err := o.checkLogin(id.claims, a.Nonce); err != nil {
		return nil, err
	}
	return o.describe(ctx, e, id, t)
}

// status is the metadata's until they are read, then also the keys'.
func (o *oidc) status() Status {
	k := o.keys.Status(o.source)
	s := Status{Fetched: k.Fetched, Ready: k.Ready, Reason: k.Reason, Since: k.Since}
	if !k.Ready {
		s.Message = k.Message
	}
	if o.discovery == nil {
		return s
	}
	d := o.discovery.status()
	switch {
	case o.optional && d.Fetched && !d.Ready && s.Message == "":
		s.Message = "logins go on without what the metadata would tell, such as userInfoEndpoint and endSessionEndpoint, which can be set: " + d.Message
		return s
	case o.optional && !d.Ready:
		return s
	case !d.Ready || !k.Fetched:
		return d
	}
	if s.Ready && d.Since.After(s.Since) {
		s.Since = d.Since
	}
	return s
}
