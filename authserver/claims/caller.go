// SPDX-License-Identifier: Apache-2.0

package claims

import (
	"errors"

	"github.com/gatehouse-auth/gatehouse/authserver/expression"
	"github.com/gatehouse-auth/gatehouse/authserver/token"
)

// Callers are those whom an expression over tenant, username, groups and claims admits: a credential's allowedCallers. They are immutable and safe for
// concurrent use; nil admits nobody.
type Callers struct{ program *expression.Program }

// CompileCallers compiles the expression. The error holds nothing of its text, whose fault [CheckExpression] (kind "callers") shows to its author.
func CompileCallers(text string) (*Callers, error) {
	program, err := expression.CompileOver(expression.OfCaller, text, expression.Rule)
	if err != nil {
		return nil, errors.New("this server cannot compile it")
	}
	return &Callers{program}, nil
}

// Admit tells whether the expression holds for a token that the rules have identified; one that fails or costs too much does not. The variables are those of
// the identity's headers but not encoded: tenant is X-Auth-Tenant, username X-Auth-Request-Preferred-Username, which has no prefix, and groups
// X-Auth-Request-Groups, an empty list where the token has none. Groups that somebody has and that cannot be read are unknown, and what reads them fails: an
// expression that bars members of a group must not take them for nobody.
func (c *Callers) Admit(r *Rules, s *Subject) bool {
	username, ok := r.username.plainText(s)
	return ok && c.admit(r, s, username)
}

// AdmitOwn is Admit for a token of the server's own, for its organization; the rules may be nil.
func (c *Callers) AdmitOwn(r *Rules, s *Subject, organization string) bool {
	r = r.ownRules(organization)
	username, ok := joinedOwn(s)
	if !ok {
		username, ok = r.username.plainText(s)
	}
	return ok && c.admit(r, s, username)
}

func (c *Callers) admit(r *Rules, s *Subject, username string) bool {
	if c == nil {
		return false
	}
	of := expression.OfAccepted(s.Claims, r.tenant, username)
	if groups, ok := r.groups.plainTexts(s); ok {
		of.SetGroups(groups)
	}
	holds, err := c.program.Bool(of)
	return err == nil && holds
}

// plainText is the non-empty string that the source gives, not encoded; only parts that are joined are, since the slashes between them must be told from theirs.
func (s *source) plainText(c *Subject) (string, bool) {
	if s.joined != nil {
		return s.join(c, "")
	}
	text := s.text(c)
	return text, text != ""
}

// plainTexts are the strings that the source gives, not encoded. ok is false where there are some, or may be, that cannot be read.
func (s *source) plainTexts(c *Subject) (texts []string, ok bool) {
	switch {
	case s.program != nil:
		values, _, err := s.program.Strings(c.expressions())
		return values, err == nil
	case s.joined != nil:
		text, ok := s.join(c, "")
		return []string{text}, ok
	}
	for _, name := range s.claims {
		value, present := c.Lookup(name)
		if !present {
			if elsewhere(c, name) {
				return nil, false
			}
			continue
		}
		if text, ok := value.Text(); ok {
			if text == "" {
				return nil, true
			}
			return []string{text}, true
		}
		return value.Strings()
	}
	return nil, true
}

// elsewhere tells of a claim that a token lacks that its issuer has it: Entra ID leaves groups out of tokens for users who have too many, and says so by
// hasgroups, or by _claim_names (OpenID Connect Core 1.0 section 5.6.2).
func elsewhere(c *Subject, name string) bool {
	if has, present := c.Lookup(ClaimHasGroups); present && name == "groups" && has.JSON() != "false" {
		return true
	}
	names, present := c.Lookup("_claim_names")
	if !present {
		return false
	}
	o, err := token.ReadObject([]byte(names.JSON()), len(names.JSON()))
	if err != nil {
		return true
	}
	_, listed := o.Lookup(name)
	return listed
}
