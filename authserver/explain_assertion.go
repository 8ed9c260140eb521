// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"net/netip"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// explainAssertion reports what the token endpoint would make of the token as an assertion now, and uses it up as little as looking at it does.
func (s *Server) explainAssertion(ctx context.Context, snap *snapshot, b *explainBody) *policy.Report {
	var used policy.Used
	if snap.login.Store() {
		used = func(ctx context.Context, tenant string, id [32]byte) (bool, error) {
			return s.store.Used(ctx, usesOfAssertions+tenant, id, s.now())
		}
	}
	return snap.policies.ExplainAssertion(ctx, b.asAssertion(), s.now(), used)
}

// asAssertion is the question about an assertion: the headers are those of a request for an access token.
func (b *explainBody) asAssertion() *policy.Assertion {
	a := &policy.Assertion{Raw: b.Token, Facts: *b.facts()}
	a.Facts.Token = nil
	if b.Scope != nil {
		a.Scope = *b.Scope
	}
	return a
}

// ExplainAssertion is [Explain] for an assertion that is exchanged for an access token. Whether it was used before is not looked at: no store is opened.
func ExplainAssertion(ctx context.Context, files map[string][]byte, extraCIDRs []netip.Prefix, a *policy.Assertion, now time.Time) (*policy.Report, error) {
	return explain(files, extraCIDRs, func(policies *policy.Set) *policy.Report { return policies.ExplainAssertion(ctx, a, now, nil) })
}
