// SPDX-License-Identifier: Apache-2.0

package login

import (
	"errors"
	"time"

	claimrules "github.com/gatehouse-auth/gatehouse/authserver/claims"
	"github.com/gatehouse-auth/gatehouse/authserver/issue"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// ErrInvalidToken says that a text is no access token that this server accepts: 401 invalid_token. Nothing tells why.
var ErrInvalidToken = errors.New("not an access token of this server, or an expired one")

// ownLeeway is the allowed difference of clocks, between replicas.
const ownLeeway = 30 * time.Second

// ReadAccessToken returns what one of the server's own access tokens says: checked with own keys only, typ at+jwt, issuer,
// audience and times. Whether the policy of one that was exchanged is still there is for the caller to ask. Provider and Ref of the account are empty. The error is ErrInvalidToken.
func (s *Snapshot) ReadAccessToken(raw string, now time.Time) (*Account, error) {
	rules := &token.Rules{Algorithms: s.signer.Algorithms(), Types: []string{issue.Type}, Leeway: ownLeeway}
	t, err := token.Parse(raw, rules)
	if err != nil {
		return nil, ErrInvalidToken
	}
	key, err := t.Select(s.keys)
	if err != nil || t.Verify(key) != nil {
		return nil, ErrInvalidToken
	}
	c, err := t.Claims(rules, now)
	if err != nil || c.Issuer != s.issuer || c.Subject == "" || claimrules.CheckAudience(c, s.audience) != nil {
		return nil, ErrInvalidToken
	}
	text := func(name string) string {
		value, _ := c.Lookup(name)
		t, _ := value.Text()
		return t
	}
	groups, _ := c.Lookup("groups")
	list, _ := groups.Strings()
	_, exchanged := c.Lookup(claimrules.ClaimGrantType)
	return &Account{
		Subject: c.Subject, Organization: text("organization"), Username: text("preferred_username"),
		Email: text("email"), Name: text("name"), Groups: list,
		Exchanged: exchanged, GrantedBy: text(claimrules.ClaimGrantedBy),
	}, nil
}
