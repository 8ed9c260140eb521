// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
)

// Refusal is what a client gets whose request is not let in: a constant, which tells nothing of why. Make it with
// [NewRefusal]; it is immutable, and shared by all answers but those with a Login.
type Refusal struct {
	Status     int
	Challenge  string // WWW-Authenticate; empty for none
	RetryAfter string // Retry-After; empty for none
	Login      string // X-Auth-Login-Location; empty for none
	Body       []byte // JSON

	response response
}

// NewRefusal completes r.
func NewRefusal(r Refusal) *Refusal {
	denied := appendHead(nil, deniedStatus, 1+protowire.SizeVarint(uint64(r.Status)))
	denied = appendNumber(denied, httpStatusCode, uint64(r.Status))
	for _, h := range []struct{ name, value string }{
		{"content-type", "application/json"}, {"cache-control", "no-store"}, {"www-authenticate", r.Challenge}, {"retry-after", r.RetryAfter},
		{"x-auth-login-location", r.Login},
	} {
		if h.value != "" {
			n := newName(h.name)
			denied = n.appendOption(denied, h.value)
		}
	}
	denied = append(appendHead(denied, deniedBody, len(r.Body)), r.Body...)
	code := uint64(r.code())
	out := appendHead(nil, checkResponseStatus, 1+protowire.SizeVarint(code))
	out = appendNumber(out, statusCode, code)
	r.response = append(appendHead(out, checkResponseDenied, len(denied)), denied...)
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
