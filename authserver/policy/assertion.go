// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// PathToken is the path of the token endpoint below the external URL: an assertion may be for its URL.
const PathToken = "/oauth2/token"

const (
	// MaxLifetime is how far ahead an assertion's exp may be, and how long it may live by its iat; the policy's leeway comes on top.
	MaxLifetime = time.Hour
	// rememberID is for how long after its exp an assertion's jti is kept: longer than the largest leeway, which may be given to a policy while the assertion is
	// still known, and than replicas' clocks differ.
	rememberID = 15 * time.Minute
	// maxClaim bounds sub and jti of an assertion, and a client's ID, in bytes.
	maxClaim = 255
)

// Types of JWTs that count, or do not, whatever a policy's tokenTypes are (draft-ietf-oauth-rfc7523bis): one says that it is a grant, the other that it
// authenticates a client.
const (
	typeGrant  = "authorization-grant+jwt"
	typeClient = "client-authentication+jwt"
)

// Assertion is what of a request for an access token decides (RFC 7523 §2.1). Its parameters are there at most once; empty ones count as left out.
type Assertion struct {
	// Raw is the assertion itself.
	Raw string
	// Facts are the request's headers. Without x-jwt-tenant-id the assertion's iss finds the policy.
	Facts Facts
	// Scope and ClientID are the parameters of these names.
	Scope, ClientID string
}

// Exchange is the answer to an [Assertion]. Its Status is 200, 400 or 503.
type Exchange struct {
	Decision
	// Error and Description are the client's part of a refusal (RFC 6749 §5.2): until the signature has shown that the assertion is the tenant's, one text for all.
	Error, Description string
	// Issued is what an access token is to say; set with 200 only.
	Issued Issued
	// ID stands for the assertion's jti, which may be used once for the Decision's tenant, and Until is when it may be forgotten. Set with 200 only: nothing
	// was used up yet.
	ID    [sha256.Size]byte
	Until time.Time
}

// Issued is what an access token for an assertion says.
type Issued struct {
	// Subject is the value of X-Auth-Request-User: the username with the policy's prefix, encoded, so that no claim can imitate another tenant's prefix.
	Subject string
	claims.Person
	// ClientID is the assertion's claim client_id, empty where it has none: what a request says of itself is nobody's word.
	ClientID string
	// Scope is a list with spaces, empty for none.
	Scope string
	// GrantedBy marks the policy: see [Set.Granted].
	GrantedBy string
}

// exchange is how a policy takes assertions.
type exchange struct {
	rules  token.Rules // in the place of the policy's
	scopes []string
}

// compileExchange returns nil for a policy that takes none. rules are the policy's.
func compileExchange(c *config.TokenExchange, rules *token.Rules) *exchange {
	if c == nil {
		return nil
	}
	x := &exchange{rules: *rules, scopes: c.Scopes}
	x.rules.Types = slices.DeleteFunc(slices.Clone(rules.Types), func(typ string) bool { return typ == typeClient })
	if !slices.Contains(x.rules.Types, typeGrant) {
		x.rules.Types = append(x.rules.Types, typeGrant)
	}
	if e := rules.Encryption; e != nil && e.Direct { // an assertion must be signed (RFC 7523 §3)
		signed := *e
		signed.Direct = false
		x.rules.Encryption = &signed
	}
	return x
}

// forAssertions is the policy as it judges assertions: for whom they are is the server's rule, and none of its audiences'.
func (p *Policy) forAssertions() *Policy {
	q := *p
	q.rules, q.audiences, q.upstream = p.exchange.rules, nil, ""
	return &q
}

// Exchange judges an assertion at the time now. It waits as [Set.Decide] does, and remembers nothing.
func (s *Set) Exchange(ctx context.Context, a *Assertion, now time.Time) Exchange {
	j := judgement{set: s, now: now, assertion: a}
	x := Exchange{Decision: Decision{Status: http.StatusOK}}
	if err := j.judgeAssertion(ctx); err != nil {
		j.closeAssertion(err)
		x.Decision = j.decision
		x.Error, x.Description = told(&j)
		return x
	}
	j.decision.close(nil)
	x.Decision, x.Issued = j.decision, *j.issued
	x.ID = sha256.Sum256([]byte(j.claims.ID))
	x.Until = j.claims.Expiry.Add(j.leeway + rememberID)
	return x
}

// closeAssertion completes the decision with the token endpoint's status where /verify has another: what is refused is 400.
func (j *judgement) closeAssertion(err error) {
	j.decision.close(err)
	switch d := &j.decision; {
	case d.Status == http.StatusOK, d.Status == http.StatusServiceUnavailable:
	case d.Reason == ReasonUsesUnavailable:
		d.Status, d.RetryAfter = http.StatusServiceUnavailable, retryAfter
	default:
		d.Status = http.StatusBadRequest
	}
}

