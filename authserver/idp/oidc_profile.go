// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
)

// describe makes the profile of an ID token that was found good, with what userinfo adds.
func (o *oidc) describe(ctx context.Context, e *endpoints, id *idToken, t *tokens) (*Profile, error) {
	info, err := o.readUserInfo(ctx, e, id, t.AccessToken)
	if err != nil {
		return nil, err
	}
	attributes, err := o.mapper.Read(profile.Person{Claims: profile.FromClaims(id.claims), UserInfo: info, NoUserInfo: e.noUserInfo != ""})
	if err != nil {
		return nil, e.lacking(err)
	}
	p := &Profile{
		Issuer: id.issuer, Subject: id.claims.Subject,
		Username: attributes.Username, Email: attributes.Email, EmailVerified: attributes.EmailVerified, EmailDenied: attributes.EmailDenied,
		Name: attributes.Name, Phone: attributes.Phone, Comment: attributes.Comment, Groups: attributes.Groups,
		SessionHash: id.session(), SubjectHash: hashOf("sub", id.issuer, id.claims.Subject),
		Partial:  e.noUserInfo != "",
		Upstream: Upstream{Issuer: id.issuer, Subject: id.claims.Subject},
	}
	if len(id.raw) <= MaxKeptIDToken {
		p.Upstream.IDToken = id.raw
	}
	p.Upstream.keep(t, o.now())
	return p, nil
}

// readUserInfo asks the userinfo endpoint, where there is one. Its answer counts only if it is of the ID token's sub (OpenID Connect Core 1.0 §5.3.2).
func (o *oidc) readUserInfo(ctx context.Context, e *endpoints, id *idToken, accessToken string) (*profile.Document, error) {
	if e.userInfo == "" {
		return nil, nil
	}
	a, err := o.resource(ctx, "userInfoEndpoint", e.userInfo, accessToken)
	if err != nil {
		return nil, err
	}
	info, err := profile.ReadDocument(a.body)
	if err != nil {
		return nil, refuse(ReasonUserInfo, "userInfoEndpoint: its answer cannot be read: "+err.Error())
	}
	value, _ := info.Lookup("sub")
	if sub, ok := value.Text(); !ok || sub != id.claims.Subject {
		return nil, refuse(ReasonUserInfoSubject, "userInfoEndpoint: sub of its answer is absent or another than the ID token's")
	}
	return info, nil
}

// lacking tells an error that userinfo might have prevented as a provider that is away: nobody is refused, and no session ends, for what was not asked.
func (e *endpoints) lacking(err error) error {
	told := mappingError(err)
	rule, isRule := errors.AsType[*profile.RuleError](err)
	fault, isFault := errors.AsType[*profile.Error](err)
	if undecided := isRule && rule.Cause != "" || isFault && fault.Reason == profile.ReasonNoUsername; e.noUserInfo == "" || !undecided {
		return told
	}
	return unavailable(told.Error() + "; userinfo was not asked, since its endpoint is unknown (" + e.noUserInfo + "): set userInfoEndpoint, or map claims that the ID token has")
}

// mappingError turns an error of package profile into an [*Error].
func mappingError(err error) error {
	if rule, ok := errors.AsType[*profile.RuleError](err); ok {
		return &Error{Reason: ReasonRule, Detail: rule.Error(), message: rule.Message}
	}
	if e, ok := errors.AsType[*profile.Error](err); ok {
		return refuse(e.Reason, e.Detail)
	}
	return refuse(ReasonMapping, "the provider's answer cannot be mapped to a user")
}
