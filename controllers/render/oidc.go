// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// scopeOpenID makes a request one of OpenID Connect (Core 1.0 §3.1.2.1): it is always asked for.
const scopeOpenID = "openid"

// ownParameters are set by the login itself.
var ownParameters = []string{
	"client_id", "client_secret", "response_type", "response_mode", "redirect_uri", "scope", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri",
}

func planOIDC(p *Plan, o *providerPlan) {
	spec := o.object.Spec.OIDC
	if spec == nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.oidc", "type OIDC needs the block oidc: set spec.oidc.issuer and spec.oidc.clientID")
		return
	}
	p.planUpstream(o, oidcClient(spec), oidcEndpoints(spec))
	o.planSigning(spec)
	p.planOIDCIssuer(o, spec)
	for i, param := range spec.ExtraAuthorizationParameters {
		field := fmt.Sprintf("spec.oidc.extraAuthorizationParameters[%d].name", i)
		switch {
		case param.Name == "" || slices.Contains(ownParameters, param.Name):
			o.refuse(v1alpha1.ReasonInvalid, field, "%s is set by the login itself: leave it out", quoted(param.Name))
		case slices.ContainsFunc(spec.ExtraAuthorizationParameters[:i], func(other v1alpha1.AuthorizationParameter) bool { return other.Name == param.Name }):
			o.refuse(v1alpha1.ReasonInvalid, field, "another entry has the same name: keep one")
		}
	}
	if m := o.object.Spec.ClaimMappings; spec.UsernameClaim != "" && m != nil && m.Username != nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.oidc.usernameClaim", "it is short for spec.claimMappings.username: set one of them")
	} else if spec.UsernameClaim != "" {
		o.mappings.Username = config.Source{Claims: []string{spec.UsernameClaim}}
	}
}

func oidcClient(spec *v1alpha1.OIDCProvider) clientSpec {
	return clientSpec{"spec.oidc", spec.ClientID, spec.ClientSecretRef, spec.ClientAuthenticationMethod, spec.PKCE, spec.Scopes}
}

func oidcEndpoints(spec *v1alpha1.OIDCProvider) []endpoint {
	return given(
		endpoint{"spec.oidc.issuer", string(spec.Issuer)}, endpoint{"spec.oidc.discoveryURL", string(spec.DiscoveryURL)},
		endpoint{"spec.oidc.authorizationEndpoint", string(spec.AuthorizationEndpoint)}, endpoint{"spec.oidc.tokenEndpoint", string(spec.TokenEndpoint)},
		endpoint{"spec.oidc.userInfoEndpoint", string(spec.UserInfoEndpoint)}, endpoint{"spec.oidc.jwksEndpoint", string(spec.JWKSEndpoint)},
		endpoint{"spec.oidc.endSessionEndpoint", string(spec.EndSessionEndpoint)},
	)
}

// planSigning checks the algorithms of ID tokens. HMAC needs the client secret (Core 1.0 §10.1).
func (o *providerPlan) planSigning(spec *v1alpha1.OIDCProvider) {
	for i, a := range spec.SigningAlgorithms {
		field := fmt.Sprintf("spec.oidc.signingAlgorithms[%d]", i)
		alg, ok := jwk.Algorithm(string(a))
		switch {
		case !ok:
			o.refuse(v1alpha1.ReasonInvalid, field, "%s is not known: use some of %v", quoted(string(a)), jwk.AlgorithmNames())
		case alg.Type == "oct" && (spec.ClientSecretRef == nil || spec.ClientAuthenticationMethod == v1alpha1.PrivateKeyJWT):
			o.refuse(v1alpha1.ReasonInvalid, field, "%s is checked with the client secret, and there is none: set spec.oidc.clientSecretRef to a secret, or use RS256", a)
		}
	}
}

