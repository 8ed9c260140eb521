// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Refusals are logged one by one up to this rate; who sends more cannot fill the disk or slow others.
const (
	refusalsPerSecond = 20
	refusalsBurst     = 100
)

// refusalLog writes one event for each refusal, within the rate. Requests and logins have one each, so that neither hides the other.
type refusalLog struct {
	log     *slog.Logger
	limit   *rate.Limiter
	metrics *metrics
}

func newRefusalLog(log *slog.Logger, m *metrics) *refusalLog {
	return &refusalLog{log: log, limit: rate.NewLimiter(refusalsPerSecond, refusalsBurst), metrics: m}
}

// allow tells whether one more event may be written, and counts those that may not.
func (l *refusalLog) allow() bool {
	if l.limit.AllowN(time.Now(), 1) {
		return true
	}
	l.metrics.dropped.Inc()
	return false
}

// tell logs what anybody can cause, within the rate.
func (v *visit) tell(level slog.Level, message string, attributes ...slog.Attr) {
	if v.refusals.allow() {
		v.log.LogAttrs(v.r.Context(), level, message, attributes...)
	}
}

// logRefusal tells why a request was not let in. Nothing in the event is text that the client chose freely: tenant and
// algorithm are those of a policy or of a verified own token, method and path are left out; client is the connection's
// address, or the one that Envoy tells.
func (f *front) logRefusal(d *policy.Decision, client string) {
	l := f.server.refusals
	if !l.allow() {
		return
	}
	level := slog.LevelInfo
	if d.Status == http.StatusServiceUnavailable {
		level = slog.LevelWarn
	}
	l.log.LogAttrs(context.Background(), level, "request refused",
		slog.String("event", logs.EventVerifyRefused),
		slog.Int("status", d.Status),
		slog.String("reason", string(d.Reason)),
		slog.String("detail", d.Detail),
		slog.String("tenant", d.Tenant),
		slog.String("policy", d.Policy),
		slog.String("algorithm", d.Algorithm),
		slog.String("protocol", f.protocol),
		slog.String("client", client))
}
