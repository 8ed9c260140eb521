// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

func (s *Store) validate() error {
	switch {
	case !slices.Contains([]string{StoreEmbedded, StorePostgreSQL, StoreNone}, s.Type):
		return fmt.Errorf("store.type is not known, want %s, %s or %s", StoreEmbedded, StorePostgreSQL, StoreNone)
	case (s.Type == StorePostgreSQL) != (s.DSN != ""):
		return fmt.Errorf("store.dsn goes with type %s", StorePostgreSQL)
	}
	return nil
}

func (l *Login) validate() error {
	for i, c := range l.TrustedProxies {
		if _, err := netip.ParsePrefix(c); err != nil {
			return fmt.Errorf("login.trustedProxies[%d] is not a network such as 10.0.0.0/8", i)
		}
	}
	if l.Lockout.MaxFailures < 0 || l.Lockout.Window < 0 || l.Lockout.Duration < 0 {
		return errors.New("login.lockout: maxFailures, window and duration must not be negative")
	}
	return l.Logo.validate("login.logo")
}

func (i *Image) validate(field string) error {
	switch {
	case i == nil:
		return nil
	case (i.URL == "") == (len(i.Data) == 0):
		return fmt.Errorf("%s: want either url or data", field)
	case i.URL == "" && !slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, i.MediaType):
		return fmt.Errorf("%s: mediaType is not that of a PNG, JPEG or WebP", field)
	}
	return nil
}

func (b *Base) validateProviders() error {
	seen := map[string]bool{}
	passwords := 0
	for i := range b.Providers {
		p := &b.Providers[i]
		at := where("providers", i, p.Object)
		switch {
		case p.Object == "" || p.Name == "":
			return fmt.Errorf("%s: object and name are required", at)
		case seen[p.Name]:
			return fmt.Errorf("%s: another provider has the same name", at)
		case !ValidTenantID(p.Organization):
			return fmt.Errorf("%s: organization is not valid", at)
		}
		seen[p.Name] = true
		if p.Type == ProviderPassword {
			if passwords++; passwords > 1 {
				return fmt.Errorf("%s: a second Password provider", at)
			}
		}
		if _, known := b.Bundles[p.CABundle]; p.CABundle != "" && !known {
			return fmt.Errorf("%s: caBundle is not among the file's bundles", at)
		}
		if err := p.validate(); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func (p *Provider) validate() error {
	if err := p.Icon.validate("icon"); err != nil {
		return err
	}
	blocks := 0
	for _, there := range []bool{p.Password != nil, p.OIDC != nil, p.OAuth2 != nil} {
		if there {
			blocks++
		}
	}
	var err error
	switch {
	case blocks == 1 && p.Type == ProviderPassword && p.Password != nil:
		return nil
	case blocks == 1 && p.Type == ProviderOIDC && p.OIDC != nil:
		err = p.OIDC.validate()
	case blocks == 1 && p.Type == ProviderOAuth2 && p.OAuth2 != nil:
		err = p.OAuth2.validate()
	default:
		return errors.New("type is not known, or its block is missing")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", strings.ToLower(p.Type), err)
	}
	return p.validateUsers()
}

// validateUsers checks what OIDC and OAuth2 have in common.
func (p *Provider) validateUsers() error {
	switch {
	case p.Mappings == nil || p.Mappings.Username.Zero():
		return errors.New("mappings.username is required")
	case !slices.Contains([]string{SyncAlways, SyncFirstLogin}, p.UserSync):
		return errors.New("userSync is not known")
	case !slices.Contains([]string{LinkingNone, LinkingVerifiedEmail}, p.Linking):
		return errors.New("linking is not known")
	}
	m := p.Mappings
	for _, s := range []*Source{&m.Username, &m.Email, &m.Name, &m.Phone, &m.Comment, &m.Groups} {
		if err := s.validate(); err != nil || len(s.Joined) > 0 {
			return errors.New("mappings: want at most one of claims and expression in each")
		}
	}
	for i := range p.Rules {
		if p.Rules[i].Expression == "" {
			return fmt.Errorf("rules[%d]: expression is required", i)
		}
	}
	return nil
}

func (c *Client) validate() error {
	switch {
	case c.ID == "":
		return errors.New("client.id is required")
	case !slices.Contains([]string{ClientSecretBasic, ClientSecretPost, PrivateKeyJWT, ClientNone}, c.Authentication):
		return errors.New("client.authentication is not known")
	case (c.Authentication == ClientNone) != (c.Secret == ""):
		return fmt.Errorf("client.secret goes with every authentication but %s", ClientNone)
	}
	return nil
}

func (o *OIDC) validate() error {
	switch {
	case (o.Issuer == "") != (o.Discovery == ""):
		return errors.New("issuer and discovery go together")
	case o.Issuer == "" && (o.AuthorizationEndpoint == "" || o.TokenEndpoint == "" || o.JWKSEndpoint == ""):
		return errors.New("without issuer, authorizationEndpoint, tokenEndpoint and jwksEndpoint are required")
	case len(o.Algorithms) == 0:
		return errors.New("algorithms are required")
	}
	return o.Client.validate()
}

func (o *OAuth2) validate() error {
	switch {
	case o.AuthorizationEndpoint == "" || o.TokenEndpoint == "" || o.UserInfoEndpoint == "":
		return errors.New("authorizationEndpoint, tokenEndpoint and userInfoEndpoint are required")
	case o.SubjectAttribute == "":
		return errors.New("subjectAttribute is required")
	case (o.GroupsEndpoint == "") != (o.GroupsExpression == ""):
		return errors.New("groupsEndpoint and groupsExpression go together")
	}
	return o.Client.validate()
}
