// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"slices"
	"strings"
	"unicode"
)

// client is the block of the service.
func (o *jumpserverImport) client(endpoints Fields) Fields {
	var f Fields
	id := o.s.Text(o.key(jsClientID))
	if len(id) > 512 {
		o.s.Mistake(o.key(jsClientID), "it has more than 512 bytes")
	}
	f.SetFrom("clientID", id, o.key(jsClientID))
	method := o.method()
	if secret := clientSecret(o.s, o.key(jsClientSecret)); secret != "" && !masked(secret) {
		o.secret(&f, Entry{Key: "clientSecret", Value: secret, From: o.key(jsClientSecret), Line: o.s.Line(o.key(jsClientSecret))})
	} else {
		o.secret(&f, Entry{Key: "clientSecret", From: jsClientSecret, Hint: "the client secret. It is not in the file: JumpServer's API does not give it away. Copy it from the service"})
	}
	if method != "" {
		f.SetFrom("clientAuthenticationMethod", method, o.key(jsMethod))
	}
	scopes := scopesOf(o.s, o.key(jsScope))
	if len(scopes) > 0 {
		f.SetFrom("scopes", scopes, o.key(jsScope))
	}
	f = append(f, endpoints...)
	o.subject(&f, scopes)
	hasLogout := slices.ContainsFunc(endpoints, func(e Field) bool { return e.Name == "logoutEndpoint" })
	if o.s.Bool(o.key(jsSyncLogout), false) {
		if hasLogout {
			f.SetFrom("syncLogout", true, o.key(jsSyncLogout))
		} else {
			o.note(jsSyncLogout, "not carried over: it needs %s, which is not set", jsLogout)
		}
	}
	return f
}

// masked tells whether a secret is what a form shows in its place.
func masked(secret string) bool { return strings.Trim(secret, "*•") == "" }

func (o *jumpserverImport) secret(f *Fields, e Entry) {
	f.SetFrom("clientSecretRef", SecretRef(o.name, e.Key), e.From)
	o.result.Secrets = append(o.result.Secrets, Secret{Name: o.name, Entries: []Entry{e}})
}

// method is how the client authenticates; "" where the file does not say.
func (o *jumpserverImport) method() string {
	text := o.s.Text(o.key(jsMethod))
	switch strings.Map(letters, strings.ToLower(text)) {
	case "":
		o.note(jsMethod, "not set: ID and secret go into the header (ClientSecretBasic). If the service refuses that, set clientAuthenticationMethod: ClientSecretPost")
		return ""
	case "clientsecretbasic":
		return "ClientSecretBasic"
	case "clientsecretpost", "post", "postdata":
		return "ClientSecretPost"
	case "get":
		o.note(jsMethod, "GET is read as ClientSecretPost: a secret in a URL is in every log on the way. If the service takes no POST, Gatehouse cannot ask it")
		return "ClientSecretPost"
	case "postjson":
		o.note(jsMethod, "POST_JSON is read as ClientSecretPost: the token endpoint of OAuth 2.0 takes forms (RFC 6749 section 4.1.3). If the service takes JSON alone, Gatehouse cannot ask it")
		return "ClientSecretPost"
	}
	o.s.Mistake(o.key(jsMethod), "want Client Secret Basic, Client Secret Post, or JumpServer's GET, POST or POST_JSON")
	return ""
}

// subject says who a user is for ever.
func (o *jumpserverImport) subject(f *Fields, scopes []string) {
	switch given := o.in.Option("subject-attribute"); {
	case given != "":
		f.SetFrom("subjectAttribute", given, "--subject-attribute")
		return
	case slices.Contains(scopes, "openid"):
		f.SetFrom("subjectAttribute", "sub", "CHECK THIS")
	default:
		f.SetFrom("subjectAttribute", "id", "CHECK THIS")
	}
	o.object.Notes = append(o.object.Notes, Note{Text: "subjectAttribute is a guess, since JumpServer knows users by name: write the member of the userinfo answer that stays the same for ever and is never given to somebody " +
		"else, or import with --subject-attribute. A user without it is refused"})
}

// jumpserverAttributes are JumpServer's attributes of a user that there is a mapping for here, by the same name.
var jumpserverAttributes = []string{"name", "username", "email", "phone", "comment", "groups"}

// attributes are Mapped Attributes: JumpServer's on the left, the service's on the right.
func (o *jumpserverImport) attributes() {
	key := o.key(jsAttributes)
	mapping, ok := o.mapping(key)
	if !ok {
		return
	}
	if len(mapping) == 0 {
		o.note(jsAttributes, "not set: name, username and email are taken from members of the same names, as JumpServer does")
		mapping = []Member{{Name: "name", Value: Value{Kind: Text, Text: "name"}}, {Name: "username", Value: Value{Kind: Text, Text: "username"}}, {Name: "email", Value: Value{Kind: Text, Text: "email"}}}
	}
	var f Fields
	var others int
	for _, m := range mapping {
		switch {
		case m.Value.Kind != Text || m.Value.Text == "" && m.Name == "username" || len(m.Value.Text) > 256 || strings.ContainsFunc(m.Value.Text, unicode.IsControl):
			o.s.Mistake(key, "want names of members on the right, each at most 256 bytes")
			return
		case m.Value.Text == "":
		case slices.Contains(jumpserverAttributes, m.Name):
			f.SetFrom(m.Name, Inline{{Name: "claim", Value: m.Value.Text}}, "")
		default:
			others++
		}
	}
	if !slices.ContainsFunc(f, func(one Field) bool { return one.Name == "username" }) {
		advice := ""
		if slices.ContainsFunc(mapping, func(m Member) bool { return m.Value.Text == "username" }) {
			advice = ". It seems to be the other way round: JumpServer's attribute is on the left"
		}
		o.s.Mistake(key, "username is missing on the left, and nobody can log in without it%s", advice)
		return
	}
	if others > 0 {
		o.note(jsAttributes, "%d of its attributes are not carried over: users here have name, username, email, phone, comment and groups", others)
	}
	o.object.Spec.SetFrom("claimMappings", f, key)
}

// mapping is a mapping of the file, or one that is written as JSON in a text, as forms and .env files have it.
func (o *jumpserverImport) mapping(key string) ([]Member, bool) {
	one := o.s.Get(key)
	if one == nil {
		return nil, true
	}
	v := one.Value
	if v.Kind == Text {
		var err error
		if v, err = ReadJSON(Input{File: o.in.File, Data: []byte(v.Text)}); err != nil {
			o.s.Mistake(key, `want a JSON object such as {"username": "login", "email": "email"}`)
			return nil, false
		}
	}
	if v.Kind != Mapping {
		o.s.Mistake(key, `want an object such as {"username": "login", "email": "email"}`)
		return nil, false
	}
	return v.Members, true
}
