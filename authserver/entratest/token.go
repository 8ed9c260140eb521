// SPDX-License-Identifier: Apache-2.0

package entratest

import (
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Versions of access tokens; which one is issued is the application's setting.
const (
	V1 = "1.0"
	V2 = "2.0"
)

// Directory is one directory of a [Cloud].
type Directory struct {
	cloud *Cloud
	id    string
}

// ID is the directory's ID, the claim tid.
func (d *Directory) ID() string { return d.id }

// Issuer is the issuer of tokens of the version.
func (d *Directory) Issuer(version string) string {
	if version == V1 {
		return d.cloud.options.TokenService + d.id + "/"
	}
	d.cloud.mu.Lock()
	defer d.cloud.mu.Unlock()
	return d.cloud.authority + "/" + d.id + "/v2.0"
}

// User is who a token is for.
type User struct {
	ObjectID string // a GUID
	Name     string
	UPN      string // user principal name, such as ada@contoso.example
	Email    string // optional claim email: whatever the directory's administrator wrote
	Verified bool   // optional claim xms_edov: the domain of Email was shown to be the directory's
	Roles    []string
}

// Token issues an access token of the version for an application: api://… or a GUID in v1.0, a GUID in v2.0. changes are
// made to its claims at the end; nil takes one out.
func (d *Directory) Token(version, application string, u User, changes map[string]any) (string, error) {
	return d.sign(version, d.cloud.signer(), d.claims(version, application, u, changes))
}

// TokenOfConsumersKey is [Directory.Token] signed with the key of the directory of personal accounts.
func (d *Directory) TokenOfConsumersKey(version, application string, u User, changes map[string]any) (string, error) {
	return d.sign(version, d.cloud.consumers, d.claims(version, application, u, changes))
}

func (c *Cloud) signer() *key {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys[len(c.keys)-1]
}

func (d *Directory) sign(version string, k *key, claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = k.id
	if version == V1 {
		token.Header["x5t"] = k.id
	}
	text, err := token.SignedString(k.private)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return text, nil
}

// claims are those of a token for a user, valid for an hour or so from now.
func (d *Directory) claims(version, application string, u User, changes map[string]any) jwt.MapClaims {
	now := d.cloud.options.Now().Unix()
	claims := jwt.MapClaims{
		"aud": application, "iss": d.Issuer(version),
		"iat": now, "nbf": now, "exp": now + int64((75 * time.Minute).Seconds()),
		"aio": "ATQAy/8TAAAA", "name": u.Name, "oid": u.ObjectID,
		"rh": "0.AXEAI_AuijQroU2bqovIydakkA.", "scp": "access_as_user",
		"sub": "sub-of-" + u.ObjectID, // pairwise: another for each application
		"tid": d.id, "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": version,
	}
	const client = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
	if version == V1 {
		maps.Copy(claims, jwt.MapClaims{
			"acr": "1", "amr": []string{"pwd"}, "appid": client, "appidacr": "1", "ipaddr": "192.0.2.7",
			"unique_name": u.UPN, "upn": u.UPN,
		})
	} else {
		maps.Copy(claims, jwt.MapClaims{"azp": client, "azpacr": "1", "preferred_username": u.UPN})
	}
	if len(u.Roles) > 0 {
		claims["roles"] = u.Roles
	}
	if u.Email != "" {
		claims["email"] = u.Email
	}
	if u.Verified {
		claims["xms_edov"] = true
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}
