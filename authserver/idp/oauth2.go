// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/gatehouse-auth/gatehouse/authserver/config"
	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
)

const (
	// oauth2Timeout bounds one login's or refresh's requests, all together.
	oauth2Timeout = 20 * time.Second
	// maxSubjectAttribute bounds the subject attribute, in bytes, as OpenID Connect Core 1.0 §2 bounds sub.
	maxSubjectAttribute = 255
)

// oauth2 speaks OAuth 2.0 (RFC 6749) with a server that tells at a userinfo endpoint who somebody is, in its own words.
type oauth2 struct {
	deps
	config *config.OAuth2
	client *client
	mapper *profile.Mapper
	groups *groupsEndpoint // nil without one

	authorization *url.URL
	logout        *url.URL // nil without one
	// issuer of identities: the origin of userinfo.
	issuer string
	health health
}

// newOAuth2 makes the connector of an OAuth2 provider. Nothing is fetched.
func newOAuth2(p *config.Provider, d deps) (connector, error) {
	if p.OAuth2 == nil {
		return nil, errors.New("the provider has no oauth2 block")
	}
	c := &oauth2{deps: d, config: p.OAuth2}
	var err error
	if c.authorization, err = checkURL("authorizationEndpoint", c.config.AuthorizationEndpoint); err != nil {
		return nil, err
	}
	if _, err = checkURL("tokenEndpoint", c.config.TokenEndpoint); err != nil {
		return nil, err
	}
	if _, err = checkURL("userInfoEndpoint", c.config.UserInfoEndpoint); err != nil {
		return nil, err
	}
	c.issuer = p.IdentityIssuer()
	if c.config.EmailsEndpoint != "" {
		if _, err = checkURL("emailsEndpoint", c.config.EmailsEndpoint); err != nil {
			return nil, err
		}
	}
	if c.config.LogoutEndpoint != "" {
		if c.logout, err = checkURL("logoutEndpoint", c.config.LogoutEndpoint); err != nil {
			return nil, err
		}
	}
	if c.client, err = newClient(&c.config.Client, c.config.TokenEndpoint); err != nil {
		return nil, err
	}
	if c.groups, err = newGroupsEndpoint(c.config); err != nil {
		return nil, err
	}
	c.mapper, err = profile.Compile(p.Mappings, p.Rules)
	return c, err
}

// authorizationURL asks for a code (RFC 6749 §4.1.1, RFC 7636 §4.3). The nonce is OpenID Connect's and stays here.
func (c *oauth2) authorizationURL(_ context.Context, a Ask) (string, error) {
	return withQuery(c.authorization, authorizationForm(c.client.Client, a, c.config.Client.Scopes)), nil
}

// checkIssuer demands that an iss which is sent (RFC 9207) lies at the authorization endpoint's origin. Which issuer the server has nobody configured; what
// mainly keeps providers apart is that each has its own redirect URI (RFC 9700 §4.4.2.2).
func (c *oauth2) checkIssuer(_ context.Context, iss string, has bool) error {
	if !has {
		return nil
	}
	u, err := url.Parse(iss)
	if err != nil || u.User != nil || config.Origin(u) != config.Origin(c.authorization) {
		return refuse(ReasonIssuerMismatch, "iss of the callback is not at the host of authorizationEndpoint: the answer is another server's")
	}
	return nil
}

// exchange turns a code into an access token, and asks with that who somebody is.
func (c *oauth2) exchange(ctx context.Context, a Answer) (*Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, oauth2Timeout)
	defer cancel()
	p, _, err := c.login(ctx, codeForm(a))
	c.health.note(err, c.now())
	return p, err
}

