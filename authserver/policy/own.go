// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
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
	digest   [32]byte // of all of Own
}

func compileOwn(o Own) (*own, error) {
	c := &own{issuer: o.Issuer, audience: o.Audience, keys: o.Keys}
	c.rules = token.Rules{Types: ownTypes, Leeway: ownLeeway}
	for _, k := range o.Keys.Keys() {
		if alg := k.Algorithm(); alg != "" && !slices.Contains(c.rules.Algorithms, alg) {
			c.rules.Algorithms = append(c.rules.Algorithms, alg)
		}
	}
	var err error
	if c.digest, err = o.digest(); err != nil {
		return nil, fmt.Errorf("describing the own keys: %w", err)
	}
	return c, nil
}

// judgeOwn judges a token that names this server as its issuer. Its organization, once verified, is its tenant and
// must agree with what the request names.
func (j *judgement) judgeOwn() error {
	t, o := j.token, j.set.own
	if j.named == "" {
		j.apply(nil, "") // not the default policy, which judges no own token; whose it is shows once it is verified
	}
	if err := t.Check(&o.rules); err != nil {
		return err
	}
	j.decision.Algorithm = t.Algorithm()
	var err error
	if j.signer, err = t.Select(o.keys); err != nil {
		return err
	}
	if err := t.Verify(j.signer); err != nil {
		return err
	}
	// Read before the times are judged: by whose leeway they are depends on the organization.
	read, err := t.Claims(&token.Rules{Leeway: math.MaxInt64}, j.now)
	if err != nil {
		return err
	}
	organization, err := readOrganization(read)
	if err != nil {
		return err
	}
	if j.named != "" && j.named != organization {
		return refuse(ReasonOrganizationDiffers, "the token's organization is not the tenant that the request names")
	}
	j.apply(j.set.Policy(organization), organization)
	if err := j.acceptOwn(read); err != nil {
		return err
	}
	return j.admitOwn(organization)
}

// readOrganization reads the organization of a verified token.
func readOrganization(c *token.Claims) (string, error) {
	value, _ := c.Lookup("organization")
	organization, ok := value.Text()
	if !ok || !config.ValidTenantID(organization) {
		return "", refuse(ReasonOrganization, "the claim organization is absent or not a valid name")
	}
	return organization, nil
}

// acceptOwn asks whether the policy with the organization's name takes own tokens at all, and whether it is the one under which this token was given, where that
// was for an assertion: then nobody of the directory stands behind it, and without that policy, or under another of the same tenant ID, it is worth nothing.
func (j *judgement) acceptOwn(c *token.Claims) error {
	if j.policy != nil && !j.policy.acceptOwn {
		return refuse(ReasonOwnNotAccepted, "the tenant's policy does not have acceptIssuedTokens")
	}
	if _, exchanged := c.Lookup(claims.ClaimGrantType); !exchanged {
		return nil
	}
	value, _ := c.Lookup(claims.ClaimGrantedBy)
	if by, _ := value.Text(); j.policy == nil || by != j.policy.grantMark() {
		return refuse(ReasonGrantGone, "the token was given for an assertion, and the policy that took it applies no more")
	}
	return nil
}

// grantMark is what the policy is known by in tokens that are given under it: a digest, since names of a cluster's objects are not for those who read tokens.
func (p *Policy) grantMark() string {
	sum := sha256.Sum256([]byte(p.object))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Granted tells whether the policy with the tenant's ID is the one with that mark: whether what was given under it still counts.
func (s *Set) Granted(tenant, mark string) bool {
	p := s.Policy(tenant)
	return p != nil && mark == p.grantMark()
}

// admitOwn applies the rules to a verified own token, and those of the policy with the organization's name if there is
// one: own keys, algorithm, typ and tokens.audience then stand in for its issuers, keys, algorithms and tokenTypes, and
// decryption is not asked for; all else of it applies. Username, email and groups are the own token's.
func (j *judgement) admitOwn(organization string) (err error) {
	p, o := j.policy, j.set.own
	rules, mapping := &o.rules, (*claims.Rules)(nil)
	if p != nil {
		rules, mapping = &p.rules, p.claims // of the rules, only the leeway counts from here on
	}
	j.leeway = rules.Leeway
	if j.claims, err = j.token.Claims(rules, j.now); err != nil {
		return err
	}
	j.subject = claims.Of(j.claims)
	if err := claims.CheckAudience(j.claims, o.audience); err != nil {
		return err
	}
	if err := j.checkClaims(); err != nil {
		return err
	}
	j.decision.Identity, err = mapping.IdentifyOwn(j.subject, organization)
	return err
}
