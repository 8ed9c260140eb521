// SPDX-License-Identifier: Apache-2.0

package extauthz

import (
	"context"

	"google.golang.org/grpc"

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
	// Authorization replaces what the client sent under that name, "" leaves that alone. It is secret, and no part of the dynamic metadata.
	Authorization string
}

// checker is the service.
type checker interface {
	check(ctx context.Context, r *Request) response
}

// ServiceName is the name of the gRPC service, also at the health service.
const ServiceName = "envoy.service.auth.v3.Authorization"

// serviceDesc is what the generated code has, with codec's messages in place of the generated ones.
var serviceDesc = grpc.ServiceDesc{
	ServiceName: ServiceName,
	HandlerType: (*checker)(nil),
	Metadata:    "envoy/service/auth/v3/external_auth.proto",
	Methods: []grpc.MethodDesc{{MethodName: "Check", Handler: func(service any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		r := new(Request)
		if err := read(r); err != nil { // of the connection, not of the message
			return nil, err
		}
		return service.(checker).check(ctx, r), nil
	}}},
}

type service struct{ gate Gate }

// check answers one request of Envoy's.
func (s *service) check(ctx context.Context, r *Request) (out response) {
	defer func() {
		if v := recover(); v != nil {
			out = s.gate.Panicked(v).response
		}
	}()
	p := &patience{Context: ctx}
	defer p.end()
	a := s.gate.Decide(p, r)
	if a.Refusal != nil {
		return a.Refusal.response
	}
	return a.Names.allow(&a, r)
}
