// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// grantJWTBearer is the grant type of assertions (RFC 7523 §2.1).
const grantJWTBearer = issue.GrantJWTBearer

// usesOfAssertions is what the scope begins with in which it is remembered which assertions of a tenant were used: each tenant has a bound of its own.
const usesOfAssertions = "assertion "

// manyUsesPatience is after how long somebody may ask again whose tenant has used as many assertions as can be remembered.
const manyUsesPatience = time.Minute

// assertions turns JWTs of tenants into access tokens. Package policy judges them; here they are used up, signed for, counted and told.
type assertions struct {
	service  *login.Service
	uses     store.Uses
	snapshot func() *snapshot // not nil where a grant is asked for
	now      func() time.Time
	refusals *refusalLog
	observe  func(result string, reason token.Reason)
	log      *slog.Logger
}

func (s *Server) newAssertions(service *login.Service) *assertions {
	return &assertions{
		service: service, uses: s.store, snapshot: s.snapshot.Load, now: s.now,
		refusals: newRefusalLog(s.log, s.metrics), observe: s.metrics.exchanged, log: s.log,
	}
}

// grant is RFC 7523 §2.1. The assertion is used up last, once there is a token to give for it: whoever cannot make a good one uses up nothing, and of two
// requests with one only one gets a token.
func (a *assertions) grant(ctx context.Context, _ *login.Snapshot, r *grantRequest) (*login.Grant, error) {
	snap, now := a.snapshot(), a.now()
	if err := a.checkClient(r, snap); err != nil {
		return nil, err
	}
	asked := &policy.Assertion{Raw: r.parameters["assertion"], Scope: r.parameters["scope"], ClientID: r.parameters["client_id"]}
	asked.Facts.Read(r.http.Header)
	x := snap.policies.Exchange(ctx, asked, now)
	if x.Status != http.StatusOK {
		return nil, a.refuse(r, snap, &x)
	}
	grant, id, err := a.service.AssertedToken(snap.login, assertedOf(&x), now)
	switch {
	case errors.Is(err, issue.ErrTooLarge):
		return nil, a.refuseGood(r, snap, &x, claims.ReasonTooLarge, "the access token would be longer than 16 KiB", 0)
	case err != nil:
		a.observe(resultUnavailable, policy.ReasonInternal)
		return nil, err
	}
	if err := a.use(ctx, r, snap, &x, now); err != nil {
		return nil, err
	}
	a.observe(resultAllowed, "")
	a.log.LogAttrs(ctx, slog.LevelInfo, "assertion exchanged", slog.String("event", logs.EventTokenExchanged),
		slog.String("tenant", x.Tenant), slog.String("policy", x.Policy), slog.String("user", markOf(x.Issued.Subject)), slog.String("jti", id),
		slog.String("algorithm", x.Algorithm), slog.String("client", clientText(r.http, snap)))
	return grant, nil
}

// assertedOf is whom the access token is for.
func assertedOf(x *policy.Exchange) *login.Asserted {
	i := &x.Issued
	return &login.Asserted{
		Subject: i.Subject, Organization: x.Tenant, Username: i.Username, UsernameParts: i.Parts, Email: i.Email, Groups: i.Groups, GroupsUnknown: i.GroupsUnknown,
		GrantedBy: i.GrantedBy, ClientID: i.ClientID, Scope: i.Scope,
	}
}

// use notes that the assertion was used, which it must not have been before on any replica.
func (a *assertions) use(ctx context.Context, r *grantRequest, snap *snapshot, x *policy.Exchange, now time.Time) error {
	err := a.uses.Use(ctx, usesOfAssertions+x.Tenant, x.ID, now, x.Until)
	switch {
	case errors.Is(err, store.ErrReused):
		return a.refuseGood(r, snap, x, policy.ReasonReplayed, "jti was used before for this tenant", 0)
	case errors.Is(err, store.ErrFull):
		return a.refuseGood(r, snap, x, policy.ReasonManyUses, "the tenant's uses are as many as are remembered", manyUsesPatience)
	case err != nil: // it may have been noted: then the next try is a replay, and not a second token
		return a.refuseGood(r, snap, x, policy.ReasonUsesUnavailable, "the store cannot be asked", storePatience)
	}
	return nil
}

// refuseGood refuses an assertion that was good up to there; with wait it may be sent again.
func (a *assertions) refuseGood(r *grantRequest, snap *snapshot, x *policy.Exchange, reason token.Reason, detail string, wait time.Duration) error {
	refused := *x
	refused.Status, refused.Reason, refused.Detail, refused.RetryAfter = http.StatusBadRequest, reason, detail, wait
	if wait > 0 {
		refused.Status = http.StatusServiceUnavailable
	}
	refused.Error, refused.Description = policy.Told(reason, true)
	return a.refuse(r, snap, &refused)
}

// refuse counts and logs a refusal, and returns what the client gets. Nothing of the assertion is in the log.
func (a *assertions) refuse(r *grantRequest, snap *snapshot, x *policy.Exchange) error {
	result, level := resultRefused, slog.LevelInfo
	if x.Status == http.StatusServiceUnavailable {
		result, level = resultUnavailable, slog.LevelWarn
	}
	a.observe(result, x.Reason)
	if a.refusals.allow() {
		a.log.LogAttrs(r.http.Context(), level, "assertion refused", slog.String("event", logs.EventTokenRefused),
			slog.Int("status", x.Status), slog.String("reason", string(x.Reason)), slog.String("detail", x.Detail),
			slog.String("tenant", x.Tenant), slog.String("policy", x.Policy), slog.String("algorithm", x.Algorithm), slog.String("client", clientText(r.http, snap)))
	}
	return &grantRefusal{status: x.Status, code: x.Error, description: x.Description, retryAfter: x.RetryAfter}
}

// checkClient refuses credentials of a client beside an assertion: they must be checked where there are any (RFC 7523 §3.1), and this server knows no clients.
func (a *assertions) checkClient(r *grantRequest, snap *snapshot) error {
	const description = "this server authenticates no clients: send the assertion without Authorization, client_secret and client_assertion"
	refused := grantRefusal{status: http.StatusBadRequest, code: codeInvalidClient, description: description}
	sent := false
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		sent = sent || r.parameters[name] != ""
	}
	if values := r.http.Header["Authorization"]; len(values) > 0 { // RFC 6749 §5.2: in the scheme that the client used
		sent, refused.status, refused.challenge = true, http.StatusUnauthorized, `Basic realm="gatehouse"`
		if scheme, _, _ := strings.Cut(values[0], " "); strings.EqualFold(scheme, "Bearer") {
			refused.challenge = challenge
		}
	}
	if !sent {
		return nil
	}
	x := policy.Exchange{Decision: policy.Decision{Status: refused.status, Reason: policy.ReasonClientAuthentication, Detail: "credentials of a client beside the assertion"}}
	_ = a.refuse(r, snap, &x) // the answer has a challenge besides
	return &refused
}
