// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"net/http"

	"google.golang.org/grpc/metadata"

	"github.com/gatehouse-auth/gatehouse/authserver/extauthz"
)

// gate is how Envoy's external authorization asks for decisions.
type gate struct{ *front }

// Decide decides one request.
func (g gate) Decide(ctx context.Context, r *extauthz.Request) extauthz.Answer {
	q := question{facts: &r.Facts, problem: r.Problem, cookies: r.Cookies}
	if g.server.tracer != nil {
		q.carrier = callCarrier{ctx, r}
	}
	v := g.decide(ctx, &q)
	d, snap := &v.Decision, v.snap
	if d.Status == http.StatusOK {
		return extauthz.Answer{Identity: &d.Identity, Names: snap.names, Authorization: v.authorization}
	}
	g.logRefusal(d, r.Client)
	refused := refusalOf(d).envoy
	if d.Status == http.StatusUnauthorized && snap != nil && r.Visit != "" {
		if location, ok := snap.site.loginLocation(r.Visit); ok {
			known := *refused
			known.Login = location
			refused = extauthz.NewRefusal(known)
		}
	}
	return extauthz.Answer{Refusal: refused}
}

// Panicked counts and logs a panic.
func (g gate) Panicked(v any) *extauthz.Refusal {
	g.server.tellPanic(v)
	return refusedByFault.envoy
}

// callCarrier finds the trace context of a call: Envoy's own span where it traces the call, else that of the request
// that it asks about.
type callCarrier struct {
	ctx     context.Context
	request *extauthz.Request
}

// Get returns a value.
func (c callCarrier) Get(key string) string {
	if values := metadata.ValueFromIncomingContext(c.ctx, key); len(values) > 0 {
		return values[0]
	}
	if key == "traceparent" {
		return c.request.Trace
	}
	return ""
}

// Set is for those who send.
func (callCarrier) Set(string, string) {}

// Keys is for those who copy.
func (callCarrier) Keys() []string { return nil }
