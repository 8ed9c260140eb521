// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
	"github.com/gatehouse-auth/gatehouse/authserver/store"
)

// TestReasonsHaveWords guards that somebody has thought of what a person is told for each reason there is.
func TestReasonsHaveWords(t *testing.T) {
	reasons := append(constants(t, "idp", "Reason"), constants(t, "idp/profile", "Reason")...)
	if len(reasons) < 20 {
		t.Fatalf("only %d reasons found: does this test still understand the code?", len(reasons))
	}
	for _, c := range reasons {
		if c.value[0] >= 'A' && c.value[0] <= 'Z' {
			continue // of a condition at /configz
		}
		row, ok := authProblems[c.value]
		if !ok || !slices.Contains(pages.Reasons(), row.problem) || row.status < http.StatusBadRequest {
			t.Errorf("%s (%s) has no row in authProblems, or one that no page knows: %+v", c.name, c.value, row)
		}
	}
	for field, problem := range fieldProblems {
		if !slices.Contains(pages.Reasons(), problem) {
			t.Errorf("%s: no page knows %s", field, problem)
		}
	}
}

// TestWordsForErrors guards what people are told of errors, wrapped as they come.
func TestWordsForErrors(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		want   string
	}{
		"bad username":       {&idp.Error{Reason: idp.ReasonBadUsername}, http.StatusForbidden, pages.ReasonNoUsername},
		"too many groups":    {&idp.Error{Reason: idp.ReasonTooManyGroups}, http.StatusForbidden, pages.ReasonTooManyGroups},
		"groups":             {&idp.Error{Reason: idp.ReasonGroups}, http.StatusForbidden, pages.ReasonGroups},
		"unknown reason":     {&idp.Error{Reason: "surprise"}, http.StatusForbidden, pages.ReasonProviderAnswer},
		"user disabled":      {directory.ErrUserDisabled, http.StatusForbidden, pages.ReasonDisabled},
		"organization full":  {directory.ErrOrganizationFull, http.StatusForbidden, pages.ReasonNoRoom},
		"kept username":      {&directory.InvalidError{Field: "username"}, http.StatusForbidden, pages.ReasonNoUsername},
		"kept groups":        {&directory.InvalidError{Field: "groups"}, http.StatusForbidden, pages.ReasonGroups},
		"kept e-mail":        {&directory.InvalidError{Field: "email"}, http.StatusForbidden, pages.ReasonProviderAnswer},
		"store away":         {store.ErrUnavailable, http.StatusServiceUnavailable, pages.ReasonUnavailable},
		"provider away":      {&idp.Error{Reason: idp.ReasonUnavailable}, http.StatusServiceUnavailable, pages.ReasonProviderAway},
		"anything else":      {errors.New("surprise"), http.StatusServiceUnavailable, pages.ReasonUnavailable},
		"not set up rightly": {&idp.Error{Reason: idp.ReasonMisconfigured}, http.StatusInternalServerError, pages.ReasonProviderSetup},
	} {
		status, m := judgeAuth(fmt.Errorf("logging in: %w", c.err))
		if status != c.status || m.Problem != c.want || m.ProblemMessage != "" {
			t.Errorf("%s: %d %+v", name, status, m)
		}
	}
}

// TestProviderLoginMetrics guards that logins at providers are counted once each, by type and result.
func TestProviderLoginMetrics(t *testing.T) {
	w := newWorld(t, func(w *world) {
		nobody := w.provider("nobody", w.op)
		nobody.Rules = []config.ClaimRule{{Expression: "false", Message: "nobody may"}}
		away := w.provider("away", w.op)
		away.OIDC.Discovery = w.origin + "/nothing"
		w.base.Providers = append(w.base.Providers, nobody, away)
	})
	v := w.visitor(t)
	v.logIn("sso", "")
	v.logIn("sso", "")
	callback := v.callback("nobody", "")
	if got := v.get(callback); got.StatusCode != http.StatusForbidden {
		t.Fatalf("a rule: %d", got.StatusCode)
	}
	v.get(callback) // used
	v.get("/auth/sso/login/callback/?code=x&state=y")
	if got := v.get("/auth/away/login/"); got.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("a provider that is away: %d", got.StatusCode)
	}
	want := map[string]float64{`{result="succeeded",type="OIDC"}`: 2, `{result="failed",type="OIDC"}`: 3, `{result="unavailable",type="OIDC"}`: 1}
	if diff := cmp.Diff(want, samples(t, w.lab, "gatehouse_logins_total")); diff != "" {
		t.Errorf("gatehouse_logins_total (-want +got):\n%s", diff)
	}
}
