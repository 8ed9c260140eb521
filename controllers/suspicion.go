// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// Suspicion counts the requests to the API server that got no answer. After one, the history behind the caches may be
// another, as after a restore of etcd: nothing is written until they have been compared with the API server.
type Suspicion struct{ raised atomic.Int64 }

// Observe makes the clients of a configuration raise the suspicion. It must be called before any client is made of it.
func (s *Suspicion) Observe(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(request)
			if err != nil && !errors.Is(err, context.Canceled) {
				s.raised.Add(1)
			}
			return response, err
		})
	})
}

// count is how often it was raised; a nil Suspicion never is.
func (s *Suspicion) count() int64 {
	if s == nil {
		return 0
	}
	return s.raised.Load()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }
