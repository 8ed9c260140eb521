// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/gatehouse-auth/gatehouse/authserver/directory"
	"github.com/gatehouse-auth/gatehouse/authserver/idp"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/pages"
)

// authProblem is what a person is told.
type authProblem struct {
	status  int
	problem string
}

// Whatever is wrong with an answer, the person can do no more about it than try again.
var badAnswer = authProblem{http.StatusForbidden, pages.ReasonProviderAnswer}

// authProblems has a row for each reason of package idp. One that it lacks is an answer that cannot be accepted.
var authProblems = map[string]authProblem{
	idp.ReasonUnavailable:     {http.StatusServiceUnavailable, pages.ReasonProviderAway},
	idp.ReasonMisconfigured:   {http.StatusInternalServerError, pages.ReasonProviderSetup},
	idp.ReasonClientRefused:   {http.StatusBadGateway, pages.ReasonProviderSetup},
	idp.ReasonCancelled:       {http.StatusForbidden, pages.ReasonCancelled},
	idp.ReasonRefused:         {http.StatusForbidden, pages.ReasonLoginFailed},
	idp.ReasonEnded:           {http.StatusForbidden, pages.ReasonLoginFailed},
	idp.ReasonNoCode:          {http.StatusBadRequest, pages.ReasonProviderAnswer},
	idp.ReasonUsername:        {http.StatusForbidden, pages.ReasonNoUsername},
	idp.ReasonBadUsername:     {http.StatusForbidden, pages.ReasonNoUsername},
	idp.ReasonEmailUnverified: {http.StatusForbidden, pages.ReasonEmailUnverified},
	idp.ReasonTooManyGroups:   {http.StatusForbidden, pages.ReasonTooManyGroups},
	idp.ReasonGroups:          {http.StatusForbidden, pages.ReasonGroups},
	idp.ReasonRule:            {http.StatusForbidden, pages.ReasonRule},
	idp.ReasonIssuerMismatch:  badAnswer,
	idp.ReasonTokenEndpoint:   badAnswer,
	idp.ReasonIDTokenMissing:  badAnswer,
	idp.ReasonIDToken:         badAnswer,
	idp.ReasonIDTokenIssuer:   badAnswer,
	idp.ReasonIDTokenAudience: badAnswer,
	idp.ReasonIDTokenTime:     badAnswer,
	idp.ReasonIDTokenSubject:  badAnswer,
	idp.ReasonIDTokenHash:     badAnswer,
	idp.ReasonNonce:           badAnswer,
	idp.ReasonUserInfo:        badAnswer,
	idp.ReasonUserInfoSubject: badAnswer,
	idp.ReasonSubject:         badAnswer,
	idp.ReasonMapping:         badAnswer,
	idp.ReasonLogoutToken:     badAnswer,
}

// fieldProblems are those of what the directory cannot keep of somebody, by the field.
var fieldProblems = map[string]string{"username": pages.ReasonNoUsername, "groups": pages.ReasonGroups}

// judgeAuth is the answer to an error of a login at a provider.
func judgeAuth(err error) (status int, m pages.LoginModel) {
	if errors.Is(err, directory.ErrUserDisabled) {
		return http.StatusForbidden, pages.LoginModel{Problem: pages.ReasonDisabled}
	}
	if errors.Is(err, directory.ErrOrganizationFull) {
		return http.StatusForbidden, pages.LoginModel{Problem: pages.ReasonNoRoom}
	}
	if invalid, ok := errors.AsType[*directory.InvalidError](err); ok {
		if problem, ok := fieldProblems[invalid.Field]; ok {
			return http.StatusForbidden, pages.LoginModel{Problem: problem}
		}
		return badAnswer.status, pages.LoginModel{Problem: badAnswer.problem}
	}
	e := errorOf(err)
	if e == nil {
		return http.StatusServiceUnavailable, pages.LoginModel{Problem: pages.ReasonUnavailable}
	}
	known, ok := authProblems[e.Reason]
	if !ok {
		known = badAnswer
	}
	return known.status, pages.LoginModel{Problem: known.problem, ProblemMessage: e.RuleMessage()}
}

// refuseAuth shows the login page with what went wrong at a provider.
func (v *visit) refuseAuth(p *idp.Provider, err error, want *purpose) {
	status, m := judgeAuth(err)
	reason, detail := m.Problem, err.Error()
	if e := errorOf(err); e != nil {
		reason, detail = e.Reason, e.Detail
	}
	level, result := slog.LevelInfo, login.Failed
	if status >= http.StatusInternalServerError {
		level, result = slog.LevelWarn, login.Unavailable
	}
	if errors.Is(err, directory.ErrOrganizationFull) {
		level = slog.LevelWarn
	}
	if status == http.StatusServiceUnavailable {
		setRetryAfter(v.w, storePatience)
	}
	v.count(p, result)
	v.tell(level, "a login at a provider came to nothing", slog.String("event", logs.EventLoginRefused),
		slog.String("provider", providerOf(p.Config().Object)), slog.String("reason", reason), slog.String("detail", detail), v.network())
	m.Reference = v.trace()
	v.loginPage(status, want, m, "")
}

// loginExpired refuses a callback that no login of this browser waits for.
func (v *visit) loginExpired(p *idp.Provider, reason string) {
	v.count(p, login.Failed)
	v.tell(slog.LevelInfo, "a callback was refused", slog.String("event", logs.EventLoginRefused),
		slog.String("provider", providerOf(p.Config().Object)), slog.String("reason", reason), v.network())
	v.problem(http.StatusBadRequest, pages.ProblemModel{Reason: pages.ReasonLoginExpired, Provider: p.Config().DisplayName}, "this browser has no login under way with this state: begin again")
}

// count counts how a login at a provider ended.
func (v *visit) count(p *idp.Provider, result login.Result) { v.loggedIn(p.Config().Type, result) }
