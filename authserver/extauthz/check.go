// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"

	"github.com/gatehouse-auth/gatehouse/authserver/claims"
)

// Gate decides, counts and logs.
type Gate interface {
	// Decide decides one request. One with a Problem is refused.
	Decide(ctx context.Context, r *Request) Answer
	// Panicked is told of a panic that a call ended in and returns the refusal to answer with.
	Panicked(value any) *Refusal
}

// Answer is what a [Gate] decides.
type Answer struct {
	// Refusal is set where the request is not let in; then nothing else counts.
	Refusal *Refusal
	// Identity is who the request is, and Names are those of the configuration that decided so.
	Identity *claims.Identity
	Names    *Names
}

// service is the gRPC service.
type service struct {
	authv3.UnimplementedAuthorizationServer
	gate Gate
}

// Check answers one request of Envoy's. It returns no error, ever (see the package's doc).
func (s *service) Check(ctx context.Context, in *authv3.CheckRequest) (out *authv3.CheckResponse, _ error) {
	defer func() {
		if v := recover(); v != nil {
			out = s.gate.Panicked(v).response
		}
	}()
	r := newRequest(in)
	p := &patience{Context: ctx}
	defer p.end()
	a := s.gate.Decide(p, r)
	if a.Refusal != nil {
		return a.Refusal.response, nil
	}
	return a.Names.allow(a.Identity, r), nil
}