// refresh asks again who somebody is, with a new access token, and judges every rule again.
func (c *oauth2) refresh(ctx context.Context, u Upstream) (*Profile, error) {
	ctx, cancel := context.WithTimeout(ctx, oauth2Timeout)
	defer cancel()
	p, t, err := c.login(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {u.RefreshToken}})
	c.health.note(err, c.now())
	switch {
	case t == nil:
		return nil, refused(err)
	case err != nil:
		return c.rotated(u, t, refused(err))
	}
	if p.Issuer != u.Issuer || p.Subject != u.Subject {
		return nil, refused(refuse(ReasonUserInfoSubject, "userInfoEndpoint tells of another "+c.config.SubjectAttribute+" than at the login"))
	}
	if p.Upstream.RefreshToken == "" {
		p.Upstream.RefreshToken = u.RefreshToken // it goes on counting (RFC 6749 §6)
	}
	return p, nil
}

// login gets an access token for the form, and the person it is of. The tokens are returned as soon as they are there, also beside an error.
func (c *oauth2) login(ctx context.Context, form url.Values) (*Profile, *tokens, error) {
	t, err := c.requestTokens(ctx, c.client, c.config.TokenEndpoint, form)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.describe(ctx, t)
	return p, t, err
}

// describe asks who an access token is of, and judges the rules.
func (c *oauth2) describe(ctx context.Context, t *tokens) (*Profile, error) {
	userInfo, subject, err := c.userInfo(ctx, t.AccessToken)
	if err != nil {
		return nil, err
	}
	person := profile.Person{Claims: userInfo, UserInfo: userInfo, HasGroups: c.groups != nil}
	if c.groups != nil { // rules judge them, too
		if person.Groups, err = c.groups.read(ctx, &c.deps, t.AccessToken); err != nil {
			return nil, err
		}
	}
	a, err := c.mapper.Read(person)
	if err != nil {
		return nil, mappingError(err)
	}
	if a.Email == "" && c.config.EmailsEndpoint != "" {
		if a.Email, err = c.primaryEmail(ctx, t.AccessToken); err != nil {
			return nil, err
		}
		a.EmailVerified = a.Email != ""
	}
	return &Profile{
		Issuer: c.issuer, Subject: subject, Username: a.Username, Email: a.Email, EmailVerified: a.EmailVerified, EmailDenied: a.EmailDenied, Name: a.Name, Phone: a.Phone, Comment: a.Comment,
		Groups: a.Groups, Upstream: c.upstream(t, subject), SubjectHash: hashOf("sub", c.issuer, subject),
	}, nil
}

// userInfo asks who the access token is of, and returns the attribute that identifies them.
func (c *oauth2) userInfo(ctx context.Context, accessToken string) (*profile.Document, string, error) {
	a, err := c.resource(ctx, "userInfoEndpoint", c.config.UserInfoEndpoint, accessToken)
	if err != nil {
		return nil, "", err
	}
	d, err := profile.ReadDocument(a.body)
	if err != nil {
		return nil, "", refuse(ReasonUserInfo, "userInfoEndpoint: its answer is not one JSON object that can be read: "+err.Error())
	}
	subject, ok := d.Identifier(c.config.SubjectAttribute)
	if !ok || len(subject) > maxSubjectAttribute || strings.ContainsFunc(subject, unicode.IsControl) {
		return nil, "", refuse(ReasonSubject, fmt.Sprintf("userInfoEndpoint: the subjectAttribute %s of its answer is missing, or is neither an integer nor a non-empty string of at most %d bytes",
			c.config.SubjectAttribute, maxSubjectAttribute))
	}
	return d, subject, nil
}

// upstream is what is kept for a refresh. ID tokens are not looked at here, and so not kept.
func (c *oauth2) upstream(t *tokens, subject string) Upstream {
	if t.RefreshToken == "" || len(t.RefreshToken) > MaxKeptRefreshToken {
		return Upstream{}
	}
	u := Upstream{Issuer: c.issuer, Subject: subject}
	u.keep(t, c.now())
	return u
}

// logoutURL is the endpoint as it is written: plain OAuth 2.0 has no parameters for it.
func (c *oauth2) logoutURL(context.Context, Upstream, string, string) (string, bool) {
	if c.logout == nil {
		return "", false
	}
	return c.logout.String(), true
}

func (c *oauth2) status() Status { return c.health.status() }
