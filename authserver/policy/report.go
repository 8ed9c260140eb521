// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Outcome is how one check of a report ended.
type Outcome string

// Outcomes of a check.
const (
	// OutcomePassed: the check was made and holds.
	OutcomePassed Outcome = "passed"
	// OutcomeFailed: the check decided the request. At most one check of a report fails.
	OutcomeFailed Outcome = "failed"
	// OutcomeSkipped: the policy or the request asks for nothing here.
	OutcomeSkipped Outcome = "skipped"
	// OutcomeNotReached: an earlier check failed.
	OutcomeNotReached Outcome = "not_reached"
)

// Report explains one decision: every check in the order of DESIGN §7, and what to do about the one that failed. It holds neither the token nor a
// secret: of the token only header and registered claims that an operator needs, quoted and cut short.
type Report struct {
	// Status is what /verify answers: 200, 401, 403 or 503; for an assertion what the token endpoint does: 200, 400 or 503.
	Status int `json:"status"`
	// Reason is the code of logs and metrics; empty with 200.
	Reason token.Reason `json:"reason,omitempty"`
	// Tenant and Policy are what the request was decided for; Policy is "TenantJWTPolicy/namespace/name". Empty if it came to none.
	Tenant string `json:"tenant,omitempty"`
	Policy string `json:"policy,omitempty"`
	// Upstream is the credential whose token the application gets as Authorization; empty for none, and for a request that is not let in.
	Upstream string `json:"upstreamCredential,omitempty"`
	// Checks are all checks, in order.
	Checks []Check `json:"checks"`
	// Fix says what to change, and where, so that the failed check holds; empty with 200.
	Fix string `json:"fix,omitempty"`
	// Headers are the identity headers of the answer, by name; set with 200 only.
	Headers map[string]string `json:"headers,omitempty"`
	// AccessToken is what an access token for the assertion would say beside when it was made and for whom; set with 200 for assertions only, which have no Headers.
	AccessToken map[string]any `json:"access_token_claims,omitempty"`
}

// Check is one step.
type Check struct {
	// Name is a short constant such as "signature".
	Name    string  `json:"name"`
	Outcome Outcome `json:"outcome"`
	// Detail says what was compared or found.
	Detail string `json:"detail,omitempty"`
}

// WithoutCredential makes r the report of a request that was let in and whose Upstream has no token at the moment, as [Decision.WithoutCredential] has it.
func (r *Report) WithoutCredential(detail string) {
	at, fix := find(ReasonNoCredential)
	r.Status, r.Reason, r.Fix, r.Upstream, r.Headers = http.StatusServiceUnavailable, ReasonNoCredential, fix, "", nil
	r.Checks[at].Outcome, r.Checks[at].Detail = OutcomeFailed, join(detail, r.Checks[at].Detail)
}
