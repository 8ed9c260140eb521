// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// retryAfter is what a 503 asks of the client: the key engine's shortest wait between two attempts.
const retryAfter = time.Second

// Identity is who a request is, each value as it stands in its header.
type Identity = claims.Identity

// Decision is the answer to one request.
type Decision struct {
	// Status is 200, 401, 403 or 503.
	Status int
	// Identity is set with 200 only. Its Headers are those of the deciding policy; an answer carries every one of
	// [Set.HeaderNames], empty where they are not among these.
	Identity Identity

	// Reason and Detail say why not; they are for logs, metrics and explain, never for the client. Neither holds
	// bytes of the token.
	Reason token.Reason
	Detail string

	// HasToken tells that something was sent as a token.
	HasToken bool
	// Cached tells that the same was decided before, and that all of what decided still holds.
	Cached bool
	// Tenant is the tenant that the request was decided for, "" if it came to none.
	Tenant string
	// Policy is the policy that applied, "TenantJWTPolicy/namespace/name"; "" for none.
	Policy string
	// Upstream is the credential whose token the application gets in the place of the caller's, by the policy that applied; "" for none. It counts with 200
	// only, and whether there is a token is for whoever has it to tell: see [Decision.WithoutCredential].
	Upstream string
	// Algorithm is the one that vouches for the claims, once it was found to be one that the policy allows: that of the
	// signature, or of the encryption where the claims are directly inside.
	Algorithm string
	// RetryAfter is set with 503.
	RetryAfter time.Duration
}

// NotConfigured is the decision of a server without configuration.
func NotConfigured() Decision {
	return Decision{Status: http.StatusServiceUnavailable, Reason: ReasonNotConfigured,
		Detail: "no configuration has been read yet", RetryAfter: retryAfter}
}

// close completes the decision from how the checks ended.
func (d *Decision) close(err error) {
	if err == nil {
		d.Status = http.StatusOK
		return
	}
	d.Identity = Identity{}
	if d.Status, d.Reason, d.Detail = answerTo(err); d.Status == http.StatusServiceUnavailable {
		d.RetryAfter = retryAfter
	}
}

// WithoutCredential is the decision of a request that was let in and whose policy names a credential that has no token at the moment: it would reach the
// application with the caller's. detail says why, and after how long to try again.
func (d *Decision) WithoutCredential(detail string, after time.Duration) Decision {
	refused := *d
	refused.Status, refused.Identity = http.StatusServiceUnavailable, Identity{}
	refused.Reason, refused.Detail, refused.RetryAfter = ReasonNoCredential, detail, max(after, retryAfter)
	return refused
}
