// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/gatehouse-auth/gatehouse/authserver/keys"
	"github.com/gatehouse-auth/gatehouse/authserver/outbound"
)

// metadata are what counts of a provider's metadata (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
type metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`
	// SendsIssuer promises the parameter iss with every callback (RFC 9207 §3).
	SendsIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// parseMetadata reads one JSON object with exact member names and none of them twice. Members that do not count may be of
// any type.
func parseMetadata(body []byte) (*metadata, error) {
	var m metadata
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return nil, errors.New("it is no JSON object")
	}
	err := json.Unmarshal(body, &m)
	var malformed *jsontext.SyntacticError
	switch {
	case errors.As(err, &malformed) && errors.Is(err, jsontext.ErrDuplicateName):
		return nil, fmt.Errorf("a member is there twice, at byte %d", malformed.ByteOffset)
	case errors.As(err, &malformed):
		return nil, fmt.Errorf("its JSON is malformed at byte %d", malformed.ByteOffset)
	case err != nil:
		return nil, errors.New("issuer and endpoints must be strings, and authorization_response_iss_parameter_supported true or false")
	}
	return &m, nil
}

// check tells whether the metadata are the issuer's own (OpenID Connect Discovery 1.0 §4.3) and whether what they name can be used. An
// endpoint with plain http is taken from metadata that came by plain http alone, which only outbound.allowedCIDRs lets happen.
func (m *metadata) check(issuer, source string) *failure {
	if m.Issuer != issuer {
		fix := "set issuer to what the provider calls itself, or discoveryURL to that issuer's metadata"
		if strings.TrimRight(m.Issuer, "/") == strings.TrimRight(issuer, "/") {
			fix = "they differ in the slash at the end: write issuer as the provider has it"
		}
		return &failure{reason: keys.ReasonIssuerMismatch, message: "the provider's metadata name another issuer than oidc.issuer: " + fix}
	}
	for name, text := range map[string]string{
		"authorization_endpoint": m.AuthorizationEndpoint, "token_endpoint": m.TokenEndpoint,
		"userinfo_endpoint": m.UserInfoEndpoint, "end_session_endpoint": m.EndSessionEndpoint,
	} {
		if text == "" {
			continue
		}
		u, err := checkURL(name, text)
		switch {
		case err != nil:
			return &failure{reason: keys.ReasonBadContent, message: "the provider's metadata: " + err.Error()}
		case u.Scheme == "http" && strings.HasPrefix(source, "https:"):
			return &failure{reason: keys.ReasonBadContent, message: "the provider's metadata: " + name + " is http:// although the metadata came by https://"}
		}
	}
	return nil
}

// fetchMetadata gets and judges the metadata at source. Redirects are followed, since nothing secret is sent.
func fetchMetadata(ctx context.Context, c *http.Client, source, issuer string) (*metadata, *failure) {
	const name = "discovery"
	u, err := checkURL("discoveryURL", source)
	if err != nil {
		return nil, &failure{reason: keys.ReasonInvalidSource, message: err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return nil, &failure{reason: keys.ReasonInvalidSource, message: "discoveryURL is not a URL that can be asked"}
	}
	req.Header.Set("Accept", "application/json, */*;q=0.1")
	req.Header.Set("User-Agent", "gatehouse")
	resp, err := c.Do(req)
	if err != nil {
		return nil, explain(err, name, u)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, &failure{reason: keys.ReasonBadStatus, absent: resp.StatusCode == http.StatusNotFound, message: fmt.Sprintf(
			"%s: %s answered with status %d, expected 200: set issuer or discoveryURL so that they lead to the provider's metadata", name, strings.ToLower(u.Host), resp.StatusCode)}
	}
	body, err := outbound.ReadBody(resp, maxAnswer)
	if err != nil {
		return nil, explain(err, name, u)
	}
	m, err := parseMetadata(body)
	if err != nil {
		return nil, &failure{reason: keys.ReasonBadContent, message: "the provider's metadata cannot be read: " + err.Error()}
	}
	if f := m.check(issuer, source); f != nil {
		return nil, f
	}
	return m, nil
}
