// SPDX-License-Identifier: Apache-2.0

package claims

import "strings"

// Person is whom a token names, each value as it stands there: not encoded, and without the tenant's prefix. It is what an access token of the server's own says
// of them, so that [Rules.IdentifyOwn] of that gives the identity that [Rules.Identify] gives of this token.
type Person struct {
	Username string
	// Parts are what Username is joined from, nil where it is one claim's: the slashes between them are the policy's own.
	Parts  []string
	Email  string // "" where there is none, or nobody vouches for it
	Groups []string
	// GroupsUnknown says that they are in groups, or may be, that cannot be read. [Rules.IdentifyOwn] makes no difference, [Callers] do.
	GroupsUnknown bool
}

// Claims of the server's own tokens beyond those that have a registered name. Nobody else's tokens are read for them, but for hasgroups, which is Entra ID's.
const (
	// ClaimUsernameParts holds [Person.Parts].
	ClaimUsernameParts = "username_parts"
	// ClaimHasGroups is true for [Person.GroupsUnknown].
	ClaimHasGroups = "hasgroups"
	// ClaimGrantType is the grant (RFC 6749 §4.5) of a token that was given for an assertion. It has the parameter's name, which no registered claim has; no
	// token of somebody who logged in has it, since logins fill in nothing but what issue.AccessToken has for them.
	ClaimGrantType = "grant_type"
	// ClaimGrantedBy marks, in a token with ClaimGrantType, the policy that took the assertion. A tenant's name alone does not: it may be another's by now.
	ClaimGrantedBy = "granted_by"
)

// Person reads the mapped claims of a verified token that [Rules.Identify] has accepted. ok is false where there is no username.
func (r *Rules) Person(c *Subject) (p Person, ok bool) {
	if p.Parts, ok = r.username.parts(c); !ok {
		return Person{}, false
	}
	if p.Username = strings.Join(p.Parts, "/"); len(p.Parts) == 1 {
		p.Parts = nil
	}
	if r.emailCounts(c) {
		if parts, ok := r.email.parts(c); ok {
			p.Email = strings.Join(parts, "/")
		}
	}
	groups, known := r.groups.texts(c)
	p.Groups, p.GroupsUnknown = groups, !known
	return p, true
}

// parts are the strings of a joined source, and the one of every other; all are non-empty.
func (s *source) parts(c *Subject) ([]string, bool) {
	if s.joined == nil {
		text := s.text(c)
		return []string{text}, text != ""
	}
	parts := make([]string, len(s.joined))
	for i, name := range s.joined {
		value, _ := c.Lookup(name)
		if parts[i], _ = value.Text(); parts[i] == "" {
			return nil, false
		}
	}
	return parts, true
}

// texts are the string or the list of strings that the source gives; empty ones say nothing and are left out. ok is false where there are some, or may be, that
// cannot be read.
func (s *source) texts(c *Subject) (kept []string, ok bool) {
	var list []string
	if s.joined != nil {
		var parts []string
		if parts, ok = s.parts(c); ok {
			list = []string{strings.Join(parts, "/")}
		}
	} else {
		list, ok = s.plainTexts(c)
	}
	if !ok {
		return nil, false
	}
	kept = make([]string, 0, len(list))
	for _, text := range list {
		if text != "" {
			kept = append(kept, text)
		}
	}
	return kept, true
}

// joinOwn puts the parts of a username together as [Rules.Identify] does, where a token of the server's own has some.
func (r *Rules) joinOwn(id Identity, c *Subject) Identity {
	joined, ok := joinedOwn(c)
	if !ok {
		return id
	}
	id.PreferredUsername, id.User = joined, joined
	if r.prefix {
		id.User = r.tenant + "/" + id.User
	}
	return id
}

// joinedOwn is the username that a token of the server's own has in parts: encoded, with bare slashes between them. ok is false where it has none.
func joinedOwn(c *Subject) (joined string, ok bool) {
	value, _ := c.Lookup(ClaimUsernameParts)
	parts, _ := value.Strings()
	if len(parts) < 2 {
		return "", false
	}
	for i := range parts {
		parts[i] = encode(parts[i], "/")
	}
	return strings.Join(parts, "/"), true
}
