// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Decide decides one request at the time now. It waits for nobody but, where keys have to be fetched first, the key
// engine, within the engine's bound and no longer than ctx.
func (s *Set) Decide(ctx context.Context, f *Facts, now time.Time) Decision {
	var d Decision
	if err := s.decide(ctx, f, now, &d); err != nil {
		d.refused(err)
		return d
	}
	d.Status = http.StatusOK
	return d
}

func (s *Set) decide(ctx context.Context, f *Facts, now time.Time, d *Decision) error {
	d.HasToken = f.hasToken()
	if err := f.check(); err != nil {
		return err
	}
	raw, err := f.token()
	if err != nil {
		return err
	}
	named, err := f.tenant(s)
	if err != nil {
		return err
	}
	narrow := f.narrowing()

	p, unknown := s.find(named)
	if p != nil {
		d.Tenant = p.tenant
	}
	t, err := token.Parse(raw, s.intake(p))
	switch {
	case err != nil && p == nil:
		return unknown
	case err != nil:
		return err
	}
	// Whose keys are tried, and nothing else, is read before the signature is checked.
	if t.UnverifiedIssuer() == s.own.issuer {
		return s.decideOwn(t, named, &narrow, now, d)
	}
	if p == nil {
		return unknown
	}
	return p.decide(ctx, t, &narrow, now, d)
}

// isName tells whether a tenant could have that ID; those of policies were checked before.
func (s *Set) isName(id string) bool { return s.tenants[id] != nil || config.ValidTenantID(id) }

// find returns the policy for a tenant that the request names, or the default policy if it names none. Without a policy
// only an own token can pass; unknown is the refusal of all others.
func (s *Set) find(named string) (p *Policy, unknown error) {
	if named == "" {
		if s.fallback == nil {
			return nil, refuse(ReasonNoTenant, "the request names no tenant and no policy is the default")
		}
		return s.fallback, nil
	}
	if p = s.tenants[named]; p == nil {
		return nil, refuse(ReasonUnknownTenant, "no policy has this tenant ID")
	}
	return p, nil
}

// decide judges a token of somebody else's making.
func (p *Policy) decide(ctx context.Context, t *token.Token, narrow *narrowing, now time.Time, d *Decision) error {
	if err := t.Check(&p.rules); err != nil {
		return err
	}
	d.Algorithm = t.Algorithm()
	source := p.source(t.UnverifiedIssuer())
	if source == nil {
		return refuse(ReasonIssuer, "iss is not one of the policy's issuers")
	}
	key, err := source.key(ctx, t)
	if err != nil {
		return err
	}
	if err := t.Verify(key); err != nil {
		return err
	}
	claims, err := t.Claims(&p.rules, now)
	if err != nil {
		return err
	}
	// The same bytes as before: kept so that no change elsewhere can part whose keys were tried from who it is.
	if source.issuer != "" && claims.Issuer != source.issuer {
		return refuse(ReasonIssuer, "iss is not the issuer whose keys were tried")
	}
	if len(p.audiences) > 0 {
		if err := checkAudience(claims, p.audiences); err != nil {
			return err
		}
	}
	if err := narrow.check(claims, p.audiences); err != nil {
		return err
	}
	d.Identity, err = p.mapping.identify(claims, p.tenant, p.prefix)
	return err
}
