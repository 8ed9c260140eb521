// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Example judges a payload, the JSON object of a token's claims, as the policy judges a token that is signed as it
// demands: strict types, times, issuer, directory, audience, age, nonce, claim rules and username, in that order. A zero
// now leaves out exp, nbf, iat and maxTokenAge. It is for a policy's own examples; a refusal is a [token.Error], and any
// other error means that the policy itself does not compile.
func Example(p *config.Policy, payload []byte, now time.Time) (Identity, error) {
	rules, err := Compile(&p.Claims, p.TenantID)
	if err != nil {
		return Identity{}, err
	}
	c, err := token.ReadClaims(payload)
	if err != nil {
		return Identity{}, err
	}
	if !now.IsZero() {
		if err := c.CheckTimes(p.Leeway.Value(), now); err != nil {
			return Identity{}, err
		}
	}
	if err := checkIssuer(c, p); err != nil {
		return Identity{}, err
	}
	if len(p.Audiences) > 0 {
		if err := CheckAudience(c, p.Audiences); err != nil {
			return Identity{}, err
		}
	}
	if maxAge := p.MaxTokenAge.Value(); maxAge > 0 && !now.IsZero() {
		if err := CheckAge(c, maxAge, p.Leeway.Value(), now); err != nil {
			return Identity{}, err
		}
	}
	if p.RequiredNonce != "" {
		if err := CheckNonce(c, p.RequiredNonce); err != nil {
			return Identity{}, err
		}
	}
	subject := Of(c)
	if err := rules.Check(subject); err != nil {
		return Identity{}, err
	}
	return rules.Identify(subject)
}

// checkIssuer demands that iss is one of the issuers, compared exactly, and tid its directory if it has one. A policy without
// issuers takes claims directly inside the encryption, for which the shared key vouches.
func checkIssuer(c *token.Claims, p *config.Policy) error {
	if len(p.Issuers) == 0 && p.Decryption != nil && p.Decryption.Direct {
		return nil
	}
	i := slices.IndexFunc(p.Issuers, func(issuer config.Issuer) bool { return issuer.Issuer == "" || issuer.Issuer == c.Issuer })
	if i < 0 {
		return refuse(ReasonIssuer, "iss is not one of the policy's issuers")
	}
	if directory := p.Issuers[i].Directory; directory != "" {
		return CheckDirectory(c, directory)
	}
	return nil
}