// planOIDCIssuer checks who the provider says it is.
func (p *Plan) planOIDCIssuer(o *providerPlan, spec *v1alpha1.OIDCProvider) {
	issuer := string(spec.Issuer)
	switch {
	case issuer == "" && (spec.AuthorizationEndpoint == "" || spec.TokenEndpoint == "" || spec.JWKSEndpoint == ""):
		o.refuse(v1alpha1.ReasonInvalid, "spec.oidc.issuer", "set it, or authorizationEndpoint, tokenEndpoint and jwksEndpoint")
	case issuer == "" && spec.DiscoveryURL != "":
		o.refuse(v1alpha1.ReasonInvalid, "spec.oidc.discoveryURL", "it needs issuer: metadata must name the issuer they are of")
	case issuer == "":
		o.warn("spec.oidc.issuer", "IssuerUnchecked: without it, a token's iss is not compared, so whoever signs with the keys of jwksEndpoint is believed: set issuer as the provider's metadata name it")
	case strings.Contains(issuer, "?"):
		o.refuse(v1alpha1.ReasonInvalid, "spec.oidc.issuer", "an issuer has no query (OpenID Connect Discovery 1.0): write what the provider's metadata name as issuer")
	}
	p.planReservedIssuer(o, spec)
	if u, err := url.Parse(issuer); err == nil && slices.Contains(microsoft, hostOf(issuer)) && slices.Contains([]string{"common", "organizations", "consumers"}, firstSegment(u)) {
		o.warn("spec.oidc.issuer", "no ID token of Microsoft names %s as its issuer, so nobody can log in: write %s", firstSegment(u), entraIssuer)
	}
}

// planReservedIssuer refuses the server as its own provider.
func (p *Plan) planReservedIssuer(o *providerPlan, spec *v1alpha1.OIDCProvider) {
	base := p.server.base
	if base == nil {
		return
	}
	for _, own := range []struct{ field, value, reserved string }{
		{"spec.oidc.issuer", string(spec.Issuer), base.ExternalURL},
		{"spec.oidc.issuer", string(spec.Issuer), base.ExternalURL + "/"},
		{"spec.oidc.discoveryURL", string(spec.DiscoveryURL), base.ExternalURL + metadataPath},
		{"spec.oidc.jwksEndpoint", string(spec.JWKSEndpoint), base.ExternalURL + ownKeysPath},
	} {
		if own.value == own.reserved {
			o.refuse(v1alpha1.ReasonIssuerReserved, own.field, "%q is the AuthServer's own: name the provider at which people log in", own.value)
			return
		}
	}
}

func oidcReferences(o *providerPlan) []Ref {
	return o.upstreamReferences(o.object.Spec.OIDC.ClientSecretRef)
}

func renderOIDC(o *providerPlan, f *findings, r *resolver, out *config.Provider) {
	spec := o.object.Spec.OIDC
	o.renderUpstream(out, spec.SyncLogout)
	block := &config.OIDC{
		Issuer: string(spec.Issuer), Discovery: string(spec.DiscoveryURL),
		AuthorizationEndpoint: string(spec.AuthorizationEndpoint), TokenEndpoint: string(spec.TokenEndpoint),
		UserInfoEndpoint: string(spec.UserInfoEndpoint), JWKSEndpoint: string(spec.JWKSEndpoint),
		EndSessionEndpoint: string(spec.EndSessionEndpoint),
	}
	if block.Issuer != "" {
		block.Discovery = cmp.Or(block.Discovery, strings.TrimSuffix(block.Issuer, "/")+metadataPath)
	}
	for _, a := range spec.SigningAlgorithms {
		block.Algorithms = append(block.Algorithms, string(a))
	}
	if len(block.Algorithms) == 0 {
		block.Algorithms = []string{"RS256"}
	}
	for _, param := range spec.ExtraAuthorizationParameters {
		block.Parameters = append(block.Parameters, config.Parameter{Name: param.Name, Value: param.Value})
	}
	block.Client = o.renderClient(f, r, oidcClient(spec))
	block.Client.Scopes = openIDScopes(block.Client.Scopes)
	o.checkHMAC(f, block)
	out.OIDC = block
}

// openIDScopes puts openid first; without any, the three that most providers know.
func openIDScopes(scopes []string) []string {
	if len(scopes) == 0 {
		return []string{scopeOpenID, "email", "profile"}
	}
	return append([]string{scopeOpenID}, slices.DeleteFunc(scopes, func(s string) bool { return s == scopeOpenID })...)
}

// checkHMAC demands a client secret as long as the algorithm's hash (RFC 7518 §3.2): with a shorter one no ID token passes.
func (o *providerPlan) checkHMAC(f *findings, block *config.OIDC) {
	if f.bad() {
		return
	}
	for _, a := range block.Algorithms {
		if alg, ok := jwk.Algorithm(a); !ok || alg.Type != "oct" {
			continue
		}
		key, err := jwk.Symmetric([]byte(block.Client.Secret))
		if err == nil {
			err = key.Fits(a)
		}
		if err != nil {
			f.refuseRef(v1alpha1.ReasonRefInvalid, "spec.oidc.clientSecretRef", "as a key of %s in spec.oidc.signingAlgorithms: %v", a, err)
		}
	}
}
