// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/gatehouse-auth/gatehouse/authserver/assertion"
	"github.com/gatehouse-auth/gatehouse/authserver/credential"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

const (
	pathCredentials = "/credentials/"
	// routeCredentials is what stands in the route table for all of them.
	routeCredentials = pathCredentials + "{provider}"
	// credentialPatience is how long a caller waits for a token endpoint.
	credentialPatience = 25 * time.Second
)

// isCredentials tells whether a raw path is one of GET /credentials/{provider}.
func isCredentials(path string) bool {
	name, ok := strings.CutPrefix(path, pathCredentials)
	return ok && name != "" && strings.IndexByte(name, '/') < 0
}

// handleCredentials answers GET /credentials/{provider}: the token of a credential, for callers that it allows. Who asks is decided as at /verify, but that a browser's
// session counts for nothing. A name that does not exist and one that the caller may not have are answered alike, after the same work: see [policy.Set.Admit].
func (s *Server) handleCredentials(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(rawPath(r), pathCredentials)
	q := question{facts: &policy.Facts{}, credential: name, carrier: propagation.HeaderCarrier(r.Header)}
	q.facts.Read(r.Header)
	v := s.forPrograms.decide(r.Context(), &q)
	leaveBody(w, r)
	if v.Status != http.StatusOK {
		s.metrics.handedOut.refused.Inc()
		s.forPrograms.logRefusal(&v.Decision, s.clientFor(r, v.snap))
		refusalOf(&v.Decision).write(w)
		return
	}
	c := v.snap.credentials.Get(name)
	if !v.admitted || c == nil {
		s.metrics.handedOut.notFound.Inc()
		s.logNotHandedOut(c, &v, s.clientFor(r, v.snap))
		writeError(w, http.StatusNotFound, codeNotFound, "there is no credential of this name for this caller")
		return
	}
	s.handOut(w, r, c, &v)
}

// handOut answers with the token, or with why there is none.
func (s *Server) handOut(w http.ResponseWriter, r *http.Request, c *credential.Credential, v *verdict) {
	token, err := c.TokenWithin(r.Context(), credentialPatience)
	if err != nil {
		s.metrics.handedOut.unavailable.Inc()
		faultOf(err).write(w)
		return
	}
	remains := int64(token.ExpiresAt.Sub(s.now()) / time.Second)
	if remains < 1 { // nobody could use it in time
		s.metrics.handedOut.unavailable.Inc()
		faultOf(&assertion.Error{Reason: assertion.ReasonUnreachable, RetryAfter: time.Second}).write(w)
		return
	}
	s.metrics.handedOut.issued.Inc()
	if !v.Cached { // who comes again with the same token is told once, or twice
		s.log.LogAttrs(context.Background(), slog.LevelInfo, "a token was handed out",
			slog.String("event", logs.EventCredentialIssued), slog.String("provider", providerOf(c.Object())),
			slog.String("tenant", v.Tenant), slog.String("policy", v.Policy), slog.String("user", markOf(v.Identity.PreferredUsername)), slog.String("client", s.clientFor(r, v.snap)))
	}
	writeToken(w, &token, remains)
}

// writeToken writes the members of RFC 6749 §5.1.
func writeToken(w http.ResponseWriter, token *assertion.Token, remains int64) {
	body := make([]byte, 0, len(token.Value)+96)
	body = appendQuoted(append(body, `{"access_token":`...), token.Value)
	body = appendQuoted(append(body, `,"token_type":`...), token.Type)
	body = strconv.AppendInt(append(body, `,"expires_in":`...), remains, 10)
	body = append(body, '}', '\n')
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(body))} // a long one would be sent in chunks
	_, _ = w.Write(body)                                    //nolint:gosec // JSON, not HTML. A client that is gone is no concern of ours
}

// logNotHandedOut tells that a caller was let in and is not allowed the credential, which is nil where there is none; what the caller asked for is then not told, since it may
// be anything.
func (s *Server) logNotHandedOut(c *credential.Credential, v *verdict, client string) {
	if !s.refusals.allow() {
		return
	}
	provider := ""
	if c != nil {
		provider = providerOf(c.Object())
	}
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "no token for this caller",
		slog.String("event", logs.EventCredentialRefused), slog.String("provider", provider),
		slog.String("tenant", v.Tenant), slog.String("policy", v.Policy), slog.String("user", markOf(v.Identity.PreferredUsername)), slog.String("client", client))
}

// clientFor is who asks, for logs; the snapshot may be nil.
func (s *Server) clientFor(r *http.Request, snap *snapshot) string {
	if snap == nil {
		return clientOf(r)
	}
	return clientText(r, snap)
}

// credentialFault is why there is no token, as a caller is told.
type credentialFault struct {
	status int
	code   string
	reason string        // one of package assertion's, or ""
	after  time.Duration // when to try again, 0 for nobody knows
}

// faultOf is what becomes of an error of [credential.Credential.TokenWithin]: 504 where the endpoint was not heard of in time, 503 where it is away, else 502.
func faultOf(err error) credentialFault {
	f := credentialFault{status: http.StatusGatewayTimeout, code: codeUnavailable, after: time.Second}
	e := assertionError(err)
	switch {
	case e == nil: // the caller's own time is over
		return f
	case e.Timeout():
	case e.Away():
		f.status = http.StatusServiceUnavailable
	default:
		f.status, f.code = http.StatusBadGateway, codeServerError
	}
	f.reason, f.after = e.Reason, e.RetryAfter
	if f.status != http.StatusBadGateway {
		f.after = max(f.after, time.Second)
	}
	return f
}

// write answers. Of the failure it tells the reason alone, which is a constant.
func (f credentialFault) write(w http.ResponseWriter) {
	if f.after > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((f.after+time.Second-1)/time.Second), 10))
	}
	text := "the provider gave no token in time"
	if f.reason != "" {
		text = "the provider gave no token: " + f.reason
	}
	writeError(w, f.status, f.code, text)
}

// appendQuoted writes a text of visible ASCII as JSON does. Few tokens hold one of the two characters that strconv and JSON escape alike.
func appendQuoted(b []byte, text string) []byte {
	if strings.IndexByte(text, '"') >= 0 || strings.IndexByte(text, '\\') >= 0 {
		return strconv.AppendQuote(b, text)
	}
	return append(append(append(b, '"'), text...), '"')
}
