// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
	"github.com/gatehouse-auth/gatehouse/authserver/session"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Reasons of requests that are refused for the session cookie that they carry; with 401, but where it says 503.
const (
	// reasonSessionTwice: the session cookie is there twice.
	reasonSessionTwice token.Reason = "session_twice"
	// reasonSessionNone: no session has the cookie that was sent. It has ended, or never was.
	reasonSessionNone token.Reason = "no_session"
	// reasonSessionUnavailable: the session cannot be looked at (503).
	reasonSessionUnavailable token.Reason = "session_unavailable"
)

// admitCookie is for requests that carry no token: where the browser has a session, the own access token that stands for it is
// decided about like a Bearer token. refused is false where there is no cookie either.
func (f *front) admitCookie(ctx context.Context, q *question, snap *snapshot) (d policy.Decision, refused bool) {
	if !snap.site.open() {
		return d, false
	}
	value, err := snap.site.cookies.Read(q.cookies)
	switch {
	case errors.Is(err, session.ErrNoCookie):
		return d, false
	case errors.Is(err, session.ErrTwice):
		return refuseCookie(http.StatusUnauthorized, reasonSessionTwice, err.Error()), true
	case err != nil:
		return refuseCookie(http.StatusUnauthorized, reasonSessionNone, err.Error()), true
	}
	raw, err := f.server.browsers.sessions.Token(ctx, snap.login, value)
	switch {
	case errors.Is(err, session.ErrNoSession):
		return refuseCookie(http.StatusUnauthorized, reasonSessionNone, err.Error()), true
	case err != nil:
		d = refuseCookie(http.StatusServiceUnavailable, reasonSessionUnavailable, err.Error())
		d.RetryAfter = time.Second
		return d, true
	}
	q.facts.Token = []string{raw}
	return d, false
}

func refuseCookie(status int, reason token.Reason, detail string) policy.Decision {
	return policy.Decision{Status: status, Reason: reason, Detail: detail, HasToken: true}
}
