// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// ownLeeway is the leeway for own tokens of organizations without a policy: the default of a policy's leeway.
const ownLeeway = 30 * time.Second

// ownAlgorithms are all that a server may sign with (tokens.signingAlgorithm); ownTypes is RFC 9068's type, required.
var (
	ownAlgorithms = []string{"ES256", "ES384", "RS256", "PS256", "EdDSA"}
	ownTypes      = []string{"at+jwt"}
)

// Own is what the server's own access tokens (RFC 9068) are checked with.
type Own struct {
	// Issuer is the server's external URL. Tokens that name it are checked with Keys only, also where Keys is empty.
	Issuer string
	// Audience are tokens.audience; a token's aud must hold one of them.
	Audience []string
	// Keys are the public halves of the own signing keys, each with its algorithm declared; nil for none.
	Keys *jwk.Set
}

// own is a compiled Own.
type own struct {
	issuer   string
	audience []string
	keys     *jwk.Set
	rules    token.Rules
}

func compileOwn(o Own) *own {
	c := &own{issuer: o.Issuer, audience: o.Audience, keys: o.Keys}
	c.rules = token.Rules{Types: ownTypes, Leeway: ownLeeway}
	for _, k := range o.Keys.Keys() {
		if alg := k.Algorithm(); alg != "" && !slices.Contains(c.rules.Algorithms, alg) {
			c.rules.Algorithms = append(c.rules.Algorithms, alg)
		}
	}
	return c
}

// decideOwn judges a token that names this server as its issuer. Its organization, once verified, is its tenant and
// must agree with what the request names.
func (s *Set) decideOwn(t *token.Token, named string, narrow *narrowing, now time.Time, d *Decision) error {
	if named == "" {
		d.Tenant = "" // not the default policy's, which judges no own token; whose it is shows once it is verified
	}
	if err := t.Check(&s.own.rules); err != nil {
		return err
	}
	d.Algorithm = t.Algorithm()
	key, err := t.Select(s.own.keys)
	if err != nil {
		return err
	}
	if err := t.Verify(key); err != nil {
		return err
	}
	organization, err := readOrganization(t, now)
	if err != nil {
		return err
	}
	if named != "" && named != organization {
		return refuse(ReasonTenantsDiffer, "the token's organization is not the tenant that the request names")
	}
	d.Tenant = organization
	d.Identity, err = s.own.admit(t, organization, s.tenants[organization], narrow, now)
	return err
}

// readOrganization reads the organization of a verified token before its times are judged: by whose leeway they are
// depends on it.
func readOrganization(t *token.Token, now time.Time) (string, error) {
	claims, err := t.Claims(&token.Rules{Leeway: math.MaxInt64}, now)
	if err != nil {
		return "", err
	}
	value, _ := claims.Lookup("organization")
	organization, ok := value.Text()
	if !ok || !config.ValidTenantID(organization) {
		return "", refuse(ReasonOrganization, "the claim organization is absent or not a valid name")
	}
	return organization, nil
}

// admit applies the rules to a verified own token, and those of the policy with the organization's name if there is one:
// own keys, algorithm, typ and tokens.audience then stand in for its issuers, keys, algorithms and tokenTypes; all else
// of it applies.
func (o *own) admit(t *token.Token, organization string, p *Policy, narrow *narrowing, now time.Time) (Identity, error) {
	rules, prefix, audiences := &o.rules, false, []string(nil)
	if p != nil {
		if !p.acceptOwn {
			return Identity{}, refuse(ReasonOwnNotAccepted, "the tenant's policy does not have acceptIssuedTokens")
		}
		rules, prefix, audiences = &p.rules, p.prefix, p.audiences // of the rules, only the leeway counts from here on
	}
	claims, err := t.Claims(rules, now)
	if err != nil {
		return Identity{}, err
	}
	if err := checkAudience(claims, o.audience); err != nil {
		return Identity{}, err
	}
	if len(audiences) > 0 {
		if err := checkAudience(claims, audiences); err != nil {
			return Identity{}, err
		}
	}
	if err := narrow.check(claims, audiences); err != nil {
		return Identity{}, err
	}
	return ownMapping.identify(claims, organization, prefix)
}
