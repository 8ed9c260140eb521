// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
)

// problem shows why the person does not get on; to programs it says so in JSON.
func (v *visit) problem(status int, m pages.ProblemModel, description string) {
	if !acceptsHTML(v.r) {
		code := m.Reason
		if status == http.StatusServiceUnavailable {
			code = codeUnavailable
		}
		writeError(v.w, status, code, description)
		return
	}
	m.Reference = v.trace()
	v.site.pages.Problem(v.w, v.r, status, m)
}

// trace is the ID of the trace that the request is recorded in, "" for none.
func (v *visit) trace() string {
	if c := trace.SpanContextFromContext(v.r.Context()); c.HasTraceID() && c.IsSampled() {
		return c.TraceID().String()
	}
	return ""
}

func (v *visit) badRequest(description string) {
	v.problem(http.StatusBadRequest, pages.ProblemModel{Reason: pages.ReasonBadRequest}, description)
}

func (v *visit) notFound() {
	v.problem(http.StatusNotFound, pages.ProblemModel{Reason: pages.ReasonNotFound}, "there is nothing at this path")
}

// fault answers what a person can do nothing about but come again: mostly a store that is away.
func (v *visit) fault(err error) {
	if v.r.Context().Err() == nil {
		v.tell(slog.LevelError, "a page could not be served", slog.Any("error", err))
	}
	setRetryAfter(v.w, storePatience)
	v.problem(http.StatusServiceUnavailable, pages.ProblemModel{Reason: pages.ReasonUnavailable, RetryURL: v.retryURL()}, "the server cannot do this at the moment; try again")
}

// retryURL is where the person can go on: here, where asking again does no harm.
func (v *visit) retryURL() string {
	switch v.r.URL.Path {
	case pathAccount, pathLogout:
		return v.r.URL.Path
	}
	return pathLogin
}

// acceptsHTML tells browsers from programs.
func acceptsHTML(r *http.Request) bool {
	for _, line := range r.Header["Accept"] {
		if strings.Contains(line, "text/html") {
			return true
		}
	}
	return false
}

// redirect sends the browser on after a GET or, within this origin, after a form.
func (v *visit) redirect(to string) {
	h := v.w.Header()
	h.Set("Location", to)
	h.Set("Referrer-Policy", "no-referrer") // the URL of a callback holds a code
	v.w.WriteHeader(http.StatusSeeOther)
}

// lead sends the browser on after a form was posted. Chromium holds every redirect after a form against form-action; so to
// another origin a page leads on.
func (v *visit) lead(to string) {
	if v.r.Method != http.MethodPost || to == v.site.origin || strings.HasPrefix(to, v.site.origin+"/") {
		v.redirect(to)
		return
	}
	v.site.pages.Continue(v.w, v.r, pages.ContinueModel{URL: to})
}

// errorOf is err as one of package idp; nil if it is another.
func errorOf(err error) *idp.Error {
	e, _ := errors.AsType[*idp.Error](err)
	return e
}
