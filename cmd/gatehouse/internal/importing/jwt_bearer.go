// SPDX-License-Identifier: Apache-2.0

package importing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-auth/gatehouse/api/v1alpha1"
	"github.com/gatehouse-auth/gatehouse/authserver/jwk"
)

// jwtBearer is the kind for the settings of "OAuth 2.0 - JWT Bearer Auth" (docs/migrating/jwt-bearer.md).
var jwtBearer = Kind{
	Usage: `the settings of "OAuth 2.0 - JWT Bearer Auth"`,
	File:  "FILE.json",
	Long: `Turn the settings of "OAuth 2.0 - JWT Bearer Auth" into an IdentityProvider of type JWTBearer: a credential for somebody else's API.

FILE is one JSON object with the form's fields ("Jwt Auth Private Key"), in any case and with blanks, underscores, dashes or
nothing between the words, with or without Jwt Auth in front. Headers, additional claims and request options may be objects, or
text that holds their JSON. The private key may be the key itself, or the path of its file, which is not read.

Nobody may have the token until you say who: --allowed-callers for GET /credentials/NAME, --output-secret for workloads in the
cluster, or upstreamCredential of a TenantJWTPolicy. docs/migrating/jwt-bearer.md has every row.`,
	Example: `  gatehouse import jwt-bearer auth.json --name payments --output-secret payments-token --secrets-out secrets.yaml > manifests.yaml
  gatehouse import jwt-bearer auth.json --allowed-callers "tenant == 'acme'" > manifests.yaml`,
	Options: []Option{
		{Name: "allowed-callers", Value: "CEL", Usage: "who may ask GET /credentials/NAME: an expression over tenant, username, groups and claims"},
		{Name: "output-secret", Value: "NAME", Usage: "Secret that the operator keeps fresh with the token"},
	},
	Import: importJWTBearer,
}

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

// jwtBearerImport is one import. The settings are called as the form's fields, however the file has them.
type jwtBearerImport struct {
	in        Input
	s         *Settings
	name      string
	algorithm string
	keyID     string
	spec      Fields
	object    Object
	result    Result
	// claims that the additional ones put in the place of fields.
	replaced map[string]string
}

func importJWTBearer(in Input) (*Result, error) {
	v, err := ReadJSON(in)
	if err != nil {
		return nil, err
	}
	o := &jwtBearerImport{in: in, name: in.Name, replaced: map[string]string{}}
	if o.name == "" {
		o.name = "jwt-bearer"
	}
	if output := in.Option("output-secret"); output != "" && !isLabel(output) {
		return nil, usage("--output-secret is %q: want the name of a Secret, such as api-token", output)
	}
	if o.s, err = o.fields(v); err != nil {
		return nil, err
	}
	o.provider()
	o.object.Kind, o.object.Name = v1alpha1.KindIdentityProvider, o.name
	o.object.Spec = Fields{{Name: "type", Value: string(v1alpha1.ProviderJWTBearer)}, {Name: "jwtBearer", Value: o.spec}}
	o.result.Objects = []Object{o.object}
	return o.s.Finish(&o.result, "Jwt Auth")
}

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

// provider writes the spec, in the order of the API's fields.
func (o *jwtBearerImport) provider() {
	for _, needed := range []string{jbKey, jbAlgorithm, jbIssuer} {
		if !o.s.Has(needed) {
			o.s.mistakes = append(o.s.mistakes, Mistake{File: o.in.File, Text: needed + " is missing or empty"})
		}
	}
	o.s.Get(jbAuthConfig) // the choice of this form
	o.algorithm = strings.TrimSpace(o.s.Text(jbAlgorithm))
	if _, ok := jwk.Algorithm(o.algorithm); !ok && o.algorithm != "" {
		o.s.Mistake(jbAlgorithm, "want one of %s", strings.Join(jwk.AlgorithmNames(), ", "))
		o.algorithm = ""
	}
	headers, claims := o.headers(), o.claims()
	o.key()
	if o.keyID != "" {
		o.spec.SetFrom("keyID", o.keyID, jbHeaders+": kid")
	}
	o.spec.SetFrom("algorithm", o.algorithm, jbAlgorithm)
	o.registered("issuer", "iss", jbIssuer)
	o.registered("subject", "sub", jbSubject)
	o.registered("audience", "aud", jbAudience)
	o.lifetime()
	if len(headers) > 0 {
		o.spec.SetFrom("headers", headers, jbHeaders)
	}
	if len(claims) > 0 {
		o.spec.SetFrom("additionalClaims", claims, jbClaims)
	}
	o.exchange()
	o.callers()
}

