// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Values of WWW-Authenticate (RFC 6750 §3).
const (
	challenge        = `Bearer realm="gatehouse"`
	challengeInvalid = `Bearer realm="gatehouse", error="invalid_token"`
)

// refusal is what a client is told that is not let in, over HTTP and by Envoy alike: a constant for each of the few
// kinds there are. Why is in the log.
type refusal struct {
	status int
	header http.Header // canonical names; the values are shared and never appended to
	body   []byte
	envoy  *extauthz.Refusal
}

// refusals are all refusals that do not depend on the decision's RetryAfter.
var (
	refusedNoToken   = newRefusal(http.StatusUnauthorized, codeInvalidToken, "the request carries no token", challenge, "")
	refusedToken     = newRefusal(http.StatusUnauthorized, codeInvalidToken, "the token is not accepted", challengeInvalid, "")
	refusedForbidden = newRefusal(http.StatusForbidden, codeAccessDenied, "the token is valid, but access is denied", "", "")
	refusedForNow    = newUnavailable(time.Second)
	refusedByFault   = newRefusal(http.StatusInternalServerError, codeServerError, "the server met a fault", "", "")
)

func newUnavailable(wait time.Duration) *refusal {
	return newRefusal(http.StatusServiceUnavailable, codeUnavailable, "the request cannot be decided at the moment: try again", "", strconv.Itoa(max(1, int(wait/time.Second))))
}

func newRefusal(status int, code, description, challenge, retryAfter string) *refusal {
	body, err := json.Marshal(errorBody{code, description})
	if err != nil { // two constant strings
		panic(err)
	}
	r := &refusal{status: status, header: http.Header{"Content-Type": jsonType, "Cache-Control": noStore}, body: append(body, '\n')}
	if challenge != "" {
		r.header["Www-Authenticate"] = []string{challenge}
	}
	if retryAfter != "" {
		r.header["Retry-After"] = []string{retryAfter}
	}
	r.envoy = extauthz.NewRefusal(extauthz.Refusal{Status: status, Challenge: challenge, RetryAfter: retryAfter, Body: r.body})
	return r
}

// refusalOf is what the client of a refused request is told.
func refusalOf(d *policy.Decision) *refusal {
	switch {
	case d.Status == http.StatusServiceUnavailable && d.RetryAfter <= time.Second:
		return refusedForNow
	case d.Status == http.StatusServiceUnavailable:
		return newUnavailable(d.RetryAfter)
	case d.Status == http.StatusForbidden:
		return refusedForbidden
	case d.HasToken:
		return refusedToken
	}
	return refusedNoToken
}

func (r *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range r.header {
		h[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body) // a client that is gone is no concern of ours
}
