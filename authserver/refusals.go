// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Refusals are logged one by one up to this rate; who sends more cannot fill the disk or slow others.
const (
	refusalsPerSecond = 20
	refusalsBurst     = 100
)

// refusalLog writes one event for each refusal, within the rate.
type refusalLog struct {
	log     *slog.Logger
	limit   *rate.Limiter
	metrics *metrics
}

func newRefusalLog(log *slog.Logger, m *metrics) *refusalLog {
	return &refusalLog{log: log, limit: rate.NewLimiter(refusalsPerSecond, refusalsBurst), metrics: m}
}

// logRefusal tells why a request was not let in. Nothing in the event is text that the client chose freely: tenant and
// algorithm are those of a policy or of a verified own token, method and path are left out.
func (s *Server) logRefusal(r *http.Request, d *policy.Decision) {
	l := s.refusals
	if !l.limit.AllowN(time.Now(), 1) {
		l.metrics.dropped.Inc()
		return
	}
	client, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		client = ""
	}
	level := slog.LevelInfo
	if d.Status == http.StatusServiceUnavailable {
		level = slog.LevelWarn
	}
	l.log.LogAttrs(context.Background(), level, "request refused",
		slog.String("event", "verify.refused"),
		slog.Int("status", d.Status),
		slog.String("reason", string(d.Reason)),
		slog.String("detail", d.Detail),
		slog.String("tenant", d.Tenant),
		slog.String("algorithm", d.Algorithm),
		slog.String("client", client))
}
