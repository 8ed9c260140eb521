// SPDX-License-Identifier: Apache-2.0

package render

import (
	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/config"
)

func planOAuth2(p *Plan, o *providerPlan) {
	spec := o.object.Spec.OAuth2
	if spec == nil {
		o.refuse(v1alpha1.ReasonInvalid, "spec.oauth2", "type OAuth2 needs the block oauth2: set its clientID, endpoints and subjectAttribute")
		return
	}
	p.planUpstream(o, oauth2Client(spec), oauth2Endpoints(spec))
	for _, required := range []endpoint{
		{"spec.oauth2.authorizationEndpoint", string(spec.AuthorizationEndpoint)}, {"spec.oauth2.tokenEndpoint", string(spec.TokenEndpoint)},
		{"spec.oauth2.userInfoEndpoint", string(spec.UserInfoEndpoint)}, {"spec.oauth2.subjectAttribute", spec.SubjectAttribute},
	} {
		if required.url == "" {
			o.refuse(v1alpha1.ReasonInvalid, required.field, "it is required")
		}
	}
	if g := spec.GroupsEndpoint; g != nil {
		o.planExpression("spec.oauth2.groupsEndpoint.expression", kindGroupsEndpoint, g.Expression)
		if g.URL == "" {
			o.refuse(v1alpha1.ReasonInvalid, "spec.oauth2.groupsEndpoint.url", "it is required")
		}
	}
	if spec.SyncLogout != nil && *spec.SyncLogout && spec.LogoutEndpoint == "" {
		o.refuse(v1alpha1.ReasonInvalid, "spec.oauth2.syncLogout", "it needs logoutEndpoint: set that too")
	}
}

func oauth2Client(spec *v1alpha1.OAuth2Provider) clientSpec {
	return clientSpec{"spec.oauth2", spec.ClientID, spec.ClientSecretRef, spec.ClientAuthenticationMethod, spec.PKCE, spec.Scopes}
}

func oauth2Endpoints(spec *v1alpha1.OAuth2Provider) []endpoint {
	all := []endpoint{
		{"spec.oauth2.authorizationEndpoint", string(spec.AuthorizationEndpoint)}, {"spec.oauth2.tokenEndpoint", string(spec.TokenEndpoint)},
		{"spec.oauth2.userInfoEndpoint", string(spec.UserInfoEndpoint)}, {"spec.oauth2.emailsEndpoint", string(spec.EmailsEndpoint)},
		{"spec.oauth2.logoutEndpoint", string(spec.LogoutEndpoint)},
	}
	if spec.GroupsEndpoint != nil {
		all = append(all, endpoint{"spec.oauth2.groupsEndpoint.url", string(spec.GroupsEndpoint.URL)})
	}
	return given(all...)
}

func oauth2References(o *providerPlan) []Ref {
	return o.upstreamReferences(o.object.Spec.OAuth2.ClientSecretRef)
}

func renderOAuth2(o *providerPlan, f *findings, r *resolver, out *config.Provider) {
	spec := o.object.Spec.OAuth2
	o.renderUpstream(out, spec.SyncLogout)
	out.OAuth2 = &config.OAuth2{
		Client:                o.renderClient(f, r, oauth2Client(spec)),
		AuthorizationEndpoint: string(spec.AuthorizationEndpoint),
		TokenEndpoint:         string(spec.TokenEndpoint),
		UserInfoEndpoint:      string(spec.UserInfoEndpoint),
		EmailsEndpoint:        string(spec.EmailsEndpoint),
		SubjectAttribute:      spec.SubjectAttribute,
		LogoutEndpoint:        string(spec.LogoutEndpoint),
	}
	if g := spec.GroupsEndpoint; g != nil {
		out.OAuth2.GroupsEndpoint, out.OAuth2.GroupsExpression = string(g.URL), g.Expression
	}
}
