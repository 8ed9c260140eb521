// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// logoutURL is that of OpenID Connect RP-Initiated Logout 1.0 §2.
func (o *oidc) logoutURL(ctx context.Context, u Upstream, postLogout, state string) (string, bool) {
	e, err := o.endpoints(ctx)
	if err != nil || e.endSession == "" {
		return "", false
	}
	target, err := checkURL("endSessionEndpoint", e.endSession)
	if err != nil {
		return "", false
	}
	q := url.Values{"client_id": {o.client.ID}}
	for name, value := range map[string]string{"id_token_hint": u.IDToken, "post_logout_redirect_uri": postLogout, "state": state} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return withQuery(target, q), true
}

const (
	// logoutEvent is the member of events that makes a JWT a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// maxTokenID bounds jti and sid, in bytes.
	maxTokenID = 1024
)

// logoutTypes are the typ of logout tokens: §2.4 recommends logout+jwt, and older providers send what they send with ID tokens. The claim events and
// the absence of nonce tell the two apart in any case.
var logoutTypes = []string{"", "logout+jwt", "jwt"}

// backChannelLogout applies the steps of OpenID Connect Back-Channel Logout 1.0 §2.6.
func (o *oidc) backChannelLogout(ctx context.Context, raw string) (Logout, error) {
	_, claims, err := o.verify(ctx, raw, logoutTypes)
	if refused, ok := errors.AsType[*token.Error](err); ok {
		return Logout{}, refuse(ReasonLogoutToken, "the logout token: "+refused.Error())
	}
	if err != nil {
		return Logout{}, err
	}
	if err := o.checkParties(claims); err != nil {
		e, _ := errors.AsType[*Error](err)
		return Logout{}, refuse(ReasonLogoutToken, strings.ReplaceAll(e.Detail, "the ID token", "the logout token"))
	}
	if err := checkLogoutClaims(claims); err != nil {
		return Logout{}, err
	}
	issuer := o.identityIssuer(claims)
	l := Logout{ID: hashOf("jti", issuer, claims.ID), Expiry: claims.Expiry}
	if claims.Subject != "" {
		l.Subject = hashOf("sub", issuer, claims.Subject)
	}
	id := &idToken{claims: claims, issuer: issuer}
	l.Session = id.session()
	if l.Session == [32]byte{} && l.Subject == [32]byte{} {
		return Logout{}, refuse(ReasonLogoutToken, "the logout token names neither sid nor sub")
	}
	return l, nil
}

// checkLogoutClaims checks what makes a JWT a logout token, and no ID token.
func checkLogoutClaims(c *token.Claims) error {
	events, _ := c.Lookup("events")
	_, hasNonce := c.Lookup("nonce")
	sid, hasSid := c.Lookup("sid")
	session, isText := sid.Text()
	switch {
	case hasNonce:
		return refuse(ReasonLogoutToken, "the logout token has a nonce, which only ID tokens have")
	case !hasLogoutEvent(events):
		return refuse(ReasonLogoutToken, "events of the logout token does not hold "+logoutEvent+" with an object")
	case c.ID == "" || len(c.ID) > maxTokenID:
		return refuse(ReasonLogoutToken, "the logout token has no jti, or one longer than 1024 bytes")
	case hasSid && (!isText || session == "" || len(session) > maxTokenID):
		return refuse(ReasonLogoutToken, "sid of the logout token is not a non-empty string of at most 1024 bytes")
	}
	return nil
}

func hasLogoutEvent(events token.Value) bool {
	object, err := token.ReadObject([]byte(events.JSON()), token.MaxLength)
	if err != nil {
		return false
	}
	value, ok := object.Lookup(logoutEvent)
	return ok && strings.HasPrefix(value.JSON(), "{")
}
