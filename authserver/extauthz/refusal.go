// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"net/http"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// Refusal is what a client gets whose request is not let in: a constant, which tells nothing of why. Make it with
// [NewRefusal]; it is immutable and shared by all answers.
type Refusal struct {
	Status     int
	Challenge  string // WWW-Authenticate; empty for none
	RetryAfter string // Retry-After; empty for none
	Body       []byte // JSON

	response response
}

// NewRefusal completes r. Its texts are constants of the program: one that is not UTF-8 panics.
func NewRefusal(r Refusal) *Refusal {
	denied := &authv3.DeniedHttpResponse{Status: &typev3.HttpStatus{Code: typev3.StatusCode(r.Status)}, Body: string(r.Body)}
	for _, h := range []struct{ name, value string }{
		{"content-type", "application/json"}, {"cache-control", "no-store"}, {"www-authenticate", r.Challenge}, {"retry-after", r.RetryAfter},
	} {
		if h.value != "" {
			denied.Headers = append(denied.Headers, &corev3.HeaderValueOption{
				Header: &corev3.HeaderValue{Key: h.name, Value: h.value}, AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			})
		}
	}
	message, err := proto.Marshal(&authv3.CheckResponse{
		Status:       &rpcstatus.Status{Code: int32(r.code())},
		HttpResponse: &authv3.CheckResponse_DeniedResponse{DeniedResponse: denied},
	})
	if err != nil {
		panic(err)
	}
	r.response = message
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
