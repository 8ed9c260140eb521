// SPDX-License-Identifier: Apache-2.0

package idp

import (
	"context"

	"github.com/gatehouse-auth/gatehouse/authserver/idp/profile"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// primaryEmail asks the e-mails endpoint, a list of objects with email, primary and verified as GitHub's. Only the address that is primary and verified,
// each by the boolean true, counts; "" if there is none, or more than one.
func (c *oauth2) primaryEmail(ctx context.Context, accessToken string) (string, error) {
	a, err := c.resource(ctx, "emailsEndpoint", c.config.EmailsEndpoint, accessToken)
	if err != nil {
		return "", err
	}
	list, err := token.ReadList(a.body, maxAnswer)
	if err != nil {
		return "", refuse(ReasonUserInfo, "emailsEndpoint: its answer is not one JSON list that can be read: "+err.Error())
	}
	found := ""
	for i := range list {
		o, err := token.ReadObject([]byte(list[i].JSON()), maxAnswer)
		if err != nil {
			return "", refuse(ReasonUserInfo, "emailsEndpoint: an element of its list is not an object")
		}
		email, ok := primary(o)
		switch {
		case !ok:
		case found != "":
			return "", nil
		default:
			found = email
		}
	}
	return found, nil
}

// primary returns the address of an entry that is primary and verified.
func primary(o *token.Object) (string, bool) {
	for _, name := range []string{"primary", "verified"} {
		if value, _ := o.Lookup(name); value.JSON() != "true" {
			return "", false
		}
	}
	value, _ := o.Lookup("email")
	email, _ := value.Text()
	return profile.Text(email)
}
