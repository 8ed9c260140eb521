// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"crypto/sha256"
	"time"
)

// A Used tells whether the assertion with that ID (see [Exchange]) was used before for the tenant.
type Used func(ctx context.Context, tenant string, id [sha256.Size]byte) (bool, error)

// ExplainAssertion judges as [Set.Exchange] does, by the same code, and reports every check. It uses nothing up. A nil used is for who has no store to ask.
func (s *Set) ExplainAssertion(ctx context.Context, a *Assertion, now time.Time, used Used) *Report {
	j := judgement{set: s, now: now, assertion: a}
	err := j.judgeAssertion(ctx)
	if err == nil && used != nil {
		err = j.lookUp(ctx, used)
	}
	if err != nil {
		j.issued = nil
	}
	j.closeAssertion(err)
	return j.report()
}

// lookUp asks whether the assertion was used before.
func (j *judgement) lookUp(ctx context.Context, used Used) error {
	j.looked = true
	was, err := used(ctx, j.decision.Tenant, sha256.Sum256([]byte(j.claims.ID)))
	switch {
	case err != nil: // whose text may name the database
		return refuse(ReasonUsesUnavailable, "the store cannot be asked")
	case was:
		return refuse(ReasonReplayed, "jti was used before for this tenant")
	}
	return nil
}
