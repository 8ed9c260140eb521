// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"errors"
	"sync"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
)

// health is how the last logins went, for a provider of which nothing is fetched but for a login.
type health struct {
	mu   sync.Mutex
	last Status
}

// note takes down how a login ended. Only what concerns everybody counts: that the provider was away, does not know this client, or answered. A bad code, which
// anybody can send, tells nothing.
func (h *health) note(err error, now time.Time) {
	next := Status{Fetched: true, Ready: true, Reason: keys.ReasonReady}
	if e, ok := errors.AsType[*Error](err); ok {
		switch e.Reason {
		case ReasonUnavailable:
			next = Status{Fetched: true, Reason: keys.ReasonUnreachable, Message: e.Detail}
		case ReasonClientRefused, ReasonMisconfigured:
			next = Status{Fetched: true, Reason: ReasonMisconfiguredProvider, Message: e.Detail}
		case ReasonTokenEndpoint:
			return
		case ReasonUserInfo:
			next = Status{Fetched: true, Reason: keys.ReasonBadContent, Message: e.Detail}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if next.Since = h.last.Since; next.Reason != h.last.Reason || h.last.Since.IsZero() {
		next.Since = now
	}
	h.last = next
}

func (h *health) status() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}
