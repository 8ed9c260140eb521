// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"
)

// endpoints are where an OpenID provider is asked.
type endpoints struct {
	authorization, token string
	userInfo, endSession string // "" for none
	sendsIssuer          bool   // iss comes with every callback (RFC 9207 §3)
	// noUserInfo says why nobody knows whether there is a userinfo endpoint; "" where it is known.
	noUserInfo string
}

// planDiscovery settles whether metadata are read, and whether a login needs them.
func (o *oidc) planDiscovery() error {
	c := o.config
	o.optional = c.AuthorizationEndpoint != "" && c.TokenEndpoint != ""
	enough := o.optional && c.JWKSEndpoint != ""
	all := enough && c.UserInfoEndpoint != "" && c.EndSessionEndpoint != ""
	switch known := c.Issuer != "" && c.Discovery != ""; {
	case !known && !enough:
		return errors.New("issuer is required, or authorizationEndpoint, tokenEndpoint and jwksEndpoint")
	case known && !all:
		o.discovery = o.discover(c.Discovery, c.Issuer)
	}
	return nil
}

func (o *oidc) checkEndpoints() error {
	c := o.config
	for name, text := range map[string]string{
		"authorizationEndpoint": c.AuthorizationEndpoint, "tokenEndpoint": c.TokenEndpoint, "userInfoEndpoint": c.UserInfoEndpoint,
		"jwksEndpoint": c.JWKSEndpoint, "endSessionEndpoint": c.EndSessionEndpoint,
	} {
		if text == "" {
			continue
		}
		if _, err := checkURL(name, text); err != nil {
			return err
		}
	}
	return nil
}

// endpoints returns where the provider is asked.
func (o *oidc) endpoints(ctx context.Context) (*endpoints, error) {
	e := &endpoints{}
	if o.discovery != nil {
		m, f := o.discovery.get(ctx, !o.optional)
		switch {
		case f == nil:
			*e = endpoints{m.AuthorizationEndpoint, m.TokenEndpoint, m.UserInfoEndpoint, m.EndSessionEndpoint, m.SendsIssuer, ""}
		case !o.optional:
			return nil, unavailable(f.message)
		case !f.absent && o.config.UserInfoEndpoint == "":
			e.noUserInfo = f.message
		}
	}
	for _, row := range []struct {
		to   *string
		from string
	}{
		{&e.authorization, o.config.AuthorizationEndpoint}, {&e.token, o.config.TokenEndpoint},
		{&e.userInfo, o.config.UserInfoEndpoint}, {&e.endSession, o.config.EndSessionEndpoint},
	} {
		if row.from != "" {
			*row.to = row.from
		}
	}
	switch {
	case e.authorization == "":
		return nil, refuse(ReasonMisconfigured, "the provider's metadata have no authorization_endpoint: set authorizationEndpoint")
	case e.token == "":
		return nil, refuse(ReasonMisconfigured, "the provider's metadata have no token_endpoint: set tokenEndpoint")
	}
	return e, nil
}

// authorizationEndpoint is where the browser is sent. Nobody waits for metadata that the callback alone needs.
func (o *oidc) authorizationEndpoint(ctx context.Context) (string, error) {
	if !o.optional {
		e, err := o.endpoints(ctx)
		if err != nil {
			return "", err
		}
		return e.authorization, nil
	}
	if o.discovery != nil {
		o.discovery.prepare()
	}
	return o.config.AuthorizationEndpoint, nil
}
