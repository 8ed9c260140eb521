// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Decide decides one request at the time now. It waits for nobody but, where keys have to be fetched first, the key
// engine, within the engine's bound and no longer than ctx.
func (s *Set) Decide(ctx context.Context, f *Facts, now time.Time) Decision {
	j := judgement{set: s, now: now}
	return s.decide(ctx, &j, f)
}

// decide decides, and remembers what was let in; of those who ask for more, whoever was admitted.
func (s *Set) decide(ctx context.Context, j *judgement, f *Facts) Decision {
	err := j.ask(f)
	if err == nil {
		if d, ok := s.recall(j); ok {
			return d
		}
		err = j.judge(ctx)
	}
	j.decision.close(err)
	if err == nil {
		if j.admit(); j.callers == nil || j.admitted {
			s.remember(j)
		}
	}
	return j.decision
}

// judgement is one request on its way to a decision: what is asked, and what has been found so far. Decide and Explain fill
// it by the same code.
type judgement struct {
	set  *Set
	now  time.Time
	mark mark
	// callers are those who may have what is asked for beyond a decision, nil for nothing; admitted tells that this request is one of theirs.
	callers  *Callers
	admitted bool

	// What is asked.
	raw, named string // the token; the tenant that the request names, "" for none
	narrow     narrowing
	asked      *Policy // of the tenant that the request names, or the default one; nil for none
	policy     *Policy // that applies, the same but for own tokens; nil for none
	unknown    error   // without a policy: the refusal of all but own tokens

	// What was found.
	token  *token.Token
	own    bool // iss is the server's own
	source int  // in policy.sources, whose keys were tried; -1 for none
	signer *jwk.Key
	keys   *jwk.Set // that signer is of
	claims *token.Claims
	// subject is claims for rules and mappings, which share what evaluating may cost.
	subject *claims.Subject
	leeway  time.Duration // that claims were judged with
	vouched bool          // the token is its issuer's

	// Of an assertion, nil for everything else.
	assertion *Assertion
	issued    *Issued // once it is found good
	looked    bool    // whether it was used before

	decision Decision
}

// ask reads what the request asks, all of it before anything of the token.
func (j *judgement) ask(f *Facts) (err error) {
	j.source = -1
	j.decision.HasToken = f.HasToken()
	if err := f.check(); err != nil {
		return err
	}
	if j.raw, err = f.token(); err != nil {
		return err
	}
	if j.named, err = f.tenant(j.set); err != nil {
		return err
	}
	j.narrow = f.narrowing()
	var p *Policy
	p, j.unknown = j.set.find(j.named)
	if j.asked = p; p != nil {
		j.apply(p, p.tenant)
	}
	return nil
}

// apply notes by which policy, nil for none, and for which tenant is decided from here on.
func (j *judgement) apply(p *Policy, tenant string) {
	j.policy, j.decision.Tenant, j.decision.Policy, j.decision.Upstream = p, tenant, "", ""
	if p != nil {
		j.decision.Policy, j.decision.Upstream = p.object, p.upstream
	}
}

// isName tells whether a tenant could have that ID; those of policies were checked before.
func (s *Set) isName(id string) bool { return s.Policy(id) != nil || config.ValidTenantID(id) }

// find returns the policy for a tenant that the request names, or the default policy if it names none. Without a policy
// only an own token can pass; unknown is the refusal of all others.
func (s *Set) find(named string) (p *Policy, unknown error) {
	if named == "" {
		if s.fallback == nil {
			return nil, refuse(ReasonNoTenant, "the request names no tenant and no policy is the default")
		}
		return s.fallback, nil
	}
	if p = s.Policy(named); p == nil {
		return nil, refuse(ReasonUnknownTenant, "no policy has this tenant ID")
	}
	return p, nil
}

// judge judges the token that was asked about.
func (j *judgement) judge(ctx context.Context) error {
	if err := j.parse(); err != nil {
		return err
	}
	// Whose keys are tried, and nothing else, is read before the signature is checked.
	if own := j.set.own.issuer; own != "" && j.token.UnverifiedIssuer() == own {
		if j.token.Encrypted() { // what a policy's keys open, a tenant can have made
			return refuse(claims.ReasonIssuer, "iss is this server's own, and its tokens are never encrypted")
		}
		j.own = true
		return j.judgeOwn()
	}
	if j.policy == nil {
		return j.unknown
	}
	return j.judgeForeign(ctx)
}

