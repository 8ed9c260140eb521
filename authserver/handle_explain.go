// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/gatehouse-auth/gatehouse/authserver/logs"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// explainBody is what POST /explain asks about: a token, and what the request that carries it says beside it. A member
// that is absent or null is a header not sent.
type explainBody struct {
	Token    string  `json:"token"`
	Tenant   *string `json:"tenant"`
	Issuer   *string `json:"issuer"`
	ClientID *string `json:"client_id"`
	Nonce    *string `json:"nonce"`
	// Assertion asks about the token as an assertion for an access token (RFC 7523), for which Scope is the parameter of that name.
	Assertion bool    `json:"assertion"`
	Scope     *string `json:"scope"`
}

// handleExplain answers POST /explain: the decision that a request would get now, check by check. It decides with the
// code of /verify and the keys at hand, fetches keys, and the token of the policy's upstreamCredential, as that would, and counts nothing. What is asked is not logged; that
// somebody asked, and the outcome, is.
func (s *Server) handleExplain(w http.ResponseWriter, r *http.Request) {
	text, ok := readBody(w, r, "application/json")
	if !ok {
		return
	}
	body, err := parseExplain(text)
	if err != nil {
		writeError(w, http.StatusBadRequest, codeInvalidRequest, err.Error())
		return
	}
	report := policy.NotConfiguredReport()
	switch snap := s.snapshot.Load(); {
	case snap == nil:
	case body.Assertion:
		report = s.explainAssertion(r.Context(), snap, body)
	default:
		report = snap.policies.Explain(r.Context(), body.facts(), s.now())
		if report.Upstream != "" {
			if _, err := upstreamToken(r.Context(), snap, report.Upstream); err != nil {
				report.WithoutCredential(err.Error())
			}
		}
	}
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "decision explained",
		slog.String("event", logs.EventVerifyExplained),
		slog.Int("status", report.Status), slog.String("reason", string(report.Reason)),
		slog.String("tenant", report.Tenant), slog.String("policy", report.Policy), slog.String("client", clientOf(r)))
	writeJSON(w, http.StatusOK, report)
}

// parseExplain reads the body. An error is for its author, who has the operations token: it repeats names, not values.
func parseExplain(text []byte) (*explainBody, error) {
	body := new(explainBody)
	err := json.Unmarshal(text, body, json.RejectUnknownMembers(true))
	var semantic *json.SemanticError
	switch {
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return nil, requestError("unknown member " + cut(semantic.JSONPointer.LastToken()) + ": use token, tenant, issuer, client_id, nonce, assertion and scope")
	case errors.As(err, &semantic) && semantic.JSONPointer == "/assertion":
		return nil, requestError("assertion must be true or false")
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		return nil, requestError(cut(semantic.JSONPointer.LastToken()) + " must be a string")
	case err != nil:
		return nil, requestError(`the body must be one JSON object such as {"token": "…", "tenant": "acme"}, no member twice`)
	case body.Token == "":
		return nil, requestError("token is required")
	case body.Scope != nil && !body.Assertion:
		return nil, requestError("scope goes with assertion: true")
	}
	return body, nil
}

// cut shortens a name and quotes it as JSON, so that it stays one word of the message.
func cut(name string) string {
	const most = 64
	if len(name) > most {
		name = name[:most]
	}
	quoted, err := json.Marshal(name)
	if err != nil { // not UTF-8 any more, or never
		return "(unreadable)"
	}
	return string(quoted)
}

// facts are what a request with those headers would be decided by.
func (b *explainBody) facts() *policy.Facts {
	sent := func(value *string) []string {
		if value == nil {
			return nil
		}
		return []string{*value}
	}
	return &policy.Facts{Token: []string{b.Token}, TenantID: sent(b.Tenant), Issuer: sent(b.Issuer), ClientID: sent(b.ClientID), Nonce: sent(b.Nonce)}
}
