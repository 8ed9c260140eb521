// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"net/http"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
)

// Refusal is what a client gets whose request is not let in: a constant, which tells nothing of why. Make it with
// [NewRefusal]; it is immutable and shared by all answers.
type Refusal struct {
	Status     int
	Challenge  string // WWW-Authenticate; empty for none
	RetryAfter string // Retry-After; empty for none
	Body       []byte // JSON

	response *authv3.CheckResponse
}

// NewRefusal completes r.
func NewRefusal(r Refusal) *Refusal {
	set := newOptions(4)
	set.add("content-type", "application/json")
	set.add("cache-control", "no-store")
	if r.Challenge != "" {
		set.add("www-authenticate", r.Challenge)
	}
	if r.RetryAfter != "" {
		set.add("retry-after", r.RetryAfter)
	}
	r.response = &authv3.CheckResponse{
		Status: &rpcstatus.Status{Code: int32(r.code())},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: &authv3.DeniedHttpResponse{
			Status: &typev3.HttpStatus{Code: typev3.StatusCode(r.Status)}, Headers: set.options, Body: string(r.Body),
		}},
	}
	return &r
}

// code is the status of the answer for those who read no HTTP. It is never OK, which alone lets a request in.
func (r *Refusal) code() codes.Code {
	switch r.Status {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.Internal
}