// parse takes the token in. Whether it is an own one shows only then, so one that may be is parsed by rules that are wider
// than those that count: either the policy's or the own ones are checked afterwards.
func (j *judgement) parse() (err error) {
	p := j.policy
	switch {
	case p == nil:
		if j.token, err = token.Parse(j.raw, &j.set.own.rules); err != nil {
			return j.unknown
		}
		return nil
	case isJWE(j.raw): // own tokens never are
		j.token, err = token.Parse(j.raw, &p.rules)
		return err
	}
	if j.token, err = token.Parse(j.raw, &p.wide); err == nil {
		return nil
	}
	if _, narrower := token.Parse(j.raw, &p.rules); narrower != nil {
		return narrower // which of two faults is told, the policy's rules decide
	}
	return err
}

// isJWE tells a JWE, in its compact serialization (RFC 7516 §3.1), from everything else.
func isJWE(raw string) bool { return strings.Count(raw, ".") == 4 }

// judgeForeign judges a token of somebody else's making.
func (j *judgement) judgeForeign(ctx context.Context) error {
	if err := j.vouch(ctx); err != nil {
		return err
	}
	p := j.policy
	j.leeway = p.rules.Leeway
	var err error
	if j.claims, err = j.token.Claims(&p.rules, j.now); err != nil {
		return err
	}
	j.subject = claims.Of(j.claims)
	if j.source >= 0 {
		if err := j.checkSource(&p.sources[j.source]); err != nil {
			return err
		}
	}
	if err := j.checkClaims(); err != nil {
		return err
	}
	j.decision.Identity, err = p.claims.Identify(j.subject)
	return err
}

// vouch finds out whether the token is what it says: of one of the policy's issuers, by its signature or by an encryption that stands for one.
func (j *judgement) vouch(ctx context.Context) error {
	p, t := j.policy, j.token
	if err := t.Check(&p.rules); err != nil {
		return err
	}
	j.decision.Algorithm = t.Algorithm()
	j.source = p.source(t.UnverifiedIssuer())
	// Without issuers only claims directly inside the encryption can pass: the shared key vouches for them.
	if j.source < 0 && (len(p.sources) > 0 || !t.Direct()) {
		return refuse(claims.ReasonIssuer, "iss is not one of the policy's issuers")
	}
	if !t.Direct() {
		if err := j.verify(ctx, &p.sources[j.source]); err != nil {
			return err
		}
	}
	j.vouched = true
	return nil
}

// verify checks the signature with the one key of the source.
func (j *judgement) verify(ctx context.Context, s *source) error {
	found, err := s.find(ctx, j.token)
	if err != nil {
		return err
	}
	j.signer, j.keys = found.Key, found.Set
	return j.token.Verify(found.Key)
}

// checkSource holds the claims against the issuer that was found by them before they were verified.
func (j *judgement) checkSource(s *source) error {
	// The same bytes as before: kept so that no change elsewhere can part whose keys were tried from who it is.
	if s.issuer != "" && j.claims.Issuer != s.issuer {
		return refuse(claims.ReasonIssuer, "iss is not the issuer whose keys were tried")
	}
	if s.directory == "" {
		return nil
	}
	return claims.CheckDirectory(j.claims, s.directory)
}

// checkClaims applies what the policy asks of the claims of any token, and what the request asks beyond it.
func (j *judgement) checkClaims() error {
	p, c := j.policy, j.claims
	if p != nil {
		if err := p.checkRegistered(c, j.now); err != nil {
			return err
		}
	}
	if err := j.narrow.check(c, p); err != nil {
		return err
	}
	if p == nil {
		return nil
	}
	return p.claims.Check(j.subject)
}

// checkRegistered applies what the policy asks of aud, iat and nonce.
func (p *Policy) checkRegistered(c *token.Claims, now time.Time) error {
	if len(p.audiences) > 0 {
		if err := claims.CheckAudience(c, p.audiences); err != nil {
			return err
		}
	}
	if p.maxAge > 0 {
		if err := claims.CheckAge(c, p.maxAge, p.rules.Leeway, now); err != nil {
			return err
		}
	}
	if p.nonce != "" {
		return claims.CheckNonce(c, p.nonce)
	}
	return nil
}
