// SPDX-License-Identifier: Apache-2.0

package policy

import "github.com/gatehouse-auth/gatehouse/authserver/token"

// Identity is who a request is, each value as it stands in its header: encoded, and empty where there is none.
type Identity struct {
	User              string // X-Auth-Request-User
	Email             string // X-Auth-Request-Email
	Groups            string // X-Auth-Request-Groups
	PreferredUsername string // X-Auth-Request-Preferred-Username
	Tenant            string // X-Auth-Tenant
}

// mapping is which claims say who it is. An empty name maps nothing.
type mapping struct {
	username, email, groups string
}

// ownMapping is how the server's own tokens say it.
var ownMapping = mapping{username: "preferred_username", email: "email", groups: "groups"}

// identify reads the mapped claims of a verified token. Only the username is required: an email or groups claim of
// another type gives no value, and so no rights.
func (m *mapping) identify(c *token.Claims, tenant string, prefix bool) (id Identity, err error) {
	value, _ := c.Lookup(m.username)
	username, ok := value.Text()
	if !ok || username == "" {
		return Identity{}, refuse(ReasonUsername, "the claim "+m.username+" is absent, empty or not a string")
	}
	id.Tenant = tenant
	id.PreferredUsername = encode(username, "")
	// A bare slash is only ever the separator that is added here.
	id.User = encode(username, "/")
	if prefix {
		id.User = tenant + "/" + id.User
	}
	if m.email != "" {
		value, _ := c.Lookup(m.email)
		email, _ := value.Text()
		id.Email = encode(email, "")
	}
	if m.groups != "" {
		id.Groups = encodeList(stringOrList(c, m.groups))
	}
	return id, nil
}

func stringOrList(c *token.Claims, name string) []string {
	value, _ := c.Lookup(name)
	if text, ok := value.Text(); ok {
		return []string{text}
	}
	list, _ := value.Strings()
	return list
}
