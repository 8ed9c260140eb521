// SPDX-License-Identifier: Apache-2.0

package importing

import (
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

func (o *jwtBearerImport) tell(key, format string, args ...any) {
	o.object.Notes = append(o.object.Notes, o.s.Note(key, format, args...))
}
