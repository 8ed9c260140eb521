// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// maxName bounds tenant IDs and organizations, in characters.
const maxName = 128

var name = regexp.MustCompile(`^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`)

// ValidTenantID tells whether s can be a tenant ID or an organization.
func ValidTenantID(s string) bool { return len(s) <= maxName && name.MatchString(s) }

// maxVersion bounds the versions told in a message: a larger number is none.
const maxVersion = 999

func checkVersion(v int) error {
	switch {
	case v == Version:
		return nil
	case v < 0 || v > maxVersion:
		return fmt.Errorf("version is not known, this server reads version %d", Version)
	default:
		return fmt.Errorf("version is %d, this server reads version %d", v, Version)
	}
}

// validate names the field, like the other checks here, and never its value: see explain.
func (b *Base) validate() error {
	if err := checkVersion(b.Version); err != nil {
		return err
	}
	if !strings.HasPrefix(b.ExternalURL, "https://") && !strings.HasPrefix(b.ExternalURL, "http://") {
		return fmt.Errorf("externalURL is not an http or https URL")
	}
	if err := b.Store.validate(); err != nil {
		return err
	}
	if err := b.Login.validate(); err != nil {
		return err
	}
	if b.Tokens.AccessTokenLifetime.Value() < time.Second || b.Tokens.RefreshTokenLifetime < b.Tokens.AccessTokenLifetime {
		return fmt.Errorf("tokens: accessTokenLifetime must be at least 1s and not exceed refreshTokenLifetime")
	}
	if len(b.Tokens.Audience) == 0 {
		return fmt.Errorf("tokens.audience is empty")
	}
	for i, c := range b.Outbound.AllowedCIDRs {
		if _, err := netip.ParsePrefix(c); err != nil {
			return fmt.Errorf("outbound.allowedCIDRs[%d] is not a network such as 10.0.0.0/8", i)
		}
	}
	if b.Monitoring.TenantSeries < 0 {
		return fmt.Errorf("monitoring.tenantSeries is negative")
	}
	return b.validateProviders()
}

func (k *Keys) validate() error {
	if err := checkVersion(k.Version); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, key := range k.Keys {
		if key.KeyID == "" || key.Algorithm == "" || key.PrivateKey == "" || key.ActiveFrom.IsZero() {
			return fmt.Errorf("keys[%d]: kid, alg, activeFrom and privateKey are required", i)
		}
		if seen[key.KeyID] {
			return fmt.Errorf("keys[%d]: another key has the same kid", i)
		}
		seen[key.KeyID] = true
	}
	return nil
}

func (p *Policy) validate() error {
	if len(p.Algorithms) == 0 || len(p.TokenTypes) == 0 {
		return fmt.Errorf("algorithms and tokenTypes are required")
	}
	if p.UpstreamCredential != "" && !credentialName.MatchString(p.UpstreamCredential) {
		return fmt.Errorf("upstreamCredential is not the name of a credential")
	}
	if err := p.validateTimes(); err != nil {
		return err
	}
	if d := p.Decryption; d != nil && (len(d.KeyAlgorithms) == 0 || len(d.ContentAlgorithms) == 0 || len(d.Keys) == 0) {
		return fmt.Errorf("decryption: keyAlgorithms, contentAlgorithms and keys are required")
	}
	if err := p.Claims.validate(); err != nil {
		return err
	}
	return p.validateIssuers()
}

func (p *Policy) validateTimes() error {
	if p.Leeway < 0 {
		return fmt.Errorf("leeway is negative")
	}
	if p.MaxTokenAge < 0 {
		return fmt.Errorf("maxTokenAge is negative")
	}
	if j := p.JWKS; j != nil && (j.RefreshInterval <= 0 || j.StaleIfError < 0) {
		return fmt.Errorf("jwks: refreshInterval must be positive and staleIfError not negative")
	}
	return nil
}

func (p *Policy) validateIssuers() error {
	if len(p.Issuers) == 0 && !p.AcceptIssuedTokens && (p.Decryption == nil || !p.Decryption.Direct) {
		return fmt.Errorf("no issuers")
	}
	seen := map[string]bool{}
	for i, issuer := range p.Issuers {
		switch {
		case !issuer.oneSource():
			return fmt.Errorf("issuers[%d]: want exactly one of jwksURI, discovery and keys", i)
		case issuer.Issuer == "" && (len(issuer.Keys) == 0 || len(p.Issuers) > 1):
			return fmt.Errorf("issuers[%d]: issuer is required", i)
		case seen[issuer.Issuer]:
			return fmt.Errorf("issuers[%d]: its issuer is there twice", i)
		}
		seen[issuer.Issuer] = true
	}
	return nil
}

func (i *Issuer) oneSource() bool {
	given := 0
	for _, is := range []bool{i.JWKSURI != "", i.Discovery != "", len(i.Keys) > 0} {
		if is {
			given++
		}
	}
	return given == 1
}
