// SPDX-License-Identifier: Apache-2.0

package authserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/login"
	"github.com/gatehouse-auth/gatehouse/authserver/policy"
)

// Paths of the public documents and of what they name.
const (
	pathDiscovery = "/.well-known/openid-configuration"
	pathJWKS      = "/.well-known/jwks.json"
	pathToken     = policy.PathToken
	pathRevoke    = "/oauth2/revoke"
	pathUserInfo  = "/userinfo"
)

// discoveryHandler serves /.well-known/openid-configuration, by which JWT libraries find what verifies the server's access
// tokens (OpenID Connect Discovery §3, RFC 8414 §2). Gatehouse is no OpenID provider: there is no authorization_endpoint.
type discoveryHandler struct {
	snapshot func() *login.Snapshot
}

// discoveryBody lists members that RFC 8414 or OpenID Connect require, and what libraries read.
type discoveryBody struct {
	Issuer                string   `json:"issuer"`
	TokenEndpoint         string   `json:"token_endpoint,omitempty"`
	RevocationEndpoint    string   `json:"revocation_endpoint,omitempty"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint,omitempty"`
	JWKSURI               string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	GrantTypes            []string `json:"grant_types_supported,omitempty"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	ClientAuthentications []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	RevocationClients     []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported,omitempty"`
	Claims                []string `json:"claims_supported"`
}

func (h *discoveryHandler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	snap := h.snapshot()
	if snap == nil {
		writeNotReady(w)
		return
	}
	base := strings.TrimSuffix(snap.Issuer(), "/")
	body := discoveryBody{
		Issuer: snap.Issuer(), JWKSURI: base + pathJWKS,
		ResponseTypes: []string{}, SubjectTypes: []string{"public"}, SigningAlgorithms: snap.Signer().Algorithms(),
		Claims: []string{"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "organization", "preferred_username", "email", "name", "groups", "scope"},
	}
	if snap.Store() {
		body.TokenEndpoint, body.RevocationEndpoint, body.UserInfoEndpoint = base+pathToken, base+pathRevoke, base+pathUserInfo
		body.GrantTypes = []string{grantAuthorizationCode, grantRefreshToken, grantJWTBearer}
		body.ClientAuthentications, body.RevocationClients = []string{"none"}, []string{"none"}
		body.ChallengeMethods = []string{login.ChallengeMethod}
	}
	document, err := json.Marshal(body)
	if err != nil {
		writeError(w, http.StatusInternalServerError, codeServerError, "the document could not be encoded")
		return
	}
	writeDocument(w, document, snap.Signer())
}

// jwksHandler serves /.well-known/jwks.json: the public halves of the server's signing keys (RFC 7517 §5).
type jwksHandler struct {
	snapshot func() *login.Snapshot
}

func (h *jwksHandler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	snap := h.snapshot()
	if snap == nil {
		writeNotReady(w)
		return
	}
	writeDocument(w, snap.Signer().JWKS(), snap.Signer())
}

// writeDocument answers with public JSON that may be cached as long as keys are published before they sign. While there
// are no keys nothing may be cached: the first one signs at once.
func writeDocument(w http.ResponseWriter, document []byte, signer *issue.Signer) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	if len(signer.Keys()) > 0 {
		h.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", int(issue.CacheFor.Seconds())))
	}
	_, _ = w.Write(document) // a client that is gone is no concern of ours
}