// registered sets a claim that has a field of its own.
func (o *jwtBearerImport) registered(field, claim, key string) {
	value, from := o.s.Text(key), key
	if instead, ok := o.replaced[claim]; ok {
		value, from = instead, jbClaims+": "+claim
	}
	switch {
	case len(value) > 1024:
		o.s.Mistake(key, "it has more than 1024 bytes")
	case value != "":
		o.spec.SetFrom(field, value, from)
	}
}

// lifetime bounds, in seconds: 10s to 4400h.
const lifetimeLeast, lifetimeMost = 10, 4400 * 3600

func (o *jwtBearerImport) lifetime() {
	if seconds := o.s.Int(jbExpiry, lifetimeLeast, lifetimeMost); seconds > 0 {
		o.spec.SetFrom("lifetime", inSeconds(seconds), jbExpiry)
	} else if !o.s.Has(jbExpiry) {
		o.tell(jbExpiry, "not set: 1h, the default")
	}
}

// inSeconds is a length of time such as 1h30m.
func inSeconds(n int) string {
	var out string
	for _, unit := range []struct {
		name    string
		seconds int
	}{{"h", 3600}, {"m", 60}, {"s", 1}} {
		if part := n / unit.seconds; part > 0 {
			out += strconv.Itoa(part) + unit.name
			n %= unit.seconds
		}
	}
	return out
}

// exchange is where the token comes from.
func (o *jwtBearerImport) exchange() {
	url, grant := o.s.URL(jbURL), o.grantType()
	if url == "" {
		if grant != "" && grant != v1alpha1.DefaultJWTBearerGrant {
			o.tell(jbGrant, "not carried over: without %s the JWT itself is the bearer token, and nothing is requested", jbURL)
		}
		return
	}
	for claim, key := range map[string]string{"sub": jbSubject, "aud": jbAudience} {
		if _, there := o.replaced[claim]; !there && !o.s.Has(key) {
			o.s.Mistake(jbURL, "a token endpoint needs %s too (RFC 7523 section 3)", key)
		}
	}
	o.spec.SetFrom("tokenEndpoint", url, jbURL)
	if strings.HasPrefix(url, "http:") {
		o.tell(jbURL, "http is only for addresses in spec.outbound.allowedCIDRs of the AuthServer: give the endpoint a certificate, or list its network there")
	}
	if grant != "" && grant != v1alpha1.DefaultJWTBearerGrant {
		o.spec.SetFrom("grantType", grant, jbGrant)
	}
}

// grantType is that of the request options, or of a field beside them.
func (o *jwtBearerImport) grantType() string {
	grant := o.s.Text(jbGrant)
	for _, m := range o.mapping(jbOptions) {
		if jwtBearerField(m.Name) != jbGrant {
			o.tell(jbOptions, "%s is not carried over: the importer does not know it. Other parameters of the request go into parameters", shown(m.Name))
			continue
		}
		if m.Value.Kind != Text || grant != "" && grant != m.Value.Text {
			o.s.Mistake(jbOptions, "Custom Grant Type: want one text, in one place")
			return ""
		}
		grant = strings.TrimSpace(m.Value.Text)
	}
	if strings.ContainsFunc(grant, func(r rune) bool { return r <= ' ' || r > '~' }) || len(grant) > 256 {
		o.s.Mistake(jbGrant, "want one word of printable ASCII, of at most 256 bytes")
		return ""
	}
	return grant
}

// callers says who may have the token, or that nobody may yet.
func (o *jwtBearerImport) callers() {
	output, callers := o.in.Option("output-secret"), o.in.Option("allowed-callers")
	if output != "" {
		o.spec.SetFrom("outputSecretName", output, "--output-secret")
	}
	if callers != "" {
		o.spec.SetFrom("allowedCallers", callers, "--allowed-callers")
	}
	if output == "" && callers == "" {
		o.object.Notes = append(o.object.Notes, Note{Text: "Nobody can have the token yet: set allowedCallers (GET /credentials/" + o.name +
			"), outputSecretName (a Secret for workloads), or upstreamCredential of a TenantJWTPolicy"})
	}
}

func (o *jwtBearerImport) tell(key, format string, args ...any) {
	o.object.Notes = append(o.object.Notes, o.s.Note(key, format, args...))
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
