// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"slices"
	"strings"
)

// The form's fields.
const (
	jbKey        = "Jwt Auth Private Key"
	jbAlgorithm  = "Jwt Auth Algorithm"
	jbExpiry     = "Jwt Auth Claims Expiry Seconds"
	jbIssuer     = "Jwt Auth Claims Issuer"
	jbAudience   = "Jwt Auth Claims Audience"
	jbSubject    = "Jwt Auth Claims Subject"
	jbHeaders    = "Jwt Auth Headers"
	jbClaims     = "Jwt Auth Additional Claims"
	jbURL        = "Jwt Auth OAuth2 Access Token Request URL"
	jbOptions    = "Jwt Auth Custom OAuth Request Options"
	jbGrant      = "Custom Grant Type"
	jbAuthConfig = "Auth Config"
)

// jwtBearerFields are the form's fields, in its order.
var jwtBearerFields = []string{jbKey, jbAlgorithm, jbExpiry, jbIssuer, jbAudience, jbSubject, jbHeaders, jbClaims, jbURL, jbOptions, jbGrant, jbAuthConfig}

// fields reads the file's members under the names of the form's fields. Members of request options that are fields of the form come with them.
func (o *jwtBearerImport) fields(v Value) (*Settings, error) {
	given, err := SettingsOf(o.in, v)
	if err != nil {
		return nil, err
	}
	s := newSettings(o.in.File)
	known := 0
	for _, one := range given.all {
		called := jwtBearerField(one.Key)
		if called != "" {
			known++
			one.Key = called
		}
		if s.byKey[one.Key] != nil {
			s.Mistake(one.Key, "it is there twice: line %d has the same setting under another name", s.Line(one.Key))
			continue
		}
		s.add(one)
	}
	if known == 0 {
		return nil, Mistakes{{File: o.in.File, Text: "it has no setting of JWT Bearer Auth: want Jwt Auth Private Key, Jwt Auth Algorithm and others"}}
	}
	return s, nil
}

// jwtBearerField is the field of the form that a name means, "" for none.
func jwtBearerField(name string) string {
	plain := func(name string) string { return strings.Map(letters, strings.ToLower(name)) }
	short := func(name string) string {
		return strings.TrimPrefix(strings.TrimPrefix(plain(name), "jwtauth"), "claims")
	}
	for _, field := range jwtBearerFields {
		if short(name) == short(field) && short(name) != "" {
			return field
		}
	}
	return ""
}

// mapping is a setting that is an object, or text that holds one; nil without.
func (o *jwtBearerImport) mapping(key string) []Member {
	one := o.s.Get(key)
	if one == nil {
		return nil
	}
	v := one.Value
	if v.Kind == Text {
		inner, err := ReadJSON(Input{File: o.in.File, Data: []byte(v.Text)})
		if err != nil {
			o.s.Mistake(key, "it is text, and what it holds is no JSON")
			return nil
		}
		v = inner
	}
	if v.Kind != Mapping {
		o.s.Mistake(key, "want a JSON object, such as {\"typ\": \"JWT\"}")
		return nil
	}
	return slices.Clone(v.Members)
}
