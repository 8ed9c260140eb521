// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Bounds of attributes.
const (
	// MaxUsername bounds the username, in characters.
	MaxUsername = 256
	// MaxText bounds every other attribute, in bytes.
	MaxText = 1024
	// MaxGroup bounds a group's name, in bytes; longer ones are left out.
	MaxGroup = 256
	// MaxGroups bounds the groups, in number.
	MaxGroups = 512
	// MaxGroupsText bounds all groups together, in bytes: an access token of at most 16 KiB has to hold them, encoded.
	MaxGroupsText = 8 << 10
)

// Attributes are what a provider says of somebody, within the bounds. Only Username is never empty.
type Attributes struct {
	Username, Email, Name, Phone, Comment string
	// EmailVerified is true only by the boolean email_verified of that Email.
	EmailVerified bool
	// EmailDenied is true if email_verified is there for that Email and is not the boolean true.
	EmailDenied bool
	// Groups are distinct, in the provider's order.
	Groups []string
}

// Person is what a provider says of somebody.
type Person struct {
	// Claims are those of the ID token, UserInfo the answer of the userinfo endpoint. Either may be nil, and for OAuth 2.0 both are the latter.
	Claims, UserInfo *Document
	// NoUserInfo says that the provider could not be asked for userinfo: then nobody knows what it says, and what reads it fails.
	NoUserInfo bool
	// Groups are those of the provider's groups endpoint ([GroupsReader]), which count in place of mapped ones if HasGroups.
	Groups    []string
	HasGroups bool
}

// subject is one login under judgement. Its expressions share a cost.
type subject struct {
	Person
	evaluation *expression.Subject
}

func newSubject(p Person) *subject {
	if p.NoUserInfo {
		return &subject{p, expression.OfProvider(p.Claims.all(), nil)}
	}
	return &subject{p, expression.OfProvider(p.Claims.all(), p.UserInfo.all())}
}

// Read checks every claim rule, then maps. An error is a [*RuleError] or an [*Error].
func (m *Mapper) Read(p Person) (Attributes, error) {
	s := newSubject(p)
	groups, readable := p.Groups, true
	if !p.HasGroups {
		groups, readable = m.groups.texts(s)
	}
	if readable {
		s.evaluation.SetGroups(groups)
	} else { // the user has none, but a rule that reads them fails: it must not take them for none
		groups = nil
	}
	if err := m.judge(s); err != nil {
		return Attributes{}, err
	}
	var a Attributes
	var err error
	if a.Username, err = m.readUsername(s); err != nil {
		return Attributes{}, err
	}
	a.Email = m.email.optional(s)
	if err := checkAddress(s, &a); err != nil {
		return Attributes{}, err
	}
	a.Name, a.Phone, a.Comment = m.name.optional(s), m.phone.optional(s), m.comment.optional(s)
	if a.Groups, err = bounded(groups); err != nil {
		return Attributes{}, err
	}
	return a, nil
}

// judge checks every claim rule.
func (m *Mapper) judge(s *subject) error {
	for i := range m.rules {
		holds, err := m.rules[i].program.Bool(s.evaluation)
		switch {
		case err != nil:
			return &RuleError{i, m.rules[i].message, err.Error()}
		case !holds:
			return &RuleError{Index: i, Message: m.rules[i].message}
		}
	}
	return nil
}

func (m *Mapper) readUsername(s *subject) (string, error) {
	name := m.username.text(s)
	switch {
	case name == "":
		return "", &Error{ReasonNoUsername, m.username.missing()}
	case utf8.RuneCountInString(name) > MaxUsername:
		return "", &Error{ReasonBadUsername, "the username is longer than " + strconv.Itoa(MaxUsername) + " characters; map a shorter one with claimMappings.username"}
	case strings.ContainsFunc(name, hidden) || strings.TrimSpace(name) != name:
		return "", &Error{ReasonBadUsername, "the username has space around it, or control or invisible characters; map another with claimMappings.username"}
	}
	return name, nil
}

// missing says why there is no username.
func (s *source) missing() string {
	if s.program != nil {
		return "claimMappings.username.expression fails for this user, or gives no non-empty string or integer"
	}
	return "the claim " + strings.Join(s.claims, " or ") + " is absent, empty, or neither a string nor an integer; name one that every user has in claimMappings.username"
}

// lookup returns the first of the claims that says something, in the claims before userinfo.
func (s *source) lookup(of *subject) token.Value {
	for _, name := range s.claims {
		for _, d := range []*Document{of.Claims, of.UserInfo} {
			if value, ok := d.Lookup(name); ok && value.JSON() != "null" && value.JSON() != `""` {
				return value
			}
		}
	}
	return token.Value{}
}

// text returns the string or integer that the source gives, "" if it gives none.
func (s *source) text(of *subject) string {
	if s.program != nil {
		values, _, err := s.program.Strings(of.evaluation)
		if err != nil || len(values) != 1 {
			return ""
		}
		return values[0]
	}
	text, _ := identifier(s.lookup(of))
	return text
}

// optional is text, "" where it is not fit to be kept.
func (s *source) optional(of *subject) string {
	text, _ := Text(s.text(of))
	return text
}

// Text holds an optional attribute to the bounds: without space around it; false if it is empty, too long or has control characters.
func Text(text string) (string, bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > MaxText || strings.ContainsFunc(text, unicode.IsControl) {
		return "", false
	}
	return text, true
}

// texts returns the string or the list of strings that the source gives; false where it has something that is neither, or nobody can tell whether it has.
func (s *source) texts(of *subject) ([]string, bool) {
	if s.program != nil {
		values, _, err := s.program.Strings(of.evaluation)
		return values, err == nil
	}
	value := s.lookup(of)
	if value.JSON() == "" { // none, as far as is known
		return nil, !of.NoUserInfo || len(s.claims) == 0
	}
	if text, ok := value.Text(); ok {
		return []string{text}, true
	}
	return value.Strings()
}

// bounded holds groups to the bounds: empty ones, ones too long and ones with control characters are left out, repeated ones count once.
func bounded(mapped []string) ([]string, error) {
	var groups []string
	seen := map[string]bool{}
	total := 0
	for _, g := range mapped {
		if g == "" || len(g) > MaxGroup || strings.ContainsFunc(g, unicode.IsControl) || seen[g] {
			continue
		}
		seen[g] = true
		groups = append(groups, g)
		total += len(g) + len(`"",`)
	}
	if len(groups) > MaxGroups || total > MaxGroupsText {
		return nil, &Error{ReasonTooManyGroups, "the user has more than " + strconv.Itoa(MaxGroups) + " groups, or their names take more than " + strconv.Itoa(MaxGroupsText) +
			" bytes, which no token could hold; keep those that count with an expression, such as claims.groups.filter(g, g.startsWith('app-'))"}
	}
	return groups, nil
}

// hidden tells characters that do not show, by which two names could look like one.
func hidden(r rune) bool {
	return r == utf8.RuneError || slices.ContainsFunc([]*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp}, func(t *unicode.RangeTable) bool {
		return unicode.Is(t, r)
	})
}
