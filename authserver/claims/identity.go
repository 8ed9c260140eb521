// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"strconv"
	"strings"
)

// MaxIdentity bounds the values of an identity's headers, all together and as encoded, in bytes. A token bounds them
// less: percent-encoding triples bytes, and one claim may be mapped to many headers. Gateways buffer an answer's headers
// in little (nginx 4 or 8 KiB unless told otherwise); what is longer than this fits none of them.
const MaxIdentity = 32 << 10

// Identity is who a request is, each value as it stands in its header: encoded, and empty where there is none.
type Identity struct {
	User              string // X-Auth-Request-User
	Email             string // X-Auth-Request-Email
	Groups            string // X-Auth-Request-Groups
	PreferredUsername string // X-Auth-Request-Preferred-Username
	Tenant            string // X-Auth-Tenant
	// Headers are the mapped headers of the policy, every one of them, in its order. They are shared: not to be changed.
	Headers []Header
}

// Header is one mapped header of an answer.
type Header struct {
	Name  string // canonical
	Value string
}

// Identify reads the mapped claims of a verified token. Only the username is required, a non-empty string. Email, groups
// or a header of another type than it may have, or whose expression fails, gives no value, and so no rights. Nor do the
// groups of a user who has too many for a token: Entra ID then leaves them out (hasgroups, or _claim_names with an address
// to ask), and this server asks nobody.
func (r *Rules) Identify(c *Subject) (Identity, error) {
	id := Identity{Tenant: r.tenant}
	var err error
	if id.User, id.PreferredUsername, err = r.user(c); err != nil {
		return Identity{}, err
	}
	if r.emailCounts(c) {
		id.Email = r.email.encodedText(c)
	}
	id.Groups = r.groups.encodedTexts(c)
	return r.complete(id, c)
}

// Claims with which the server's own tokens say who it is (DESIGN §4).
var (
	ownUsername = source{claims: []string{"preferred_username"}}
	ownEmail    = source{claims: []string{"email"}}
	ownGroups   = source{claims: []string{"groups"}}
)

// IdentifyOwn reads who a verified token of the server's own says it is, for its organization. The policy's prefix and
// headers apply; a nil *Rules has neither.
func (r *Rules) IdentifyOwn(c *Subject, organization string) (Identity, error) {
	own := r.ownRules(organization)
	id, err := own.Identify(c)
	if err != nil {
		return Identity{}, err
	}
	return own.joinOwn(id, c), nil
}

// ownRules are the rules by which an own token says who it is.
func (r *Rules) ownRules(organization string) *Rules {
	own := &Rules{tenant: organization, username: ownUsername, email: ownEmail, groups: ownGroups}
	if r != nil {
		own.prefix, own.headers = r.prefix, r.headers
	}
	return own
}

// user returns the values of X-Auth-Request-User and X-Auth-Request-Preferred-Username. A bare slash in the first is
// only ever one that is added here.
func (r *Rules) user(c *Subject) (user, preferred string, err error) {
	if s := &r.username; s.joined != nil {
		joined, ok := s.join(c, "")
		if !ok {
			return "", "", refuse(ReasonUsername, "of the claims "+strings.Join(s.joined, ", ")+" one is absent, empty or not a string")
		}
		user, preferred = joined, joined
	} else {
		name := s.text(c)
		if name == "" {
			return "", "", refuse(ReasonUsername, s.missing())
		}
		user, preferred = encode(name, "/"), encode(name, "")
	}
	if r.prefix {
		user = r.tenant + "/" + user
	}
	return user, preferred, nil
}

// missing says why there is no username.
func (s *source) missing() string {
	switch {
	case s.program != nil:
		return "the username's expression fails or gives no non-empty string"
	case len(s.claims) == 1:
		return "the claim " + s.claims[0] + " is absent, empty or not a string"
	}
	return "the first of the claims " + strings.Join(s.claims, ", ") + " that is present is empty or not a string, or none is present"
}

// emailCounts tells whether the claim that vouches for the email, if the policy names one, is true. Entra ID documents
// its xms_edov as a boolean and writes it as true, "1", "true" or 1; for that claim, and no other, these count too.
func (r *Rules) emailCounts(c *Subject) bool {
	if r.emailVerified == "" {
		return true
	}
	value, _ := c.Lookup(r.emailVerified)
	switch value.JSON() {
	case "true":
		return true
	case `"1"`, `"true"`, "1":
		return r.emailVerified == "xms_edov"
	}
	return false
}

// complete adds the mapped headers and refuses an identity that is too large to be told.
func (r *Rules) complete(id Identity, c *Subject) (Identity, error) {
	size := len(id.User) + len(id.Email) + len(id.Groups) + len(id.PreferredUsername) + len(id.Tenant)
	if len(r.headers) > 0 {
		id.Headers = make([]Header, len(r.headers))
	}
	for i := range r.headers {
		if size > MaxIdentity {
			break
		}
		id.Headers[i] = Header{r.headers[i].name, r.headers[i].encodedScalars(c)}
		size += len(id.Headers[i].Value)
	}
	if size > MaxIdentity {
		return Identity{}, refuse(ReasonTooLarge, "the identity headers are longer than "+strconv.Itoa(MaxIdentity)+" bytes together")
	}
	return id, nil
}
