// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxName bounds tenant IDs and organizations, in characters.
const maxName = 128

var name = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`)

// ValidTenantID tells whether s can be a tenant ID or an organization.
func ValidTenantID(s string) bool { return len(s) <= maxName && name.MatchString(s) }

func (b *Base) validate() error {
	if b.Version != Version {
		return fmt.Errorf("version is %d, this server reads version %d", b.Version, Version)
	}
	if !strings.HasPrefix(b.ExternalURL, "https://") && !strings.HasPrefix(b.ExternalURL, "http://") {
		return fmt.Errorf("externalURL %q is not an http or https URL", b.ExternalURL)
	}
	if !slices.Contains([]string{StoreEmbedded, StoreNone}, b.Store.Type) {
		return fmt.Errorf("store.type is %q, want %s or %s", b.Store.Type, StoreEmbedded, StoreNone)
	}
	if b.Tokens.AccessTokenLifetime.Value() < time.Second || b.Tokens.RefreshTokenLifetime < b.Tokens.AccessTokenLifetime {
		return fmt.Errorf("tokens: lifetimes %s and %s are out of range", b.Tokens.AccessTokenLifetime.Value(), b.Tokens.RefreshTokenLifetime.Value())
	}
	if len(b.Tokens.Audience) == 0 {
		return fmt.Errorf("tokens.audience is empty")
	}
	for i, c := range b.Outbound.AllowedCIDRs {
		if _, err := netip.ParsePrefix(c); err != nil {
			return fmt.Errorf("outbound.allowedCIDRs[%d]: %w", i, err)
		}
	}
	return b.validateProviders()
}

func (b *Base) validateProviders() error {
	seen := map[string]bool{}
	passwords := 0
	for _, p := range b.Providers {
		switch {
		case p.Object == "" || p.Name == "":
			return fmt.Errorf("a provider has no object or name")
		case seen[p.Name]:
			return fmt.Errorf("%s: two providers have the name %s", p.Object, p.Name)
		case !ValidTenantID(p.Organization):
			return fmt.Errorf("%s: organization %q is not valid", p.Object, p.Organization)
		case p.Type != ProviderPassword || p.Password == nil:
			return fmt.Errorf("%s: type %q is not known, or its block is missing", p.Object, p.Type)
		}
		seen[p.Name] = true
		if passwords++; passwords > 1 {
			return fmt.Errorf("%s: a second Password provider", p.Object)
		}
	}
	return nil
}

func (k *Keys) validate() error {
	if k.Version != Version {
		return fmt.Errorf("version is %d, this server reads version %d", k.Version, Version)
	}
	seen := map[string]bool{}
	for i, key := range k.Keys {
		if key.KeyID == "" || key.Algorithm == "" || key.PrivateKey == "" || key.ActiveFrom.IsZero() {
			return fmt.Errorf("keys[%d]: kid, alg, activeFrom and privateKey are required", i)
		}
		if seen[key.KeyID] {
			return fmt.Errorf("keys[%d]: a second key with kid %s", i, key.KeyID)
		}
		seen[key.KeyID] = true
	}
	return nil
}

func (t *Tenants) validate() error {
	if t.Version != Version {
		return fmt.Errorf("version is %d, this server reads version %d", t.Version, Version)
	}
	seen := make(map[string]bool, len(t.Policies))
	for i := range t.Policies {
		p := &t.Policies[i]
		switch {
		case p.Object == "":
			return fmt.Errorf("policies[%d]: object is empty", i)
		case !ValidTenantID(p.TenantID):
			return fmt.Errorf("%s: tenantID %q is not valid", p.Object, p.TenantID)
		case seen[p.TenantID]:
			return fmt.Errorf("%s: a second policy of tenant %s", p.Object, p.TenantID)
		case ShardOf(p.TenantID, t.Count) != t.Shard:
			return fmt.Errorf("%s: tenant %s belongs to shard %d", p.Object, p.TenantID, ShardOf(p.TenantID, t.Count))
		}
		seen[p.TenantID] = true
		if err := p.validate(); err != nil {
			return fmt.Errorf("%s: %w", p.Object, err)
		}
	}
	return nil
}

func (p *Policy) validate() error {
	if len(p.Algorithms) == 0 || len(p.TokenTypes) == 0 || p.Username.Claim == "" {
		return fmt.Errorf("algorithms, tokenTypes and username.claim are required")
	}
	if len(p.Issuers) == 0 && !p.AcceptIssuedTokens {
		return fmt.Errorf("no issuers")
	}
	if p.Leeway < 0 {
		return fmt.Errorf("leeway is negative")
	}
	seen := map[string]bool{}
	for i, issuer := range p.Issuers {
		switch {
		case (issuer.JWKSURI == "") == (len(issuer.Keys) == 0):
			return fmt.Errorf("issuers[%d]: want either jwksURI or keys", i)
		case issuer.Issuer == "" && (issuer.JWKSURI != "" || len(p.Issuers) > 1):
			return fmt.Errorf("issuers[%d]: issuer is required", i)
		case seen[issuer.Issuer]:
			return fmt.Errorf("issuers[%d]: issuer %s is there twice", i, issuer.Issuer)
		}
		seen[issuer.Issuer] = true
	}
	return nil
}
