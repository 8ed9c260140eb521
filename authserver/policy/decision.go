// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// retryAfter is what a 503 asks of the client: the key engine's shortest wait between two attempts.
const retryAfter = time.Second

// Decision is the answer to one request.
type Decision struct {
	// Status is 200, 401, 403 or 503.
	Status int
	// Identity is set with 200 only.
	Identity Identity

	// Reason and Detail say why not; they are for logs, metrics and explain, never for the client. Neither holds
	// bytes of the token.
	Reason token.Reason
	Detail string

	// HasToken tells that something was sent as a token.
	HasToken bool
	// Tenant is the tenant that the request was decided for, "" if it came to none.
	Tenant string
	// Algorithm is the token's, once it was found to be one that the policy allows.
	Algorithm string
	// RetryAfter is set with 503.
	RetryAfter time.Duration
}

// NotConfigured is the decision of a server without configuration.
func NotConfigured() Decision {
	return Decision{Status: http.StatusServiceUnavailable, Reason: ReasonNotConfigured,
		Detail: "no configuration has been read yet", RetryAfter: retryAfter}
}

// refused completes the decision from an error. One that names no reason is a fault of this program: it refuses too.
func (d *Decision) refused(err error) {
	d.Identity = Identity{}
	if errors.Is(err, keys.ErrUnavailable) {
		d.Status, d.RetryAfter = http.StatusServiceUnavailable, retryAfter
		d.Reason, d.Detail = ReasonKeysUnavailable, err.Error()
		return
	}
	d.Status = http.StatusUnauthorized
	d.Reason = "internal"
	if e, ok := errors.AsType[*token.Error](err); ok {
		d.Reason, d.Detail = e.Reason, e.Detail
	}
}