// judgeAssertion judges in this order: what is asked, whose policy counts, all that the policy demands of a token, and RFC 7523 §3.
func (j *judgement) judgeAssertion(ctx context.Context) error {
	if err := j.askAssertion(); err != nil {
		return err
	}
	if err := j.findExchange(ctx); err != nil {
		return err
	}
	if err := j.parseAssertion(); err != nil {
		return err
	}
	if err := j.judgeForeign(ctx); err != nil {
		return err
	}
	return j.checkAssertion()
}

// askAssertion reads what is asked, none of it of the assertion.
func (j *judgement) askAssertion() (err error) {
	j.source = -1
	a := j.assertion
	j.raw, j.decision.HasToken = a.Raw, a.Raw != ""
	if err := a.Facts.check(); err != nil {
		return err
	}
	switch _, isScope := parseScope(a.Scope); {
	case a.Raw == "":
		return refuse(ReasonNoToken, "the parameter assertion is missing")
	case len(a.Facts.Token) > 0:
		return refuse(ReasonTokenBeside, "x-jwt-token was sent with an assertion: which of the two counts is not clear")
	case !isScope:
		return refuse(ReasonScopeParameter, "scope is no list of at most 128 scopes with one space between them (RFC 6749 section 3.3)")
	case len(a.ClientID) > maxClaim || strings.ContainsFunc(a.ClientID, notVisible):
		return refuse(ReasonClientParameter, "client_id has more than 255 bytes, or a character that none may have (RFC 6749 appendix A.1)")
	}
	j.narrow = a.Facts.narrowing()
	j.named, err = a.Facts.tenant(j.set)
	return err
}

// findExchange finds the policy that takes the assertion: the named tenant's, else the one that names its iss.
func (j *judgement) findExchange(ctx context.Context) error {
	if j.named != "" {
		p := j.set.Policy(j.named)
		if p == nil {
			return refuse(ReasonUnknownTenant, "no policy has this tenant ID")
		}
		j.apply(p, p.tenant)
		if p.exchange == nil {
			return refuse(ReasonExchangeOff, "the tenant's policy does not have tokenExchange")
		}
		j.apply(p.forAssertions(), p.tenant)
		return nil
	}
	iss := token.PeekIssuer(j.raw)
	first, several := j.set.takers(iss)
	switch {
	case iss == "":
		return refuse(ReasonIssuerOfNobody, "the request names no tenant, and iss cannot be read: the assertion is encrypted, has none, or is no JWT")
	case iss == j.set.own.issuer:
		return refuse(ReasonOwnAssertion, "iss is this server's own")
	case first == nil:
		return refuse(ReasonIssuerOfNobody, "the request names no tenant, and no policy with tokenExchange has this issuer")
	case several:
		j.vouchFirst(ctx, first)
		return refuse(ReasonIssuerOfSeveral, "the request names no tenant, and several policies with tokenExchange have this issuer")
	}
	j.apply(first.forAssertions(), first.tenant)
	return nil
}

// vouchFirst finds out whether an assertion whose issuer is that of several tenants is the issuer's at all: only then is the client told of the several.
func (j *judgement) vouchFirst(ctx context.Context, first *Policy) {
	j.apply(first.forAssertions(), first.tenant)
	if j.parseAssertion() == nil {
		_ = j.vouch(ctx) // it is refused in either case
	}
	j.apply(nil, "")
}

// parseAssertion takes the assertion in. One of the server's own tokens is none: that somebody could log in is not what a tenant's issuer vouches for.
func (j *judgement) parseAssertion() (err error) {
	if j.token, err = token.Parse(j.raw, &j.policy.rules); err != nil {
		return err
	}
	if iss := j.token.UnverifiedIssuer(); iss != "" && iss == j.set.own.issuer {
		return refuse(ReasonOwnAssertion, "iss is this server's own")
	}
	return nil
}

// takers returns the first policy with tokenExchange that has the issuer, nil for none, and whether there are more.
func (s *Set) takers(issuer string) (first *Policy, several bool) {
	for _, shard := range s.shards {
		list := shard.takers[issuer]
		switch {
		case len(list) == 0:
		case first != nil || len(list) > 1:
			return cmp.Or(first, list[0]), true
		default:
			first = list[0]
		}
	}
	return first, false
}

// takersOf are the policies with tokenExchange by each issuer that they name, in the order of their tenants.
func takersOf(tenants map[string]*Policy) map[string][]*Policy {
	takers := make(map[string][]*Policy)
	for _, p := range tenants {
		if p.exchange == nil {
			continue
		}
		for i := range p.sources {
			if issuer := p.sources[i].issuer; issuer != "" {
				takers[issuer] = append(takers[issuer], p)
			}
		}
	}
	for _, list := range takers {
		slices.SortFunc(list, func(a, b *Policy) int { return strings.Compare(a.tenant, b.tenant) })
	}
	return takers
}
