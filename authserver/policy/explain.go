// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Explain decides as [Set.Decide] does, by the same code and without asking what was remembered, and reports every check.
func (s *Set) Explain(ctx context.Context, f *Facts, now time.Time) *Report {
	j := judgement{set: s, now: now}
	err := j.ask(f)
	if err == nil {
		err = j.judge(ctx)
	}
	j.decision.close(err)
	return j.report()
}

// NotConfiguredReport is the report of a server without configuration.
func NotConfiguredReport() *Report {
	j := judgement{decision: NotConfigured()}
	return j.report()
}

// report lays the checks out. The reason says which one decided: those before it hold, as far as they were asked for, and
// those after it were not made.
func (j *judgement) report() *Report {
	d := &j.decision
	rows := j.rows()
	r := &Report{Status: d.Status, Reason: d.Reason, Tenant: d.Tenant, Policy: d.Policy, Checks: make([]Check, len(rows))}
	failed := len(rows)
	if d.Status != http.StatusOK {
		failed, r.Fix = findIn(rows, d.Reason)
		if d.Reason == ReasonKeysUnavailable { // the key engine's message says what to change, and is all there is without a cluster
			r.Fix = join(strings.TrimPrefix(d.Detail, keys.ErrUnavailable.Error()+": "), r.Fix)
		}
	} else if j.issued != nil {
		r.AccessToken = j.issued.claims(d.Tenant)
	} else {
		r.Headers, r.Upstream = headersOf(&d.Identity, j.set.headers), d.Upstream
	}
	for i := range rows {
		c, out := &rows[i], &r.Checks[i]
		out.Name = c.name
		switch {
		case i > failed, i < failed && c.inside && j.closed(rows, failed):
			out.Outcome = OutcomeNotReached
		case i == failed:
			out.Outcome, out.Detail = OutcomeFailed, join(d.Detail, c.observe(j))
		case c.asked != nil && !c.asked(j):
			out.Outcome = OutcomeSkipped
		default:
			out.Outcome, out.Detail = OutcomePassed, c.observe(j)
			if out.Detail == "" {
				out.Detail = c.title
			}
		}
	}
	return r
}

// closed tells of an encrypted token that there was no key to open it with.
func (j *judgement) closed(rows []check, failed int) bool {
	return failed < len(rows) && rows[failed].name == checkKey && j.token == nil && isEncrypted(j)
}

// rows are the checks that j meets.
func (j *judgement) rows() []check {
	if j.assertion != nil {
		return assertionChecks
	}
	return checks[:]
}

// find returns the check that fails for the reason, and the fix. A reason that the table lacks would be a fault of this
// program; no check is then shown as if it held.
func find(reason token.Reason) (index int, fix string) { return findIn(checks[:], reason) }

func findIn(rows []check, reason token.Reason) (index int, fix string) {
	for i := range rows {
		at := slices.IndexFunc(rows[i].causes, func(c cause) bool { return c.reason == reason })
		if at >= 0 {
			return i, rows[i].causes[at].fix
		}
	}
	return 0, ""
}

func (c *check) observe(j *judgement) string {
	if c.found == nil {
		return ""
	}
	return c.found(j)
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// headersOf are the identity headers of an answer: the fixed ones and every mapped one of the server.
func headersOf(id *Identity, mapped []string) map[string]string {
	headers := make(map[string]string, 5+len(mapped))
	for _, name := range mapped {
		headers[name] = ""
	}
	for _, h := range id.Headers {
		headers[h.Name] = h.Value
	}
	headers["X-Auth-Request-User"] = id.User
	headers["X-Auth-Request-Email"] = id.Email
	headers["X-Auth-Request-Groups"] = id.Groups
	headers["X-Auth-Request-Preferred-Username"] = id.PreferredUsername
	headers["X-Auth-Tenant"] = id.Tenant
	return headers
}
