// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"path"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/controllers/render"
)

// upstream is a provider that people logged in at through the system that is left, on its way into an IdentityProvider of type OIDC or OAuth2.
type upstream struct {
	in     Input
	s      *Settings // the provider's
	result *Result
	name   string

	object   Object
	oauth2   bool
	block    Fields // oidc or oauth2
	mappings Fields
	rules    []Inline
	from     []string // of the rules
	// everybody: the system that is left admits every account of the provider, and the file says so.
	everybody string
}

func newUpstream(in Input, s *Settings, result *Result, name string) *upstream {
	return &upstream{in: in, s: s, result: result, name: name, object: Object{Kind: "IdentityProvider", Name: name}}
}

func (u *upstream) note(key, format string, args ...any) {
	u.object.Notes = append(u.object.Notes, u.s.Note(key, format, args...))
}

// set adds a field of the block with the name of its setting, if it has a value.
func (u *upstream) set(field string, value any, key string) {
	switch v := value.(type) {
	case string:
		if v == "" {
			return
		}
	case []string:
		if len(v) == 0 {
			return
		}
	}
	u.block.SetFrom(field, value, u.origin(key))
}

// origin is the name of a setting for a comment: the file's, if it has it, else nothing, as the value is then the old system's default.
func (u *upstream) origin(key string) string {
	if key == "" || u.s.byKey[key] == nil {
		return ""
	}
	return u.s.Name(key)
}

// endpoint sets one of the block's URLs from a setting, else from what the old system takes.
func (u *upstream) endpoint(field, key, otherwise string) {
	value := otherwise
	if u.s.Has(key) {
		if value = u.s.URL(key); value == "" {
			return // a mistake
		}
		tellPlain(u.s, &u.object, key, value)
	} else {
		key = ""
	}
	u.set(field, value, key)
}

// claim maps a user's attribute to a claim.
func (u *upstream) claim(attribute, claim, key string) {
	if len(claim) > 256 {
		u.s.Mistake(key, "it has more than 256 bytes")
		return
	}
	u.mappings.SetFrom(attribute, Inline{{Name: "claim", Value: claim}}, u.origin(key))
}

// expression maps a user's attribute to a CEL expression.
func (u *upstream) expression(attribute, expression, from string) {
	u.mappings.SetFrom(attribute, Inline{{Name: "expression", Value: expression}}, from)
}

// maxExpression bounds an expression in manifests, in characters; maxRules how many rules an object has.
const maxExpression, maxRules = 1024, 16

// rule must hold of everybody who logs in.
func (u *upstream) rule(expression, message, key string) {
	if len([]rune(expression)) > maxExpression || len(u.rules) >= maxRules-1 {
		u.nobody(key, "it does not fit into a rule of %d characters: ask the provider for a group of these people, and write a rule about that", maxExpression)
		return
	}
	u.rules = append(u.rules, Inline{{Name: "expression", Value: expression}, {Name: "message", Value: message}})
	if from := u.origin(key); from != "" && !slices.Contains(u.from, from) {
		u.from = append(u.from, from)
	}
}

// nobody keeps everybody out where the file says who may log in, and that cannot be carried over: to leave it out would let others in.
func (u *upstream) nobody(key, why string, args ...any) {
	u.note(key, "who may log in is not carried over, and so nobody can until you replace the rule false: "+why, args...)
	u.rules = append(u.rules, Inline{{Name: "expression", Value: "false"}, {Name: "message", Value: "who may log in has not been decided yet"}})
	u.from = append(u.from, "WRITE YOURS")
}

// done adds the object, with its fields in the order in which manifests have them.
func (u *upstream) done(external string) {
	kind, block := "OIDC", "oidc"
	if u.oauth2 {
		kind, block = "OAuth2", "oauth2"
	}
	spec := Fields{{Name: "type", Value: kind}}
	spec = append(spec, u.object.Spec...)
	u.object.Spec = spec
	if len(u.mappings) > 0 {
		u.object.Spec.Set("claimMappings", u.mappings)
	}
	open := slices.ContainsFunc(u.block, func(f Field) bool {
		text, ok := f.Value.(string)
		return ok && render.OpenToEveryone(text) != ""
	})
	switch {
	case len(u.rules) > 0:
		u.object.Spec.SetFrom("claimValidationRules", u.rules, strings.Join(u.from, ", "))
	case open && u.everybody != "":
		u.note(u.everybody, "WARNING: it admits everybody who has an account at this provider, and anybody can make one. allowAnyone says so here too: replace it by claimValidationRules if that is not meant")
		u.object.Spec.SetFrom("allowAnyone", true, u.origin(u.everybody))
	case open:
		admitNobody(&u.object, u.block, "")
	}
	u.object.Spec.Set(block, u.block)
	u.result.Objects = append(u.result.Objects, u.object)
	u.result.Next = append(u.result.Next, "Register the redirect URI "+external+"/auth/"+u.name+"/login/callback/ at the provider of "+u.name+".")
}

// displayName is what the login page's button shows.
func (u *upstream) displayName(title, key string) {
	switch {
	case len([]rune(title)) > 128:
		u.s.Mistake(key, "it has more than 128 characters")
	case title != "":
		u.object.Spec.SetFrom("displayName", title, u.origin(key))
	}
}

// clientID is required.
func (u *upstream) clientID(key string) {
	id := u.s.Text(key)
	switch {
	case id == "":
		u.s.mistakes = append(u.s.mistakes, Mistake{File: u.in.File, Line: u.s.Line(key), Text: key + " is missing or empty"})
	case len(id) > 512:
		u.s.Mistake(key, "it has more than 512 bytes")
	}
	u.set("clientID", id, key)
}

// secretRef names a key of the provider's Secret, which has the value.
func (u *upstream) secretRef(e Entry) {
	u.block.SetFrom("clientSecretRef", SecretRef(u.name, e.Key), e.From)
	u.result.Secrets = append(u.result.Secrets, Secret{Name: u.name, Entries: []Entry{e}})
}

// beside reads the file that a setting names, if it lies beside the settings.
func (u *upstream) beside(named string) string { return besideOf(u.in, named) }

func besideOf(in Input, named string) string {
	name := path.Base(strings.ReplaceAll(named, `\`, "/"))
	if in.Beside == nil || named == "" || name == "." || name == "/" {
		return ""
	}
	data, err := in.Beside(name)
	if err != nil {
		return ""
	}
	text, err := readable(name, data)
	if err != nil {
		return ""
	}
	return string(text)
}
